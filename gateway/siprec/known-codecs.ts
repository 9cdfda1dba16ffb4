import type { CodecName } from '../../recorder/recording-plan.ts'

/** How SDP names a codec that the recorder may decode (RFC 3551 §6, RFC 7587, RFC 4867, RFC 3952). */
export interface KnownCodec {
  readonly codec: CodecName
  readonly encodings: readonly string[]
  /** RTP clock rates in hertz, the usual one first. */
  readonly clockRates: readonly number[]
  /** Numbers of channels, the usual one first. */
  readonly channels: readonly number[]
  /** What our own offer numbers it; null where nobody would take it of us. */
  readonly offeredAs: number | null
}

const MONO = [1]
const NARROW = [8000]

/** In the order in which our own offers name them unless the configuration has another. */
export const KNOWN_CODECS: readonly KnownCodec[] = [
  known('PCMA', 8),
  known('PCMU', 0),
  // Some write its sampling rate; its RTP clock is 8000 Hz all the same (RFC 3551 §4.5.2).
  known('G722', 9, { clockRates: [8000, 16_000] }),
  // Its description always says two channels (RFC 7587 §4.1).
  known('OPUS', 107, { encodings: ['opus'], clockRates: [48_000], channels: [2, 1] }),
  known('G729', 18, { encodings: ['G729', 'G729A', 'G729AB'] }),
  known('G726-32', 106, { encodings: ['G726-32', 'AAL2-G726-32', 'G721'] }),
  known('G726-40', null, { encodings: ['G726-40', 'AAL2-G726-40'] }),
  known('G726-24', null, { encodings: ['G726-24', 'AAL2-G726-24'] }),
  known('G726-16', null, { encodings: ['G726-16', 'AAL2-G726-16'] }),
  known('AMR-WB', 97, { clockRates: [16_000] }),
  known('AMR', 96),
  known('ILBC', 98, { encodings: ['iLBC'] }),
  known('GSM', 3),
  known('L16', null, {
    clockRates: [16_000, 8000, 11_025, 22_050, 24_000, 32_000, 44_100, 48_000],
    channels: [1, 2],
  }),
]

function known(
  codec: CodecName,
  offeredAs: number | null,
  fields: Partial<KnownCodec> = {},
): KnownCodec {
  return { codec, offeredAs, encodings: [codec], clockRates: NARROW, channels: MONO, ...fields }
}

/** The codecs that a name of the configuration stands for. */
export function codecsNamed(name: string): readonly CodecName[] {
  return KNOWN_CODECS.map(({ codec }) => codec).filter(
    (codec) => codec === name || (codec.startsWith(`${name}-`) && name === 'G726'),
  )
}
