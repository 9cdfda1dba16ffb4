import type { Frames } from './frames.ts'

/** Bits of speech by frame type; a type without them carries none (RFC 4867 §3.6, 3GPP TS 26.101 and 26.201). */
const SPEECH_BITS = {
  AMR: [95, 103, 118, 134, 148, 159, 204, 244],
  'AMR-WB': [132, 177, 253, 285, 317, 365, 397, 461, 477],
} as const
/** Of what describes silence, which is the frame type after those of speech. */
const SILENCE_BITS = { AMR: 39, 'AMR-WB': 40 } as const
/** Lost speech, and no data. */
const EMPTY_TYPES = { AMR: [15], 'AMR-WB': [14, 15] } as const

/** 240 ms: RFC 4867 sets no bound. */
const MOST_FRAMES = 12

interface TocEntry {
  readonly frameType: number
  readonly isGood: boolean
}

/**
 * The frames of an AMR or AMR-WB payload (RFC 4867 §4.3 and §4.4), each as it stands in a file of that kind (§5.3):
 * what the codec's decoder reads. Silence descriptions, damaged frames and those that carry nothing are left out, as
 * silence. Undefined where the payload is none.
 *
 * Bandwidth-efficient: bit after bit.
 *
 *  0                   1
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * | CMR=15|0| FT=4  |1|d(0)       |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Octet-aligned: the mode request, each entry of the table of contents and each frame begin at a byte.
 *
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * | CMR=6 |R|R|R|R|0|FT#1=5 |Q|P|P|
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export function readAmrFrames(
  payload: Uint8Array,
  { codec, isOctetAligned }: { readonly codec: 'AMR' | 'AMR-WB'; readonly isOctetAligned: boolean },
): Frames | undefined {
  const bits = new BitReader(payload)
  bits.take(isOctetAligned ? 8 : 4)
  const toc = readToc(bits, isOctetAligned)
  if (toc === undefined) return undefined
  const frames: (Uint8Array | undefined)[] = []
  for (const { frameType, isGood } of toc) {
    const length = bitsOf(codec, frameType)
    if (length === undefined) return undefined
    const frame = bits.takeFrame(length, isOctetAligned)
    if (frame === undefined) return undefined
    const isSpeech = isGood && SPEECH_BITS[codec][frameType] !== undefined
    frames.push(isSpeech ? Uint8Array.of((frameType << 3) | 4, ...frame) : undefined)
  }
  return frames
}

/** The table of contents: an entry for each frame, all but the last with a bit that another follows. */
function readToc(bits: BitReader, isOctetAligned: boolean): readonly TocEntry[] | undefined {
  const toc: TocEntry[] = []
  let hasMore = true
  while (hasMore) {
    if (toc.length === MOST_FRAMES || bits.left < (isOctetAligned ? 8 : 6)) return undefined
    hasMore = bits.take(1) === 1
    toc.push({ frameType: bits.take(4), isGood: bits.take(1) === 1 })
    if (isOctetAligned) bits.take(2)
  }
  return toc
}

/** Undefined for types that are reserved. */
function bitsOf(codec: 'AMR' | 'AMR-WB', frameType: number): number | undefined {
  const speech = SPEECH_BITS[codec]
  if (frameType === speech.length) return SILENCE_BITS[codec]
  const isEmpty = EMPTY_TYPES[codec].some((type) => type === frameType)
  return speech[frameType] ?? (isEmpty ? 0 : undefined)
}

/** Reads bits, the most significant of each byte first. */
class BitReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length * 8 - this.#at
  }

  /** Up to eight bits as a number; what is missing reads as zeros. */
  take(count: number): number {
    const byte = this.#at >> 3
    const both = ((this.#bytes[byte] ?? 0) << 8) | (this.#bytes[byte + 1] ?? 0)
    const value = (both >> (16 - (this.#at & 7) - count)) & ((1 << count) - 1)
    this.#at += count
    return value
  }

  /** A frame, filled up with zeros to whole bytes; undefined where it is not all there. */
  takeFrame(count: number, isOctetAligned: boolean): Uint8Array | undefined {
    const taken = isOctetAligned ? Math.ceil(count / 8) * 8 : count
    if (taken > this.left) return undefined
    const frame = new Uint8Array(Math.ceil(count / 8))
    for (let index = 0; index < frame.length; index++) {
      const wanted = Math.min(8, count - index * 8)
      frame[index] = this.take(wanted) << (8 - wanted)
    }
    if (isOctetAligned) this.#at = Math.ceil(this.#at / 8) * 8
    return frame
  }
}
