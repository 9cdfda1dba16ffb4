import { type DecodedSample, G726Predictor } from './g726-predictor.ts'
import type { PayloadDecoder } from './payload-decoder.ts'

/** Bits of a code: 16, 24, 32 or 40 kbit/s. */
export type G726CodeBits = 2 | 3 | 4 | 5

/** How the codes of one rate are read (ITU-T G.726, tables 7 to 14); by code. */
interface G726Rate {
  /** Logarithm of the quantized difference's magnitude. */
  readonly differences: Int32Array
  /** How the scale factor moves, times 32. */
  readonly scales: Int32Array
  /** How fast the signal changes. */
  readonly speeds: Int32Array
}

const RATES: Readonly<Record<G726CodeBits, G726Rate>> = {
  2: {
    differences: mirrored([116, 365]),
    scales: mirrored([-704, 14_048]),
    speeds: mirrored([0, 0xe00]),
  },
  3: {
    differences: mirrored([-2048, 135, 273, 373]),
    scales: mirrored([-128, 960, 4384, 18_624]),
    speeds: mirrored([0, 0x200, 0x400, 0xe00]),
  },
  4: {
    differences: mirrored([-2048, 4, 135, 213, 273, 323, 373, 425]),
    scales: mirrored([-384, 576, 1312, 2048, 3584, 6336, 11_360, 35_904]),
    speeds: mirrored([0, 0, 0, 0x200, 0x200, 0x200, 0x600, 0xe00]),
  },
  5: {
    differences: mirrored([
      ...[-2048, -66, 28, 104, 169, 224, 274, 318],
      ...[358, 395, 429, 459, 488, 514, 539, 566],
    ]),
    scales: mirrored([
      ...[448, 448, 768, 1248, 1280, 1312, 1856, 3200],
      ...[4512, 5728, 7008, 8960, 11_456, 14_080, 16_928, 22_272],
    ]),
    speeds: mirrored([
      ...[0, 0, 0, 0, 0, 0x200, 0x200, 0x200],
      ...[0x200, 0x200, 0x400, 0x600, 0x800, 0xa00, 0xc00, 0xc00],
    ]),
  },
}

/** Codes of a magnitude and of its negative stand mirrored. */
function mirrored(half: readonly number[]): Int32Array {
  return Int32Array.of(...half, ...half.toReversed())
}

/** 200 ms. */
const MOST_SAMPLES = 1600
/** Less than a millisecond is some senders' comfort noise. */
const LEAST_SAMPLES = 8
const LEAST_SCALE = 544
const MOST_SCALE = 5120

