import type { Clock, Timer } from '../base/clock.ts'
import { SLOT_MS } from './sample-clock.ts'

/** One turn of an engine's batch clock. */
export interface Batch {
  /** Monotonic milliseconds. */
  readonly nowMs: number
  /** How far the timeline may go: a tick behind now, or more while it catches up. */
  readonly timelineMs: number
  /** Which recordings are served in this turn, 0 to `PHASES` - 1. */
  readonly phase: number
  /** The timeline is so far behind that packets have been lost, or soon will be. */
  readonly isOverloaded: boolean
}

/** The timer's period. Each tick serves a fifth of the recordings, so each is served every 100 ms. */
const TICK_MS = SLOT_MS
export const PHASES = 5
/** The timeline catches up at three times its pace at most, so that sockets are read before slots are taken. */
const MOST_PER_TICK_MS = 3 * TICK_MS
const OVERLOAD_MS = 1000
/** To be held up for less is nothing beside the jitter of any network. */
const LEAST_HELD_UP_MS = 5

/**
 * The one timer of an engine, and the timeline's pace.
 *
 * The timeline goes up to what the tick before read of the clock, since sockets were read in between: however late a
 * tick comes, what has arrived by then is placed before its slots are taken.
 */
export class BatchClock {
  readonly #clock: Clock
  readonly #onBatch: (batch: Batch) => void
  #timer: Timer | undefined
  #timelineMs: number
  #tickedAtMs: number
  #ticks = 0
  #lagMs = 0
  /** How long the newest batch took. */
  #batchMs = 0
  #worstLagMs = 0

  constructor(clock: Clock, onBatch: (batch: Batch) => void) {
    this.#clock = clock
    this.#onBatch = onBatch
    this.#timelineMs = clock.monotonicMs()
    this.#tickedAtMs = this.#timelineMs
  }

  /** Idempotent. */
  start(): void {
    if (this.#timer !== undefined) return
    this.#timelineMs = this.#clock.monotonicMs()
    this.#tickedAtMs = this.#timelineMs
    this.#timer = this.#clock.every(TICK_MS, () => this.#tick())
  }

  close(): void {
    this.#timer?.cancel()
  }

  /** How late the timer was at worst since this was asked last, milliseconds. */
  takeWorstLagMs(): number {
    const worstMs = this.#worstLagMs
    this.#worstLagMs = 0
    return worstMs
  }

  /**
   * How long what is read now may have waited in its socket, milliseconds: nothing was read while the newest batch was
   * served, nor while the thread was kept from its timer.
   */
  get heldUpMs(): number {
    if (this.#timer === undefined) return 0
    const overdueMs = this.#clock.monotonicMs() - this.#tickedAtMs - TICK_MS
    const heldUpMs = Math.max(overdueMs, this.#lagMs, this.#batchMs)
    return heldUpMs < LEAST_HELD_UP_MS ? 0 : heldUpMs
  }

  #tick(): void {
    const nowMs = this.#clock.monotonicMs()
    this.#timelineMs = Math.min(this.#tickedAtMs, this.#timelineMs + MOST_PER_TICK_MS)
    this.#lagMs = nowMs - this.#tickedAtMs - TICK_MS
    this.#worstLagMs = Math.max(this.#worstLagMs, this.#lagMs)
    this.#tickedAtMs = nowMs
    this.#onBatch({
      nowMs,
      timelineMs: this.#timelineMs,
      phase: this.#ticks++ % PHASES,
      isOverloaded: nowMs - this.#timelineMs > OVERLOAD_MS,
    })
    this.#batchMs = this.#clock.monotonicMs() - nowMs
  }
}
