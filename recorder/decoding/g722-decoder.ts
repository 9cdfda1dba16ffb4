import type { PayloadDecoder } from './payload-decoder.ts'

/** 200 ms. */
const MOST_BYTES = 1600
/** Less than a millisecond is some senders' comfort noise. */
const LEAST_BYTES = 8

/** Inverse quantizers (ITU-T G.722, tables 7 to 9): of the low band by 6 bits and by 4, of the high band by 2. */
const LOW_6 = Int16Array.of(
  ...[-136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192],
  ...[-10232, -9360, -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576],
  ...[-3168, -2776, -2400, -2032, -1688, -1360, -1040, -728, 24808, 21904, 19008, 16704],
  ...[14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456],
  ...[4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136],
)
const LOW_4 = Int16Array.of(
  ...[0, -20456, -12896, -8968, -6288, -4240, -2584, -1200],
  ...[20456, 12896, 8968, 6288, 4240, 2584, 1200, 0],
)
const HIGH_2 = Int16Array.of(-7408, -1616, 7408, 1616)

/** By how much the logarithmic scale factor of a band moves for each code. */
const LOW_STEPS = Int16Array.of(
  ...[-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60],
)
const HIGH_STEPS = Int16Array.of(798, -214, 798, -214)
const LOW_MOST = 18_432
const HIGH_MOST = 22_528

/** 2048 × 2^(n/32). */
const POWERS = Int16Array.from({ length: 32 }, (_, n) => Math.floor(2048 * 2 ** (n / 32) + 0.5))

/** Half of the receive quadrature mirror filter, which is symmetric. */
const MIRROR = Int16Array.of(3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11)
const MIRROR_TAPS = 24

/** One band's adaptive predictor: two poles, six zeros, and its scale factor. */
class Band {
  readonly #most: number
  readonly #scaleShift: number
  readonly #zeros = new Int32Array(6)
  readonly #differences = new Int32Array(6)
  #pole1 = 0
  #pole2 = 0
  #reconstructed = 0
  #sign1 = 0
  #sign2 = 0
  #zeroPart = 0
  #logScale = 0
  /** What the quantizer's values are scaled by, in 2^-15. */
  scale: number
  /** The estimate of the next sample. */
  predicted = 0

  constructor({ scale, scaleShift, most }: { scale: number; scaleShift: number; most: number }) {
    this.scale = scale
    this.#scaleShift = scaleShift
    this.#most = most
  }

