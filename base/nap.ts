import type { Clock, Timer } from './clock.ts'

/** Lets a loop sleep until there is work. A call of `wake` while it works is not forgotten. */
export class Nap {
  readonly #clock: Clock
  #isWoken = false
  #end = () => {}

  constructor(clock: Clock) {
    this.#clock = clock
  }

  wake(): void {
    this.#isWoken = true
    this.#end()
  }

  /** What comes from now on wakes the next `sleep`. */
  rise(): void {
    this.#isWoken = false
  }

  /** Resolves at `wake`, at once where that came already, or after so many milliseconds. */
  async sleep(atMostMs?: number): Promise<void> {
    if (this.#isWoken) return
    let timer: Timer | undefined
    await new Promise<void>((resolve) => {
      this.#end = resolve
      if (atMostMs !== undefined) timer = this.#clock.after(atMostMs, resolve)
    })
    timer?.cancel()
  }
}
