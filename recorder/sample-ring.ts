import { SLOT_SAMPLES } from './sample-clock.ts'
import { type Density, lowerDensity, raiseDensity } from './sample-density.ts'
import { EMPTY, fitSamples, linearSample, type SampleSource } from './sample-source.ts'

/** 720 ms: half a second is held back, and a batch, a tick and a packet are seldom more than the rest. */
const FIRST_POSITIONS = 36 * SLOT_SAMPLES

/**
 * A leg's decoded audio between the last slot that was taken and the newest packet, by position.
 *
 * Holds positions from `base` up to `limit`, and takes memory for 720 ms of them until more is written ahead. What
 * was never written reads as `EMPTY`.
 *
 * Positions count samples at 8 kHz. For each there are `density` samples, as many as the densest source has of which
 * something is still held; what comes from others is interpolated.
 */
export class SampleRing {
  readonly #mostPositions: number
  #samples: Int16Array
  /** Positions that there is room for. */
  #size: number
  #density: Density = 1
  /** Up to here stands what is as dense as the ring. */
  #denseTo = Number.NEGATIVE_INFINITY
  /** Whether nothing of the slot that is being taken is empty. */
  #isWhole = true
  /** Of what was written last. */
  #newest: Density = 1
  #base: number
  /** One past the highest position written. */
  #end: number

  /** Grows up to `mostPositions`. */
  constructor(base: number, mostPositions: number) {
    const first = Math.min(FIRST_POSITIONS, mostPositions)
    this.#mostPositions = mostPositions
    this.#samples = new Int16Array(first).fill(EMPTY)
    this.#size = first
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
    return this.#base + this.#mostPositions
  }

  /** Samples for each position now. */
  get density(): Density {
    return this.#density
  }

