import { isNearMiddle, offMiddle } from './packet-grid.ts'
import { SAMPLES_PER_MS } from './sample-clock.ts'

/** Overlaps up to this are errors of estimation; larger ones are real. */
export const SMALL_OVERLAP = 60 * SAMPLES_PER_MS

/**
 * A stretch of a leg in which position = timestamp + anchor.
 *
 * Until its first sample is taken an epoch may be moved; then it is settled. Where it is turned a little in its course,
 * to follow a clock, packets from before the turn keep the anchor that they had.
 */
export class Epoch {
  #zero: number | undefined
  #anchor: number | undefined
  #anchorBefore = 0
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

  /** The timeline's zero, from which the grid counts on which packets should begin. */
  alignTo(zero: number): void {
    this.#zero = zero
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
    this.#anchorBefore = this.#anchor ?? position - timestamp
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

  /** Where a packet stands that newer ones came before; where the epoch is not settled, it may begin with it. */
  positionOfStraggler(timestamp: number): number {
    const isOlder = timestamp < this.#anchorFrom && this.#isSettled
    return timestamp + (isOlder ? this.#anchorBefore : (this.#anchor ?? 0))
  }

  /** A packet from before its start was placed. */
  extendTo(position: number): void {
    if (!this.#isSettled && position < this.#start) this.#start = position
  }

  /** The position nearest to the one that is wanted at which no packet begins in the middle of a slot. */
  offMiddle(position: number, floor: number): number {
    return this.#zero === undefined ? position : offMiddle(position, { zero: this.#zero, floor })
  }

  isNearMiddle(position: number): boolean {
    return this.#zero !== undefined && isNearMiddle(position, this.#zero)
  }

  /** Where it starts if it is to start there: a small overlap with what is before it is none. */
  #startNear(wanted: number): number {
    const floor = this.#floor
    const isClamped = wanted < floor && floor - wanted <= SMALL_OVERLAP
    const start = isClamped ? floor : wanted
    return this.offMiddle(start, isClamped ? floor : wanted - SMALL_OVERLAP)
  }
}
