import type { CodecName, PayloadFormat } from '../../recorder/recording-plan.ts'
import type { SdpFormat } from './sdp-offer.ts'

/** A codec that can be recorded, as SDP names it. */
export interface CodecCapability {
  /** Null where it is decoded before the recorder, as by FreeSWITCH. */
  readonly codec: CodecName | null
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
  /** Whether any of them is audio. */
  readonly hasAudio: boolean
  /** Those that the recorder decodes itself. */
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
  let hasAudio = false
  for (const format of offered) {
    const { payloadType, clockRate } = format
    if (kept.has(payloadType)) continue
    const encoding = format.encoding.toLowerCase()
    const capability = capabilities.codecs.find((candidate) => isSame(candidate, format))
    if (capability !== undefined) {
      hasAudio = true
      const { codec } = capability
      if (codec !== null) formats.push({ payloadType, codec, clockRate })
    } else if (encoding === 'telephone-event') eventPayloadTypes.push(payloadType)
    else if (encoding === 'cn') comfortNoisePayloadTypes.push(payloadType)
    else continue
    kept.set(payloadType, format)
  }
  return {
    kept: [...kept.values()],
    hasAudio,
    formats,
    eventPayloadTypes,
    comfortNoisePayloadTypes,
  }
}

/** Encoding names have no case (RFC 8866 §6.6). */
function isSame(capability: CodecCapability, format: SdpFormat): boolean {
  return (
    capability.encoding.toLowerCase() === format.encoding.toLowerCase() &&
    capability.clockRate === format.clockRate &&
    capability.channels === format.channels
  )
}
