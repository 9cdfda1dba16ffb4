import type { Clock, Timer } from '../base/clock.ts'

interface Pending {
  atMs: number
  readonly everyMs: number | undefined
  readonly run: () => void
}

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  readonly #startMs: number
  readonly #pending = new Set<Pending>()
  #nowMs = 0

  constructor(startMs = Date.parse('2026-01-05T10:00:00.000Z')) {
    this.#startMs = startMs
  }

  epochMs(): number {
    return this.#startMs + this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, run: () => void): Timer {
    return this.#add({ atMs: this.#nowMs + delayMs, everyMs: undefined, run })
  }

  every(intervalMs: number, run: () => void): Timer {
    return this.#add({ atMs: this.#nowMs + intervalMs, everyMs: intervalMs, run })
  }

  /** Timers that are set. */
  get timers(): number {
    return this.#pending.size
  }

  /** Goes on by so much, running each timer at its own moment. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs
    for (;;) {
      const next = [...this.#pending]
        .filter((timer) => timer.atMs <= untilMs)
        .sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) break
      this.#nowMs = next.atMs
      if (next.everyMs === undefined) this.#pending.delete(next)
      else next.atMs += next.everyMs
      next.run()
    }
    this.#nowMs = untilMs
  }

  /** Goes on by so much while the thread is busy: timers that fall due run late, and once. */
  stall(forMs: number): void {
    this.#nowMs += forMs
    for (const timer of this.#pending) timer.atMs = Math.max(timer.atMs, this.#nowMs)
  }

  #add(timer: Pending): Timer {
    this.#pending.add(timer)
    return { cancel: () => this.#pending.delete(timer) }
  }
}
