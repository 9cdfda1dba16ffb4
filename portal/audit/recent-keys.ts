import type { Clock } from '../../base/clock.ts'

export interface RecentKeysOptions {
  readonly clock: Clock
  readonly keptMs: number
  /** More than this are not remembered: the oldest are forgotten first. */
  readonly most: number
}

/** What was seen in the last while. */
export class RecentKeys {
  readonly #options: RecentKeysOptions
  /** When each was last added, the oldest first. */
  readonly #seenAtMs = new Map<string, number>()

  constructor(options: RecentKeysOptions) {
    this.#options = options
  }

  get isFull(): boolean {
    this.#forget()
    return this.#seenAtMs.size >= this.#options.most
  }

  has(key: string): boolean {
    this.#forget()
    return this.#seenAtMs.has(key)
  }

  add(key: string): void {
    this.#seenAtMs.delete(key)
    this.#seenAtMs.set(key, this.#options.clock.monotonicMs())
    this.#forget()
  }

  /** Adds it, and tells whether it was there. */
  touch(key: string): boolean {
    const isKnown = this.has(key)
    this.add(key)
    return isKnown
  }

  #forget(): void {
    const { clock, keptMs, most } = this.#options
    const oldestMs = clock.monotonicMs() - keptMs
    for (const [key, atMs] of this.#seenAtMs) {
      if (atMs > oldestMs && this.#seenAtMs.size <= most) return
      this.#seenAtMs.delete(key)
    }
  }
}
