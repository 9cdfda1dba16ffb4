/** Counts entries that are not done with, and tells when those of a moment are. */
export class JournalDepth {
  #depth = 0
  #settled = 0
  #waiters: { readonly settled: number; readonly resolve: () => void }[] = []

  get value(): number {
    return this.#depth
  }

  add(count: number): void {
    this.#depth += count
  }

  /** So many are done with, the oldest first. */
  settle(count: number): void {
    this.#settled += count
    this.#depth = Math.max(0, this.#depth - count)
    const waiters = this.#waiters
    this.#waiters = waiters.filter((waiter) => !this.#isDue(waiter.settled))
    for (const { settled, resolve } of waiters) if (this.#isDue(settled)) resolve()
  }

  /** Resolves when all that count now are done with; what comes meanwhile does not matter. */
  async drained(): Promise<void> {
    if (this.#depth === 0) return
    const settled = this.#settled + this.#depth
    await new Promise<void>((resolve) => {
      this.#waiters.push({ settled, resolve })
    })
  }

  #isDue(settled: number): boolean {
    return this.#depth === 0 || settled <= this.#settled
  }
}
