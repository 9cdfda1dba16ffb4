import type { CodecName, PayloadFormat } from '../../recorder/recording-plan.ts'
import type { SdpFormat } from './sdp-offer.ts'

/** A codec that the recorder decodes, as SDP names it. */
export interface CodecCapability {
  readonly codec: CodecName
  readonly encoding: string
  /** RTP clock rate in hertz. */
  readonly clockRate: number
  readonly channels: number
  /** What our own offer numbers it. */
  readonly payloadType: number
}

/** What may be answered; everything else is refused. */
export interface MediaCapabilities {
  readonly codecs: readonly CodecCapability[]
  /** Transport protocols of an m-line, in capitals. */
  readonly protocols: readonly string[]
  /** Streams that one recording may have over its whole life. */
  readonly maxStreams: number
}

export const G711_CAPABILITIES: MediaCapabilities = {
  codecs: [
    { codec: 'PCMU', encoding: 'PCMU', clockRate: 8000, channels: 1, payloadType: 0 },
    { codec: 'PCMA', encoding: 'PCMA', clockRate: 8000, channels: 1, payloadType: 8 },
  ],
  protocols: ['RTP/AVP', 'RTP/AVPF'],
  maxStreams: 8,
}

/** The formats of an m-line that an answer keeps, sorted by what they are to the recorder. */
export interface UsableFormats {
  /** All of them, in the offer's order. */
  readonly kept: readonly SdpFormat[]
  readonly formats: readonly PayloadFormat[]
  readonly eventPayloadTypes: readonly number[]
  readonly comfortNoisePayloadTypes: readonly number[]
}

/** Keeps what can be decoded, and telephone-event and comfort noise beside it. */
export function usableFormats(
  offered: readonly SdpFormat[],
  capabilities: MediaCapabilities,
): UsableFormats {
  const kept = new Map<number, SdpFormat>()
  const formats: PayloadFormat[] = []
  const eventPayloadTypes: number[] = []
  const comfortNoisePayloadTypes: number[] = []
  for (const format of offered) {
    const { payloadType, clockRate } = format
    if (kept.has(payloadType)) continue
    const encoding = format.encoding.toLowerCase()
    const codec = capabilities.codecs.find((capability) => isSame(capability, format))?.codec
    if (codec !== undefined) formats.push({ payloadType, codec, clockRate })
    else if (encoding === 'telephone-event') eventPayloadTypes.push(payloadType)
    else if (encoding === 'cn') comfortNoisePayloadTypes.push(payloadType)
    else continue
    kept.set(payloadType, format)
  }
  return { kept: [...kept.values()], formats, eventPayloadTypes, comfortNoisePayloadTypes }
}

/** Encoding names have no case (RFC 8866 §6.6). */
function isSame(capability: CodecCapability, format: SdpFormat): boolean {
  return (
    capability.encoding.toLowerCase() === format.encoding.toLowerCase() &&
    capability.clockRate === format.clockRate &&
    capability.channels === format.channels
  )
}
