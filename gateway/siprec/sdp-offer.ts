import { isIP } from 'node:net'
import { STATIC_PAYLOAD_TYPES } from './static-payload-types.ts'

export type SdpDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

/** One RTP payload type of an m-line. */
export interface SdpFormat {
  readonly payloadType: number
  /** As written, compared without regard to case; empty for a dynamic type that nothing maps. */
  readonly encoding: string
  /** Hertz; 0 where unknown. */
  readonly clockRate: number
  readonly channels: number
  readonly fmtp: string | null
}

/** One m-line with what stands below it, in the offer's order. */
export interface SdpMedia {
  readonly index: number
  /** `audio`, `video`, … in small letters. */
  readonly kind: string
  readonly port: number
  /** As written, so that a refusal can repeat it. */
  readonly protocol: string
  /** Format tokens as written. */
  readonly formatTokens: readonly string[]
  readonly formats: readonly SdpFormat[]
  readonly direction: SdpDirection
  /** The connection address is `0.0.0.0` or `::`, the old way of holding a call (RFC 3264 §8.4). */
  readonly isHeld: boolean
  /** The m-line's own connection address, else the session's; null where none is given. May be a host name. */
  readonly address: string | null
  readonly label: string | null
  readonly ptimeMs: number | null
  /** From `a=rtcp` (RFC 3605); null means the port after the RTP port, unless multiplexed. */
  readonly rtcpPort: number | null
  readonly hasRtcpMux: boolean
  /** Values of `a=crypto` as written (RFC 4568). */
  readonly crypto: readonly string[]
}

export interface SdpOffer {
  /** From `o=`; an identical version in a re-offer means that nothing changed. */
  readonly sessionId: string
  readonly sessionVersion: string
  readonly media: readonly SdpMedia[]
}

export type SdpReading =
  | { readonly kind: 'offer'; readonly offer: SdpOffer }
  | { readonly kind: 'unreadable'; readonly problem: string }

/** What a session description may be at most. Lengths are characters. */
export const SDP_LIMITS = {
  length: 65_536,
  lines: 2048,
  media: 32,
  formats: 64,
  crypto: 16,
  tokenLength: 64,
  valueLength: 512,
} as const

interface MutableMedia {
  kind: string
  port: number
  protocol: string
  formatTokens: string[]
  direction: SdpDirection | null
  address: string | null
  label: string | null
  ptimeMs: number | null
  rtcpPort: number | null
  hasRtcpMux: boolean
  crypto: string[]
  rtpmaps: Map<string, string>
  fmtps: Map<string, string>
}

interface Session {
  id: string
  version: string
  address: string | null
  direction: SdpDirection | null
  readonly media: MutableMedia[]
}

/**
 * Reads a session description (RFC 8866) leniently: any line end, lines in any order within their section,
 * unknown lines passed over. Only an offer without a single m-line, or one past the limits, is unreadable.
 *
 * Never throws. Every value is a run of printable ASCII, so that an answer may repeat it.
 */
export function readSdpOffer(text: string): SdpReading {
  if (text.length > SDP_LIMITS.length) {
    return unreadable(
      `session description of ${text.length} characters, more than ${SDP_LIMITS.length}`,
    )
  }
  const lines = text.split(/\r\n|\r|\n/, SDP_LIMITS.lines + 1)
  if (lines.length > SDP_LIMITS.lines) {
    return unreadable(`session description of more than ${SDP_LIMITS.lines} lines`)
  }
  const session: Session = { id: '0', version: '0', address: null, direction: null, media: [] }
  for (const line of lines) {
    const problem = readLine(line.trim(), session)
    if (problem !== null) return unreadable(problem)
  }
  if (session.media.length === 0) return unreadable('session description without an m-line')
  return {
    kind: 'offer',
    offer: {
      sessionId: session.id,
      sessionVersion: session.version,
      media: session.media.map((media, index) => finishMedia(media, index, session)),
    },
  }
}

function unreadable(problem: string): SdpReading {
  return { kind: 'unreadable', problem }
}

function readLine(line: string, session: Session): string | null {
  if (line[1] !== '=') return null
  const value = line
    .slice(2)
    .replace(/[^\x20-\x7e]/g, ' ')
    .trim()
  const media = session.media.at(-1)
  switch (line[0]) {
    case 'o': {
      const [, id = '0', version = '0'] = value.split(/ +/, 3)
      session.id = token(id)
      session.version = token(version)
      return null
    }
    case 'c': {
      // A multicast address may carry a time to live after a slash (RFC 8866 §5.7).
      const address = token(value.split(/ +/, 3)[2]?.split('/', 1)[0] ?? '') || null
      if (media === undefined) session.address = address
      else media.address ??= address
      return null
    }
    case 'm':
      return readMediaLine(value, session)
    case 'a':
      readAttribute(value, media, session)
      return null
    default:
      return null
  }
}

