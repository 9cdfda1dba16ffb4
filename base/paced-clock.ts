import type { Clock, Timer } from './clock.ts'

/** Another clock's time, going so many times as fast from now on. */
export class PacedClock implements Clock {
  readonly #clock: Clock
  readonly #pace: number
  readonly #epochMs: number
  readonly #monotonicMs: number

  constructor(clock: Clock, pace: number) {
    this.#clock = clock
    this.#pace = pace
    this.#epochMs = clock.epochMs()
    this.#monotonicMs = clock.monotonicMs()
  }

  epochMs(): number {
    return this.epochAt(this.#clock.epochMs())
  }

  monotonicMs(): number {
    return this.monotonicAt(this.#clock.monotonicMs())
  }

  /** What this clock shows when the other shows `epochMs`. */
  epochAt(epochMs: number): number {
    return this.#epochMs + (epochMs - this.#epochMs) * this.#pace
  }

  /** The same for monotonic time. */
  monotonicAt(monotonicMs: number): number {
    return this.#monotonicMs + (monotonicMs - this.#monotonicMs) * this.#pace
  }

  after(delayMs: number, run: () => void): Timer {
    return this.#clock.after(delayMs / this.#pace, run)
  }

  every(intervalMs: number, run: () => void): Timer {
    return this.#clock.every(intervalMs / this.#pace, run)
  }
}