  /** Takes the quantized difference of a sample, and by how much the logarithmic scale moves. */
  adapt(difference: number, step: number): void {
    this.#predict(difference)
    const log = Math.max(0, Math.min(this.#most, ((this.#logScale * 127) >> 7) + step))
    this.#logScale = log
    const power = POWERS[(log >> 6) & 31] ?? 0
    const shift = this.#scaleShift - (log >> 11)
    this.scale = (shift < 0 ? power << -shift : power >> shift) << 2
  }

  #predict(difference: number): void {
    this.#adaptPoles(this.#zeroPart + difference < 0 ? 1 : 0)
    const zeroPart = this.#adaptZeros(difference)
    const reconstructed = clip16((this.predicted + difference) * 2)
    const polePart =
      ((this.#pole1 * reconstructed) >> 15) + ((this.#pole2 * this.#reconstructed) >> 15)
    this.#reconstructed = reconstructed
    this.#zeroPart = zeroPart
    this.predicted = clip16(clip16(polePart) + zeroPart)
  }

  #adaptPoles(sign: number): void {
    const first = sign === this.#sign1 ? -1 : 1
    const second = sign === this.#sign2 ? 1 : -1
    this.#sign2 = this.#sign1
    this.#sign1 = sign
    const limited = Math.max(-8191, Math.min(8191, this.#pole1))
    const pole2 = ((first * limited) >> 5) + second * 128 + ((this.#pole2 * 127) >> 7)
    this.#pole2 = Math.max(-12_288, Math.min(12_288, pole2))
    const most = 15_360 - this.#pole2
    const pole1 = -192 * first + ((this.#pole1 * 255) >> 8)
    this.#pole1 = Math.max(-most, Math.min(most, pole1))
  }

  #adaptZeros(difference: number): number {
    const zeros = this.#zeros
    const differences = this.#differences
    const gain = difference === 0 ? 0 : 128
    let sum = 0
    for (let tap = 5; tap >= 0; tap--) {
      const earlier = differences[tap] ?? 0
      const zero = (((zeros[tap] ?? 0) * 255) >> 8) + ((earlier ^ difference) < 0 ? -gain : gain)
      const newer = tap === 0 ? difference * 2 : (differences[tap - 1] ?? 0)
      zeros[tap] = zero
      differences[tap] = newer
      sum += (newer * zero) >> 15
    }
    return clip16(sum)
  }
}

/**
 * G.722 at 64 kbit/s (ITU-T G.722 §4, RFC 3551 §4.5.2): each byte holds two samples at 16 kHz, six bits of the band
 * below 4 kHz and two of the one above.
 *
 *  0 1 2 3 4 5 6 7
 * +-+-+-+-+-+-+-+-+
 * |IH |     IL    |
 * +-+-+-+-+-+-+-+-+
 *
 * Its state belongs to one stream: what follows depends on all that came before.
 */
export class G722Decoder implements PayloadDecoder {
  readonly density = 2
  /** 11 samples at 16 kHz in the mirror filters at either end. */
  readonly delay = 11
  readonly #samples = new Int16Array(MOST_BYTES * 2)
  readonly bytes = new Uint8Array(this.#samples.buffer)
  readonly #low = new Band({ scale: 32, scaleShift: 8, most: LOW_MOST })
  readonly #high = new Band({ scale: 8, scaleShift: 10, most: HIGH_MOST })
  /** Sums and differences of the bands, the last 24 of them twice in a row so that they can be read in one piece. */
  readonly #mirrored = new Int32Array(2 * MIRROR_TAPS)
  #at = 0

  decode(datagram: Uint8Array, offset: number, length: number): number {
    if (length > MOST_BYTES) return -1
    if (length < LEAST_BYTES) return 0
    for (let index = 0; index < length; index++)
      this.#decodeByte(datagram[offset + index] ?? 0, index * 2)
    return length
  }

  #decodeByte(code: number, to: number): void {
    const low = this.#low
    const high = this.#high
    const lowCode = code & 0x3f
    const highCode = code >> 6
    const lowValue = clip15(low.predicted + ((low.scale * (LOW_6[lowCode] ?? 0)) >> 15))
    const lowDifference = (low.scale * (LOW_4[lowCode >> 2] ?? 0)) >> 15
    low.adapt(lowDifference, LOW_STEPS[lowCode >> 2] ?? 0)
    const highDifference = (high.scale * (HIGH_2[highCode] ?? 0)) >> 15
    const highValue = clip15(high.predicted + highDifference)
    high.adapt(highDifference, HIGH_STEPS[highCode] ?? 0)
    this.#mirror(lowValue + highValue, lowValue - highValue, to)
  }

  #mirror(sum: number, difference: number, to: number): void {
    const mirrored = this.#mirrored
    const at = this.#at
    mirrored[at] = sum
    mirrored[at + 1] = difference
    mirrored[at + MIRROR_TAPS] = sum
    mirrored[at + MIRROR_TAPS + 1] = difference
    this.#at = at + 2 === MIRROR_TAPS ? 0 : at + 2
    // The oldest of the last 24 stands behind the newest.
    const oldest = at + 2
    let first = 0
    let second = 0
    for (let tap = 0; tap < MIRROR_TAPS / 2; tap++) {
      second += (mirrored[oldest + tap * 2] ?? 0) * (MIRROR[tap] ?? 0)
      first += (mirrored[oldest + tap * 2 + 1] ?? 0) * (MIRROR[11 - tap] ?? 0)
    }
    this.#samples[to] = clip16(first >> 11)
    this.#samples[to + 1] = clip16(second >> 11)
  }
}

function clip16(value: number): number {
  return Math.max(-32_768, Math.min(32_767, value))
}

function clip15(value: number): number {
  return Math.max(-16_384, Math.min(16_383, value))
}