/** `m=<media> <port>[/<number of ports>] <proto> <fmt> …` (RFC 8866 §5.14). */
function readMediaLine(value: string, session: Session): string | null {
  if (session.media.length >= SDP_LIMITS.media) return `more than ${SDP_LIMITS.media} m-lines`
  const [kind = '', port = '', protocol = '', ...formats] = value.split(/ +/)
  if (formats.length > SDP_LIMITS.formats)
    return `m-line of more than ${SDP_LIMITS.formats} formats`
  // An m-line that makes no sense keeps its slot, so that the answer stays in step; it is refused there.
  const portNumber = /^\d{1,5}(\/\d{1,5})?$/.test(port) ? Number.parseInt(port, 10) : 0
  session.media.push({
    kind: token(kind).toLowerCase(),
    port: portNumber <= 65_535 ? portNumber : 0,
    protocol: token(protocol),
    formatTokens: formats.map(token),
    direction: null,
    address: null,
    label: null,
    ptimeMs: null,
    rtcpPort: null,
    hasRtcpMux: false,
    crypto: [],
    rtpmaps: new Map(),
    fmtps: new Map(),
  })
  return null
}

function readAttribute(attribute: string, media: MutableMedia | undefined, session: Session): void {
  const colon = attribute.indexOf(':')
  const name = (colon < 0 ? attribute : attribute.slice(0, colon)).trim().toLowerCase()
  const value = colon < 0 ? '' : attribute.slice(colon + 1).trim()
  if (isDirection(name)) {
    if (media === undefined) session.direction = name
    else media.direction = name
    return
  }
  if (media === undefined) return
  switch (name) {
    case 'rtpmap':
      return void addMapping(media.rtpmaps, value)
    case 'fmtp':
      return void addMapping(media.fmtps, value)
    case 'label':
      media.label ??= readLabel(value)
      return
    case 'ptime':
      media.ptimeMs = boundedNumber(value, 1, 1000)
      return
    case 'rtcp':
      media.rtcpPort = boundedNumber(value.split(' ', 1)[0] ?? '', 1, 65_535)
      return
    case 'rtcp-mux':
      media.hasRtcpMux = true
      return
    case 'crypto':
      if (media.crypto.length < SDP_LIMITS.crypto) media.crypto.push(clip(value))
  }
}

/** `<payload type> <what it means>`; of a repeated one the first stands. */
function addMapping(mappings: Map<string, string>, value: string): void {
  const space = value.indexOf(' ')
  if (space < 0 || mappings.size >= SDP_LIMITS.formats) return
  const payloadType = value.slice(0, space)
  if (!mappings.has(payloadType)) mappings.set(payloadType, clip(value.slice(space + 1).trim()))
}

/** A token (RFC 4574 §4); what is none is no label. */
function readLabel(value: string): string | null {
  return value.length <= SDP_LIMITS.tokenLength && /^[^\s]+$/.test(value) ? value : null
}

function isDirection(name: string): name is SdpDirection {
  return name === 'sendrecv' || name === 'sendonly' || name === 'recvonly' || name === 'inactive'
}

function boundedNumber(text: string, least: number, most: number): number | null {
  const number = /^\d{1,5}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN
  return number >= least && number <= most ? number : null
}

function finishMedia(media: MutableMedia, index: number, session: Session): SdpMedia {
  const { rtpmaps, fmtps, ...rest } = media
  const address = media.address ?? session.address
  return {
    ...rest,
    index,
    direction: media.direction ?? session.direction ?? 'sendrecv',
    address,
    isHeld: address !== null && isUnspecified(address),
    formats: media.formatTokens.flatMap((payloadType) => readFormat(payloadType, rtpmaps, fmtps)),
  }
}

function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || (isIP(address) === 6 && /^[0:]+$/.test(address))
}

/** `<encoding>/<clock rate>[/<channels>]` (RFC 8866 §6.6), else what RFC 3551 says of the number. */
function readFormat(
  written: string,
  rtpmaps: ReadonlyMap<string, string>,
  fmtps: ReadonlyMap<string, string>,
): SdpFormat[] {
  const payloadType = /^\d{1,3}$/.test(written) ? Number(written) : 128
  if (payloadType > 127) return []
  const fmtp = fmtps.get(written) ?? null
  const [encoding = '', rate = '', channels = '1'] = (rtpmaps.get(written) ?? '').split('/', 3)
  const clockRate = /^\d{1,6}$/.test(rate.trim()) ? Number(rate) : 0
  if (encoding === '' || clockRate === 0) {
    const known = STATIC_PAYLOAD_TYPES.get(payloadType)
    return [{ payloadType, encoding: '', clockRate: 0, channels: 1, ...known, fmtp }]
  }
  return [{ payloadType, encoding, clockRate, channels: Number(channels.trim()) || 1, fmtp }]
}

function token(text: string): string {
  return text.slice(0, SDP_LIMITS.tokenLength)
}

function clip(text: string): string {
  return text.slice(0, SDP_LIMITS.valueLength)
}
