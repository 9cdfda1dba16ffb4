import type { SrtpPolicy } from '../../config/srtp-config.ts'
import type { CodecName, PayloadFormat } from '../../recorder/recording-plan.ts'
import { payloadFormat } from './format-parameters.ts'
import { KNOWN_CODECS, type KnownCodec } from './known-codecs.ts'
import type { SdpFormat } from './sdp-offer.ts'

/** A codec that can be recorded, as SDP names it. */
export interface CodecCapability {
  /** Null where it is decoded before the recorder, as by FreeSWITCH. */
  readonly codec: CodecName | null
  readonly encoding: string
  /** RTP clock rate in hertz. */
  readonly clockRate: number
  readonly channels: number
  /** What our own offer numbers it; null where it is taken and not offered. */
  readonly payloadType: number | null
}

/** What may be answered; everything else is refused. */
export interface MediaCapabilities {
  readonly codecs: readonly CodecCapability[]
  /** Transport protocols of an m-line, in capitals. */
  readonly protocols: readonly string[]
  /** Streams that one recording may have over its whole life. */
  readonly maxStreams: number
  /** What becomes of offers with regard to SRTP; absent where packets are decrypted before the recorder. */
  readonly srtp?: SrtpPolicy
}

/** Codecs that the recorder decodes, in the order of our own offers. */
export function mediaCapabilities(codecs: readonly CodecName[]): MediaCapabilities {
  return {
    codecs: codecs.flatMap((codec) =>
      KNOWN_CODECS.filter((known) => known.codec === codec).flatMap(capabilitiesOf),
    ),
    protocols: ['RTP/AVP', 'RTP/AVPF', 'RTP/SAVP', 'RTP/SAVPF'],
    maxStreams: 8,
    srtp: 'allow',
  }
}

/** Every way in which descriptions name it; the first is how we do. */
function capabilitiesOf(known: KnownCodec): readonly CodecCapability[] {
  const { codec, encodings, clockRates, channels, offeredAs } = known
  const all = encodings.flatMap((encoding) =>
    clockRates.flatMap((clockRate) =>
      channels.map((count) => ({ codec, encoding, clockRate, channels: count })),
    ),
  )
  return all.map((capability, index) => ({
    ...capability,
    payloadType: index === 0 ? offeredAs : null,
  }))
}

export const G711_CAPABILITIES = mediaCapabilities(['PCMU', 'PCMA'])

/** The codecs of an offer of ours. */
export function offeredCodecs({ codecs }: MediaCapabilities): readonly SdpFormat[] {
  return codecs.flatMap(({ codec: _, payloadType, ...format }) =>
    payloadType === null ? [] : { ...format, payloadType, fmtp: null },
  )
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
  readonly redundantPayloadTypes: readonly number[]
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
  const redundant: number[] = []
  let hasAudio = false
  for (const format of offered) {
    const { payloadType } = format
    if (kept.has(payloadType)) continue
    const encoding = format.encoding.toLowerCase()
    const capability = capabilities.codecs.find((candidate) => isSame(candidate, format))
    if (capability !== undefined) {
      const { codec } = capability
      const read = codec === null ? undefined : payloadFormat(codec, format)
      if (codec !== null && read === undefined) continue
      if (read !== undefined) formats.push(read)
      hasAudio = true
    } else if (encoding === 'telephone-event') eventPayloadTypes.push(payloadType)
    else if (encoding === 'cn') comfortNoisePayloadTypes.push(payloadType)
    else if (encoding === 'red') redundant.push(payloadType)
    else continue
    kept.set(payloadType, format)
  }
  for (const payloadType of redundant) {
    if (!carriesKept(kept, payloadType)) kept.delete(payloadType)
  }
  return {
    kept: [...kept.values()],
    hasAudio,
    formats,
    eventPayloadTypes,
    comfortNoisePayloadTypes,
    redundantPayloadTypes: redundant.filter((payloadType) => kept.has(payloadType)),
  }
}

/** Whether redundancy is of formats that are kept too (RFC 2198 §5), as far as it says of which it is. */
function carriesKept(kept: ReadonlyMap<number, SdpFormat>, payloadType: number): boolean {
  const carried = kept.get(payloadType)?.fmtp?.match(/\d+/g) ?? []
  return carried.every((number) => kept.has(Number(number)))
}

/** Encoding names have no case (RFC 8866 §6.6). */
function isSame(capability: CodecCapability, format: SdpFormat): boolean {
  return (
    capability.encoding.toLowerCase() === format.encoding.toLowerCase() &&
    capability.clockRate === format.clockRate &&
    capability.channels === format.channels
  )
}