/**
 * G.726 at 16, 24, 32 or 40 kbit/s (ITU-T G.726 §4), whose codes are packed as RFC 3551 §4.5.4 says: the first in the
 * least significant bits of the first byte; or the other way round, as for ATM (`isBigEndian`, AAL2-G726 there).
 *
 *  0                   1              (32 kbit/s)
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |  B    |  A    |  D    |  C    |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export class G726Decoder implements PayloadDecoder {
  readonly density = 1
  readonly delay = 0
  readonly #samples = new Int16Array(MOST_SAMPLES)
  readonly bytes = new Uint8Array(this.#samples.buffer)
  readonly #codeBits: G726CodeBits
  readonly #isBigEndian: boolean
  readonly #rate: G726Rate
  readonly #predictor: G726Predictor
  /** Filled for each sample, so that none costs an object. */
  readonly #sample: DecodedSample = { magnitude: 0, isNegative: false, part: 0, signal: 0 }
  /** The scale factor's fast and slow part. */
  #fast = LEAST_SCALE
  #slow = LEAST_SCALE << 6
  /** Short and long averages of the speed, and how much of the fast part is used, in 64ths. */
  #shortSpeed = 0
  #longSpeed = 0
  #control = 0
  #isNarrow = false

  constructor(codeBits: G726CodeBits, { isBigEndian = false } = {}) {
    this.#codeBits = codeBits
    this.#isBigEndian = isBigEndian
    this.#rate = RATES[codeBits]
    this.#predictor = new G726Predictor(codeBits === 5 ? 9 : 8)
  }

  decode(datagram: Uint8Array, offset: number, length: number): number {
    const codeBits = this.#codeBits
    const count = Math.floor((length * 8) / codeBits)
    if (count > MOST_SAMPLES) return -1
    if (count < LEAST_SAMPLES) return 0
    const mask = (1 << codeBits) - 1
    let held = 0
    let heldBits = 0
    let at = offset
    for (let index = 0; index < count; index++) {
      if (heldBits < codeBits) {
        const byte = datagram[at++] ?? 0
        held = this.#isBigEndian ? ((held << 8) | byte) & 0xffff : held | (byte << heldBits)
        heldBits += 8
      }
      heldBits -= codeBits
      const code = (this.#isBigEndian ? held >> heldBits : held) & mask
      if (!this.#isBigEndian) held >>= codeBits
      this.#samples[index] = this.#decodeCode(code)
    }
    return count
  }

  #decodeCode(code: number): number {
    const { differences, scales, speeds } = this.#rate
    const estimate = this.#predictor.predict()
    const scale = this.#scale()
    const isNegative = code >> (this.#codeBits - 1) === 1
    const magnitude = antilog((differences[code] ?? 0) + (scale >> 2))
    // The difference that the signal is made of has 14 bits.
    const difference = isNegative ? -(magnitude & 0x3fff) : magnitude
    const signal = estimate.all + difference
    const sample = this.#sample
    sample.magnitude = magnitude
    sample.isNegative = isNegative
    sample.part = signal - estimate.all + estimate.zeros
    sample.signal = signal
    const isTransition = this.#isNarrow && magnitude > this.#transitionLimit()
    this.#adaptScale(scale, scales[code] ?? 0)
    if (isTransition) this.#predictor.reset()
    else this.#predictor.adapt(sample)
    this.#predictor.shift(sample)
    this.#isNarrow = !isTransition && this.#predictor.isNarrow
    this.#adaptSpeed(scale, { speed: speeds[code] ?? 0, isTransition })
    return Math.max(-32_768, Math.min(32_767, signal << 2))
  }

  /** The scale factor's two parts mixed. */
  #scale(): number {
    if (this.#control >= 256) return this.#fast
    const slow = this.#slow >> 6
    const apart = this.#fast - slow
    const mixed = apart * (this.#control >> 2)
    return slow + ((apart < 0 ? mixed + 0x3f : mixed) >> 6)
  }

  #transitionLimit(): number {
    const exponent = this.#slow >> 15
    const value = (32 + ((this.#slow >> 10) & 0x1f)) << exponent
    const limit = exponent > 9 ? 31 << 10 : value
    return (limit + (limit >> 1)) >> 1
  }

  #adaptScale(scale: number, step: number): void {
    const fast = scale + ((step - scale) >> 5)
    this.#fast = Math.max(LEAST_SCALE, Math.min(MOST_SCALE, fast))
    this.#slow += this.#fast + (-this.#slow >> 6)
  }

  #adaptSpeed(
    scale: number,
    { speed, isTransition }: { readonly speed: number; readonly isTransition: boolean },
  ): void {
    this.#shortSpeed += (speed - this.#shortSpeed) >> 5
    this.#longSpeed += ((speed << 2) - this.#longSpeed) >> 7
    if (isTransition) {
      this.#control = 256
      return
    }
    const apart = Math.abs((this.#shortSpeed << 2) - this.#longSpeed)
    const isFast = scale < 1536 || this.#isNarrow || apart >= this.#longSpeed >> 3
    this.#control += ((isFast ? 512 : 0) - this.#control) >> 4
  }
}

/** The magnitude whose logarithm is given (RECONST and ANTILOG). */
function antilog(log: number): number {
  if (log < 0) return 0
  return ((128 + (log & 127)) << 7) >> (14 - ((log >> 7) & 15))
}
