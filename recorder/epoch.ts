import { SAMPLES_PER_MS } from './sample-clock.ts'

/** Overlaps up to this are errors of estimation; larger ones are real. */
export const SMALL_OVERLAP = 60 * SAMPLES_PER_MS

/**
 * A stretch of a leg in which position = timestamp + anchor.
 *
 * Until its first sample is taken an epoch may be moved; then it is settled. Packets from before its beginning, or from
 * before it was turned a little in its course to follow a clock, keep the anchor that they had.
 */
export class Epoch {
  #anchor: number | undefined
  /** What was in force before, for timestamps below `#anchorFrom`; undefined where nothing was. */
  #anchorBefore: number | undefined
  #anchorFrom = Number.NEGATIVE_INFINITY
  #start = 0
  #floor = Number.NEGATIVE_INFINITY
  #isSettled = false

  /** Undefined while there is none. */
  get anchor(): number | undefined {
    return this.#anchor
  }

  /** Position of its first sample. */
  get start(): number {
    return this.#start
  }

  /** Where what was before it ends: nothing of it stands earlier. */
  get floor(): number {
    return this.#floor
  }

  get isSettled(): boolean {
    return this.#isSettled
  }

  /** Begins with a timestamp near a position, behind what ends at `floor`. Returns the anchor. */
  begin(timestamp: number, { near, floor }: { near: number; floor: number }): number {
    this.#floor = floor
    this.#start = this.#startNear(near)
    this.#isSettled = false
    return this.turn(timestamp, this.#start)
  }

  /** From this timestamp on audio stands there. Returns the anchor. */
  turn(timestamp: number, position: number): number {
    this.#anchorBefore = this.#anchor
    this.#anchorFrom = timestamp
    this.#anchor = position - timestamp
    return this.#anchor
  }

  /** From now on it stays where it is. */
  settle(): void {
    this.#isSettled = true
  }

  /** There is none until the next `begin`. */
  end(): void {
    this.#anchor = undefined
  }

  /** How much earlier it can begin, where that much is wanted. */
  roomFor(by: number): number {
    return this.#start - this.#startNear(this.#start - by)
  }

  moveEarlier(by: number): void {
    this.#anchor = (this.#anchor ?? 0) - by
    this.#start -= by
  }

  /** Where a packet stands that newer ones came before. */
  positionOfStraggler(timestamp: number): number {
    return timestamp + (this.#earlierAnchor(timestamp) ?? this.#anchor ?? 0)
  }

  /** A straggler was placed there. Where it is the first of an epoch that is not settled, the epoch begins with it. */
  extendTo(timestamp: number, position: number): void {
    if (this.#isSettled || this.#earlierAnchor(timestamp) !== undefined) return
    this.#start = Math.min(this.#start, position)
  }

  #earlierAnchor(timestamp: number): number | undefined {
    return timestamp < this.#anchorFrom ? this.#anchorBefore : undefined
  }

  /** Where it starts if it is to start there: a small overlap with what is before it is none. */
  #startNear(wanted: number): number {
    const floor = this.#floor
    return wanted < floor && floor - wanted <= SMALL_OVERLAP ? floor : wanted
  }
}
