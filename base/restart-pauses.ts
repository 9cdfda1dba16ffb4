import type { Clock } from './clock.ts'

/** What has lived so long is well. */
const STEADY_MS = 30_000
const FIRST_MS = 500

/** How long to wait before something that died is started again: not at all at first, then longer each time. */
export class RestartPauses {
  readonly #clock: Clock
  readonly #longestMs: number
  #startedAtMs = 0
  /** Deaths in a row without `STEADY_MS` between them. */
  #deaths = 0

  constructor({ clock, longestMs }: { readonly clock: Clock; readonly longestMs: number }) {
    this.#clock = clock
    this.#longestMs = longestMs
  }

  started(): void {
    this.#startedAtMs = this.#clock.monotonicMs()
  }

  /** It died: tells the pause, milliseconds. */
  died(): number {
    const wasSteady = this.#clock.monotonicMs() - this.#startedAtMs > STEADY_MS
    this.#deaths = wasSteady ? 1 : this.#deaths + 1
    return this.#deaths === 1 ? 0 : Math.min(this.#longestMs, FIRST_MS * 2 ** (this.#deaths - 1))
  }
}
