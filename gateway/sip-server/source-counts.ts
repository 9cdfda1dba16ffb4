/** How many of something each source has, up to a bound. */
export class SourceCounts {
  readonly #most: number
  readonly #counts = new Map<string, number>()

  constructor(most: number) {
    this.#most = most
  }

  /** False where the source has as many as it may. */
  add(source: string): boolean {
    const count = this.#counts.get(source) ?? 0
    if (count >= this.#most) return false
    this.#counts.set(source, count + 1)
    return true
  }

  remove(source: string): void {
    const left = (this.#counts.get(source) ?? 0) - 1
    if (left > 0) this.#counts.set(source, left)
    else this.#counts.delete(source)
  }
}