  /**
   * Decodes a source: bytes through its table, or linear samples where it has none. What falls outside the ring is
   * left out.
   */
  write(position: number, source: SampleSource): void {
    const { datagram, offset, length, table, density } = source
    if (density !== 1 || this.#density !== 1) {
      this.writeStretched(position, source, length)
      return
    }
    this.#reach(position + length)
    const samples = this.#samples
    const from = Math.max(0, this.#base - position)
    const to = Math.min(length, this.limit - position)
    if (to <= from) return
    let at = this.#placeOf(position + from)
    for (let index = from; index < to; index++) {
      samples[at] =
        table === undefined
          ? linearSample(source, index)
          : (table[datagram[offset + index] ?? 0] ?? 0)
      if (++at === samples.length) at = 0
    }
    if (position + to > this.#end) this.#end = position + to
  }

  /** Decodes all samples and stretches or squeezes them to `length` positions, at the ring's density. */
  writeStretched(position: number, source: SampleSource, length: number): void {
    this.#reach(position + length)
    this.#newest = source.density
    if (source.density > this.#density) this.#thicken(source.density)
    const density = this.#density
    if (source.density === density) this.#denseTo = Math.max(this.#denseTo, position + length)
    const from = Math.max(0, this.#base - position)
    const to = Math.min(length, this.limit - position)
    const isAsItIs = source.density === density && source.length === length
    const fitted = isAsItIs ? undefined : fitSamples(source, length * density)
    if (to <= from) return
    const samples = this.#samples
    let at = this.#placeOf(position + from)
    for (let which = from * density; which < to * density; which++) {
      samples[at] = fitted === undefined ? linearSample(source, which) : (fitted[which] ?? 0)
      if (++at === samples.length) at = 0
    }
    if (position + to > this.#end) this.#end = position + to
  }

  /**
   * Moves the slot from `base` on into `slot`, which has room for it at the ring's density, and `base` past it. Returns
   * its energy (sum of squares, as if at 8 kHz), or -1 where some of it is empty.
   */
  take(slot: Int16Array): number {
    const start = this.#placeOf(this.#base)
    const first = Math.min(slot.length, this.#samples.length - start)
    this.#isWhole = true
    const energy = this.#takeRun(slot, 0, start, first) + this.#takeRun(slot, first, 0, slot.length)
    this.#moveBase(this.#base + SLOT_SAMPLES)
    return this.#isWhole ? energy / this.#density : -1
  }

  /** Moves a run that does not wrap into the slot's `from`…`to`; what it begins with stands at `start`. */
  #takeRun(slot: Int16Array, from: number, start: number, to: number): number {
    const samples = this.#samples
    let energy = 0
    for (let index = from, at = start; index < to; index++, at++) {
      const sample = samples[at] ?? EMPTY
      samples[at] = EMPTY
      slot[index] = sample
      energy += sample * sample
      if (sample === EMPTY) this.#isWhole = false
    }
    return energy
  }

  /** Reads one sample for each position from there on; what is empty or not held is 0. */
  peek(position: number, window: Int16Array): void {
    for (let index = 0; index < window.length; index++) {
      const at = position + index
      const isHeld = at >= this.#base && at < this.#end
      const sample = isHeld ? this.#samples[this.#placeOf(at)] : EMPTY
      window[index] = sample === EMPTY ? 0 : (sample ?? 0)
    }
  }

  /** Sum of squares of the slot at a position, as if at 8 kHz; what is empty counts as silence. */
  energy(position: number): number {
    if (position >= this.#end) return 0
    const size = this.#samples.length
    const start = this.#placeOf(position)
    const end = start + SLOT_SAMPLES * this.#density
    const energy = this.#energyOf(start, Math.min(end, size)) + this.#energyOf(0, end - size)
    return energy / this.#density
  }

  #energyOf(from: number, to: number): number {
    const samples = this.#samples
    let sum = 0
    for (let at = from; at < to; at++) {
      const sample = samples[at] ?? EMPTY
      if (sample !== EMPTY) sum += sample * sample
    }
    return sum
  }

  /** Moves what stands in `from`…`to` earlier by `by` positions; what falls before `floor` or the base is lost. */
  moveEarlier(from: number, to: number, { by, floor }: { by: number; floor: number }): void {
    const samples = this.#samples
    const density = this.#density
    const lowest = Math.max(this.#base, floor)
    for (let at = Math.max(from, this.#base); at < to; at++) {
      const [source, target] = [this.#placeOf(at), this.#placeOf(at - by)]
      for (let step = 0; step < density; step++) {
        const sample = samples[source + step] ?? EMPTY
        if (sample === EMPTY) continue
        samples[source + step] = EMPTY
        if (at - by >= lowest) samples[target + step] = sample
      }
    }
    if (to >= this.#end) this.#end = Math.max(this.#base, to - by)
  }

  /** Forgets what is before a position. */
  discardBefore(position: number): void {
    const count = position - this.#base
    if (count <= 0) return
    const samples = this.#samples
    const start = this.#placeOf(this.#base)
    const end = start + Math.min(count, this.#size) * this.#density
    samples.fill(EMPTY, start, end)
    samples.fill(EMPTY, 0, Math.max(0, end - samples.length))
    this.#moveBase(position)
  }

  #moveBase(base: number): void {
    this.#base = base
    if (this.#end < base) this.#end = base
  }

  /** Becomes as dense as what was written last, where nothing denser is held any more. Called before a slot is taken. */
  settleDensity(): void {
    if (this.#density === this.#newest || this.#base < this.#denseTo) return
    const factor = this.#density / this.#newest
    const thinned = new Int16Array(this.#samples.length / factor)
    lowerDensity(this.#samples, factor, thinned)
    this.#samples = thinned
    this.#density = this.#newest
    this.#denseTo = this.#end
  }

  /** Becomes denser. Runs of samples that are held are interpolated each for itself. */
  #thicken(density: Density): void {
    const factor = density / this.#density
    const old = this.#samples
    const size = old.length
    const thick = new Int16Array(size * factor).fill(EMPTY)
    for (let from = 0; from < size; from++) {
      if (old[from] === EMPTY) continue
      let to = from + 1
      while (to < size && old[to] !== EMPTY) to++
      raiseDensity(old.subarray(from, to), factor, thick.subarray(from * factor, to * factor))
      from = to
    }
    this.#samples = thick
    this.#density = density
  }

  /** Gives back what memory was taken for more than is held now. Called before a slot is taken. */
  settleSize(): void {
    if (this.#size > FIRST_POSITIONS && this.#end - this.#base < FIRST_POSITIONS / 2) {
      this.#resize(FIRST_POSITIONS)
    }
  }

  /** Takes as much memory as positions up to `end` need. */
  #reach(end: number): void {
    const needed = Math.min(end - this.#base, this.#mostPositions)
    if (needed <= this.#size) return
    let size = this.#size
    while (size < needed) size *= 2
    this.#resize(Math.min(size, this.#mostPositions))
  }

  /** Makes room for so many positions, of which no more are held. */
  #resize(size: number): void {
    const density = this.#density
    const old = this.#samples
    const samples = new Int16Array(size * density).fill(EMPTY)
    const from = this.#placeOf(this.#base)
    const held = (this.#end - this.#base) * density
    this.#samples = samples
    this.#size = size
    let at = this.#placeOf(this.#base)
    for (let index = 0; index < held; index++) {
      samples[at] = old[(from + index) % old.length] ?? EMPTY
      if (++at === samples.length) at = 0
    }
  }

  /** Where the first sample of a position stands. */
  #placeOf(position: number): number {
    const place = position % this.#size
    return (place < 0 ? place + this.#size : place) * this.#density
  }
}
