import type { Clock } from '../base/clock.ts'

/** How long a stream was to be heard: from the answer to the end, without the time in which its offer was inactive. */
export class ReceivingTime {
  readonly #clock: Clock
  #isReceiving: boolean
  #totalMs = 0
  #sinceMs: number | undefined

  constructor(clock: Clock, isReceiving: boolean) {
    this.#clock = clock
    this.#isReceiving = isReceiving
  }

  /** Milliseconds; exact after `stop`. */
  get totalMs(): number {
    return this.#totalMs
  }

  start(): void {
    this.#sinceMs = this.#clock.monotonicMs()
  }

  stop(): void {
    if (this.#sinceMs === undefined) return
    if (this.#isReceiving) this.#totalMs += this.#clock.monotonicMs() - this.#sinceMs
    this.#sinceMs = undefined
  }

  /** A re-offer says whether the stream is active from now on. */
  update(isReceiving: boolean): void {
    const wasRunning = this.#sinceMs !== undefined
    this.stop()
    this.#isReceiving = isReceiving
    if (wasRunning) this.start()
  }
}
