import { isIPv6 } from 'node:net'
import { TallenneError } from '../../../base/tallenne-error.ts'
import type { MediaAddress } from '../../../recorder/recording-plan.ts'
import { readSdpOffer, type SdpFormat } from '../../siprec/sdp-offer.ts'
import type { PlaneLine } from '../../siprec/session-plane.ts'

/** One audio line of a client's description, as an endpoint of its own is to hear it. */
export interface LineOffer {
  readonly formats: readonly SdpFormat[]
  readonly ptimeMs: number | null
  readonly crypto: readonly string[]
  /** Undefined where the client has not said yet where it sends from. */
  readonly remote: MediaAddress | undefined
}

/** What an endpoint says of its one audio line. */
export interface DescribedLine {
  readonly line: PlaneLine
  readonly address: string
  readonly rtpPort: number
  readonly rtcpPort: number
}

/** What an endpoint sends goes there until the client says where it is: to nobody. */
const NOWHERE: MediaAddress = { address: '127.0.0.1', port: 9 }

/**
 * A description of one line for one endpoint. The client only sends, and FreeSWITCH, told so, sends nothing back; a
 * hold it need not know of, nor the feedback of RTP/AVPF and RTP/SAVPF: it takes keys in RTP/SAVP alone.
 */
export function writeLineOffer(offer: LineOffer, version: number): string {
  const { address, port } = offer.remote ?? NOWHERE
  const network = `IN ${isIPv6(address) ? 'IP6' : 'IP4'} ${address}`
  const payloadTypes = offer.formats.map(({ payloadType }) => payloadType).join(' ')
  const lines = [
    'v=0',
    `o=- 1 ${version} ${network}`,
    's=-',
    `c=${network}`,
    't=0 0',
    `m=audio ${port} RTP/${offer.crypto.length > 0 ? 'SAVP' : 'AVP'} ${payloadTypes}`,
    ...offer.formats.flatMap(formatLines),
    ...(offer.ptimeMs === null ? [] : [`a=ptime:${offer.ptimeMs}`]),
    ...offer.crypto.map((key) => `a=crypto:${key}`),
    'a=sendonly',
  ]
  return `${lines.join('\r\n')}\r\n`
}

/** Reads an endpoint's description. Throws `no_media_server` where it takes no audio. */
export function readLine(sdp: string): DescribedLine {
  const reading = readSdpOffer(sdp)
  const media =
    reading.kind === 'offer'
      ? reading.offer.media.find(({ kind, port }) => kind === 'audio' && port > 0)
      : undefined
  if (media === undefined || media.address === null) {
    throw new TallenneError('no_media_server', 'FreeSWITCH described no audio')
  }
  const { formats, ptimeMs, crypto, address, port, rtcpPort } = media
  return {
    line: { formats, ptimeMs, crypto },
    address,
    rtpPort: port,
    rtcpPort: rtcpPort ?? port + 1,
  }
}

function formatLines({ payloadType, encoding, clockRate, channels, fmtp }: SdpFormat): string[] {
  const suffix = channels > 1 ? `/${channels}` : ''
  return [
    `a=rtpmap:${payloadType} ${encoding}/${clockRate}${suffix}`,
    ...(fmtp === null ? [] : [`a=fmtp:${payloadType} ${fmtp}`]),
  ]
}
