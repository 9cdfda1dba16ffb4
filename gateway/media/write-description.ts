import { isIPv6 } from 'node:net'
import type { SdpDirection, SdpFormat, SdpMedia } from '../siprec/sdp-offer.ts'

/** The m-lines of one dialog, which never change places (RFC 3264 §8). */
export interface Layout {
  readonly lines: readonly Pick<SdpMedia, 'kind' | 'protocol' | 'formatTokens'>[]
  /** The line that carries the call; the others are refused. */
  readonly audioIndex: number
}

/** The audio line of a description of ours. */
export interface AudioLine {
  readonly protocol: string
  readonly formats: readonly SdpFormat[]
  readonly ptimeMs: number | null
  readonly direction: SdpDirection
  /** Held the old way: the unspecified address stands in the line. */
  readonly isHeld: boolean
  /** As written. */
  readonly attributes: readonly string[]
  /** Values of `a=crypto` (RFC 4568). */
  readonly crypto: readonly string[]
}

export interface DescriptionPlace {
  /** Where the party is to send to. */
  readonly address: string
  readonly rtpPort: number
  readonly sessionId: string
  readonly version: number
}

/** Writes a description that names nobody but us (RFC 8866): session name, origin and addresses are our own. */
export function writeDescription(
  layout: Layout,
  audio: AudioLine,
  place: DescriptionPlace,
): string {
  const isV6 = isIPv6(place.address)
  const network = `IN ${isV6 ? 'IP6' : 'IP4'}`
  const lines = [
    'v=0',
    `o=- ${place.sessionId} ${place.version} ${network} ${place.address}`,
    's=-',
    `c=${network} ${place.address}`,
    't=0 0',
    ...layout.lines.flatMap((line, index) =>
      index === layout.audioIndex
        ? audioLines(audio, place.rtpPort, `${network} ${isV6 ? '::' : '0.0.0.0'}`)
        : [`m=${line.kind || 'audio'} 0 ${line.protocol || 'RTP/AVP'} ${refusedFormats(line)}`],
    ),
  ]
  return `${lines.join('\r\n')}\r\n`
}

function audioLines(audio: AudioLine, port: number, unspecified: string): string[] {
  const payloadTypes = audio.formats.map(({ payloadType }) => payloadType).join(' ')
  return [
    `m=audio ${port} ${audio.protocol} ${payloadTypes}`,
    ...(audio.isHeld ? [`c=${unspecified}`] : []),
    ...audio.formats.flatMap(formatLines),
    ...(audio.ptimeMs === null ? [] : [`a=ptime:${audio.ptimeMs}`]),
    ...audio.attributes,
    ...audio.crypto.map((key) => `a=crypto:${key}`),
    `a=${audio.direction}`,
  ]
}

function formatLines({ payloadType, encoding, clockRate, channels, fmtp }: SdpFormat): string[] {
  const suffix = channels > 1 ? `/${channels}` : ''
  return [
    ...(encoding === '' ? [] : [`a=rtpmap:${payloadType} ${encoding}/${clockRate}${suffix}`]),
    ...(fmtp === null ? [] : [`a=fmtp:${payloadType} ${fmtp}`]),
  ]
}

function refusedFormats({ formatTokens }: Pick<SdpMedia, 'formatTokens'>): string {
  return formatTokens.join(' ') || '0'
}
