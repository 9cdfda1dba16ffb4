import type { Density } from '../sample-density.ts'
import type { PayloadDecoder } from './payload-decoder.ts'

/** 200 ms at 48 kHz. */
const MOST_SAMPLES = 9600
/** What each density stands for, hertz. */
const RATE_OF_ONE = 8000
/** Less than a millisecond is some senders' comfort noise. */
const LEAST_UNITS = 8

/**
 * Linear 16-bit samples, most significant byte first, channels interleaved (L16, RFC 3551 §4.5.11). Several channels
 * are heard as one. What is not sampled at 8, 16 or 48 kHz is interpolated to the next of these.
 */
export class LinearDecoder implements PayloadDecoder {
  readonly density: Density
  readonly delay = 0
  readonly #samples = new Int16Array(MOST_SAMPLES)
  readonly bytes = new Uint8Array(this.#samples.buffer)
  readonly #clockRate: number
  readonly #channels: number

  constructor(clockRate: number, channels: number) {
    this.#clockRate = clockRate
    this.#channels = channels
    this.density = clockRate <= 8000 ? 1 : clockRate <= 16_000 ? 2 : 6
  }

  decode(datagram: Uint8Array, offset: number, length: number): number {
    const count = Math.floor(length / (2 * this.#channels))
    // Rounded down, so that no packet reaches beyond the next one's timestamp.
    const units = Math.floor((count * RATE_OF_ONE) / this.#clockRate)
    const wanted = units * this.density
    if (wanted > MOST_SAMPLES) return -1
    if (units < LEAST_UNITS) return 0
    const samples = this.#samples
    if (wanted === count) {
      for (let index = 0; index < count; index++) {
        samples[index] = this.#sampleAt(datagram, offset, index)
      }
      return units
    }
    const pace = count / wanted
    for (let index = 0; index < wanted; index++) {
      const at = index * pace
      const before = Math.floor(at)
      const first = this.#sampleAt(datagram, offset, before)
      const second = this.#sampleAt(datagram, offset, Math.min(before + 1, count - 1))
      samples[index] = Math.round(first + (second - first) * (at - before))
    }
    return units
  }

  #sampleAt(datagram: Uint8Array, offset: number, index: number): number {
    const channels = this.#channels
    const at = offset + index * 2 * channels
    let sum = 0
    for (let channel = 0; channel < channels; channel++) {
      const high = datagram[at + channel * 2] ?? 0
      sum += ((high << 24) >> 16) | (datagram[at + channel * 2 + 1] ?? 0)
    }
    return channels === 1 ? sum : Math.round(sum / channels)
  }
}
