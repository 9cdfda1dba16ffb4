/** A value as 11 bits: sign, exponent of four and mantissa of six (ITU-T G.726, FLOATA and FLOATB). */
const FLOAT_ZERO = 0x20
const FLOAT_SIGN = 0x400

/** The estimate of the next sample, and of its part that the zeros give; in half steps. */
export interface Estimate {
  zeros: number
  all: number
}

/** A sample as the predictor adapts to it. */
export interface DecodedSample {
  /** Of its quantized difference from the estimate. */
  magnitude: number
  isNegative: boolean
  /** What it would be by the zeros alone. */
  part: number
  signal: number
}

/**
 * The adaptive predictor of ITU-T G.726 §4.2.6 and §4.2.7: two poles and six zeros, whose products are made of values
 * with mantissas of six bits.
 */
export class G726Predictor {
  readonly estimate: Estimate = { zeros: 0, all: 0 }
  readonly #leak: number
  readonly #zeros = new Int32Array(6)
  readonly #differences = new Int32Array(6).fill(FLOAT_ZERO)
  readonly #signals = new Int32Array(2).fill(FLOAT_ZERO)
  #pole1 = 0
  #pole2 = 0
  #sign1 = 0
  #sign2 = 0

  /** `leak`: zeros lose a 2^leak-th of themselves with each sample. */
  constructor(leak: number) {
    this.#leak = leak
  }

  /** Estimates the next sample anew. */
  predict(): Estimate {
    const { estimate } = this
    const differences = this.#differences
    let zeros = 0
    for (let tap = 0; tap < 6; tap++) {
      zeros += multiply((this.#zeros[tap] ?? 0) >> 2, differences[tap] ?? 0)
    }
    const poles =
      multiply(this.#pole2 >> 2, this.#signals[1] ?? 0) +
      multiply(this.#pole1 >> 2, this.#signals[0] ?? 0)
    estimate.zeros = zeros >> 1
    estimate.all = (zeros + poles) >> 1
    return estimate
  }

  /** Whether the signal is a narrow band, such as a modem's tone. */
  get isNarrow(): boolean {
    return this.#pole2 < -11_776
  }

  /** Forgets the signal: it changed as a modem's does. */
  reset(): void {
    this.#pole1 = 0
    this.#pole2 = 0
    this.#zeros.fill(0)
  }

  /** Adapts poles and zeros to a sample. */
  adapt({ magnitude, isNegative, part }: DecodedSample): void {
    this.#adaptPoles(part)
    const zeros = this.#zeros
    for (let tap = 0; tap < 6; tap++) {
      const zero = zeros[tap] ?? 0
      const isOther = isNegative !== (this.#differences[tap] ?? 0) < 0
      const gain = magnitude === 0 ? 0 : isOther ? -128 : 128
      zeros[tap] = zero - (zero >> this.#leak) + gain
    }
  }

  /** Takes the sample into what the next ones are estimated from. */
  shift({ magnitude, isNegative, part, signal }: DecodedSample): void {
    this.#differences.copyWithin(1, 0, 5)
    this.#differences[0] = toFloat(magnitude, isNegative)
    this.#signals[1] = this.#signals[0] ?? 0
    this.#signals[0] = toFloat(Math.min(32_767, Math.abs(signal)), signal < 0)
    this.#sign2 = this.#sign1
    this.#sign1 = part < 0 ? 1 : 0
  }

  #adaptPoles(part: number): void {
    const sign = part < 0 ? 1 : 0
    const isSame = sign === this.#sign1
    let pole2 = this.#pole2 - (this.#pole2 >> 7)
    if (part !== 0) {
      const pole1 = isSame ? -this.#pole1 : this.#pole1
      pole2 += pole1 < -8191 ? -256 : pole1 > 8191 ? 255 : pole1 >> 5
      pole2 += sign === this.#sign2 ? 128 : -128
      pole2 = Math.max(-12_288, Math.min(12_288, pole2))
    }
    this.#pole2 = pole2
    const most = 15_360 - pole2
    const gain = part === 0 ? 0 : isSame ? 192 : -192
    const pole1 = this.#pole1 - (this.#pole1 >> 8) + gain
    this.#pole1 = Math.max(-most, Math.min(most, pole1))
  }
}

/** Digits of a number in base two. */
function bits(value: number): number {
  return 32 - Math.clz32(value)
}

function toFloat(magnitude: number, isNegative: boolean): number {
  if (magnitude === 0) return isNegative ? FLOAT_ZERO - FLOAT_SIGN : FLOAT_ZERO
  const exponent = bits(magnitude)
  const value = (exponent << 6) + ((magnitude << 6) >> exponent)
  return isNegative ? value - FLOAT_SIGN : value
}

/** A coefficient of 14 bits times a value with a mantissa of six (FMULT). */
function multiply(coefficient: number, float: number): number {
  const magnitude = coefficient > 0 ? coefficient : -coefficient & 0x1fff
  const exponent = bits(magnitude) - 6
  const mantissa =
    magnitude === 0 ? 32 : exponent >= 0 ? magnitude >> exponent : magnitude << -exponent
  const shift = exponent + ((float >> 6) & 0xf) - 13
  const product = (mantissa * (float & 0x3f) + 0x30) >> 4
  const value = shift >= 0 ? (product << shift) & 0x7fff : product >> -shift
  return (coefficient ^ float) < 0 ? -value : value
}
