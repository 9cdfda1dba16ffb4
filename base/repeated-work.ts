import type { Clock, Timer } from './clock.ts'

/**
 * Work that is done at an interval and on demand, once at a time: whoever asks for it while it is done gets what is
 * under way. What fails at the interval is the work's own to tell.
 */
export class RepeatedWork<Result = void> {
  readonly #clock: Clock
  readonly #everyMs: number
  readonly #work: () => Promise<Result>
  #timer: Timer | undefined
  #running: Promise<Result> | undefined

  constructor(options: {
    readonly clock: Clock
    readonly everyMs: number
    readonly work: () => Promise<Result>
  }) {
    this.#clock = options.clock
    this.#everyMs = options.everyMs
    this.#work = options.work
  }

  /** First after one interval, or `atOnce` too. Idempotent. */
  start({ atOnce = false } = {}): void {
    if (this.#timer !== undefined) return
    const repeat = () => {
      this.run().catch(() => {})
    }
    this.#timer = this.#clock.every(this.#everyMs, repeat)
    if (atOnce) repeat()
  }

  /** Does it now, or joins what runs. Rejects as the work does. */
  run(): Promise<Result> {
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Does it no more at the interval. Idempotent. */
  stop(): void {
    this.#timer?.cancel()
  }

  /** Stops, and waits for what runs. Idempotent. */
  async close(): Promise<void> {
    this.stop()
    await this.#running?.catch(() => {})
  }
}
