import { SLOT_SAMPLES } from './sample-clock.ts'

/** Marks a sample that nothing was written to. G.711 never decodes to it. */
export const EMPTY = -32768

/** Where samples are read from. */
export interface SampleSource {
  readonly datagram: Uint8Array
  /** Where the first sample starts. */
  readonly offset: number
  /** Samples. */
  readonly length: number
  /** Linear value of each byte (G.711); undefined where samples are linear already, 16-bit little-endian. */
  readonly table: Int16Array | undefined
  /** Bytes from one linear sample to the next. */
  readonly stride: number
}

/** A linear sample; the one value that marks an empty place is moved by one. */
function linearSample({ datagram, offset, stride }: SampleSource, index: number): number {
  const at = offset + index * stride
  const value = (((datagram[at + 1] ?? 0) << 24) >> 16) | (datagram[at] ?? 0)
  return value === EMPTY ? EMPTY + 1 : value
}

/** One decoded sample. */
export function sampleAt(source: SampleSource, index: number): number {
  const { table } = source
  if (table === undefined) return linearSample(source, index)
  return table[source.datagram[source.offset + index] ?? 0] ?? 0
}

/** A second: half of it is held back, and a batch and what comes early are seldom more than the rest. */
const FIRST_SAMPLES = 8192

/**
 * A leg's decoded audio between the last slot that was taken and the newest packet, by position.
 *
 * Holds positions from `base` up to `limit`, and takes memory for a second of them until more is written ahead. What
 * was never written reads as `EMPTY`.
 */
export class SampleRing {
  readonly #mostSamples: number
  /** A power of two long. */
  #samples: Int16Array
  #mask: number
  #base: number
  /** One past the highest position written. */
  #end: number

  /** Grows up to `mostSamples`, a power of two. */
  constructor(base: number, mostSamples: number) {
    const first = Math.min(FIRST_SAMPLES, mostSamples)
    this.#mostSamples = mostSamples
    this.#samples = new Int16Array(first).fill(EMPTY)
    this.#mask = first - 1
    this.#base = base
    this.#end = base
  }

  /** The lowest position held: what is before it was taken. */
  get base(): number {
    return this.#base
  }

  /** One past the highest position written. */
  get end(): number {
    return this.#end
  }

  /** One past the highest position that can be written. */
  get limit(): number {
    return this.#base + this.#mostSamples
  }

  /**
   * Decodes `length` samples of `datagram`: bytes through `table`, or linear 16-bit ones where there is none. What
   * falls outside the ring is left out.
   */
  write(position: number, source: SampleSource): void {
    const { datagram, offset, length, table } = source
    this.#reach(position + length)
    const samples = this.#samples
    const mask = this.#mask
    const from = Math.max(0, this.#base - position)
    const to = Math.min(length, this.limit - position)
    // Positions may be beyond 32 bits, which would slow the loops.
    const start = position & mask
    if (table === undefined) {
      for (let index = from; index < to; index++) {
        samples[(start + index) & mask] = linearSample(source, index)
      }
    } else {
      for (let index = from; index < to; index++) {
        samples[(start + index) & mask] = table[datagram[offset + index] ?? 0] ?? 0
      }
    }
    if (to > from && position + to > this.#end) this.#end = position + to
  }

  /** Decodes all samples and stretches or squeezes them to `length`, by linear interpolation. */
  writeStretched(position: number, source: SampleSource, length: number): void {
    this.#reach(position + length)
    const samples = this.#samples
    const mask = this.#mask
    const from = Math.max(0, this.#base - position)
    const to = Math.min(length, this.limit - position)
    const pace = (source.length - 1) / (length - 1)
    for (let index = from; index < to; index++) {
      const at = index * pace
      const before = Math.floor(at)
      const first = sampleAt(source, before)
      const second = sampleAt(source, Math.min(before + 1, source.length - 1))
      samples[(position + index) & mask] = Math.round(first + (second - first) * (at - before))
    }
    if (to > from && position + to > this.#end) this.#end = position + to
  }

  /**
   * Moves the slot from `base` on into `slot`, and `base` past it. Returns its energy (sum of squares), or -1 where some
   * of it is empty.
   */
  take(slot: Int16Array): number {
    const samples = this.#samples
    const mask = this.#mask
    const start = this.#base & mask
    let energy = 0
    let isWhole = true
    for (let index = 0; index < SLOT_SAMPLES; index++) {
      const at = (start + index) & mask
      const sample = samples[at] ?? EMPTY
      samples[at] = EMPTY
      slot[index] = sample
      energy += sample * sample
      if (sample === EMPTY) isWhole = false
    }
    this.#base += SLOT_SAMPLES
    if (this.#end < this.#base) this.#end = this.#base
    return isWhole ? energy : -1
  }

  /** Sum of squares of the slot at a position; what is empty counts as silence. */
  energy(position: number): number {
    if (position >= this.#end) return 0
    const samples = this.#samples
    const mask = this.#mask
    const start = position & mask
    let sum = 0
    for (let index = 0; index < SLOT_SAMPLES; index++) {
      const sample = samples[(start + index) & mask] ?? EMPTY
      if (sample !== EMPTY) sum += sample * sample
    }
    return sum
  }

  /** Moves what stands in `from`…`to` earlier by `by` samples; what falls before `floor` or the base is lost. */
  moveEarlier(from: number, to: number, { by, floor }: { by: number; floor: number }): void {
    const samples = this.#samples
    const mask = this.#mask
    const lowest = Math.max(this.#base, floor)
    for (let at = Math.max(from, this.#base); at < to; at++) {
      const sample = samples[at & mask] ?? EMPTY
      if (sample === EMPTY) continue
      samples[at & mask] = EMPTY
      if (at - by >= lowest) samples[(at - by) & mask] = sample
    }
    if (to >= this.#end) this.#end = Math.max(this.#base, to - by)
  }

  /** Forgets what is before a position. */
  discardBefore(position: number): void {
    const count = position - this.#base
    if (count <= 0) return
    if (count >= this.#samples.length) {
      this.#samples.fill(EMPTY)
    } else {
      const mask = this.#mask
      for (let at = this.#base; at < position; at++) this.#samples[at & mask] = EMPTY
    }
    this.#base = position
    if (this.#end < position) this.#end = position
  }
  /** Takes as much memory as positions up to `end` need. */
  #reach(end: number): void {
    const needed = Math.min(end - this.#base, this.#mostSamples)
    if (needed <= this.#samples.length) return
    let size = this.#samples.length
    while (size < needed) size *= 2
    const grown = new Int16Array(size).fill(EMPTY)
    for (let at = this.#base; at < this.#end; at++) {
      grown[at & (size - 1)] = this.#samples[at & this.#mask] ?? EMPTY
    }
    this.#samples = grown
    this.#mask = size - 1
  }
}
