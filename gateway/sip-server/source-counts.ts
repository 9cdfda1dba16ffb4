/** How many of something each source has. Sources are keys of `sourceKey`. */
export class SourceCounts {
  readonly #counts = new Map<string, number>()

  of(source: string): number {
    return this.#counts.get(source) ?? 0
  }

  add(source: string): void {
    this.#counts.set(source, this.of(source) + 1)
  }

  remove(source: string): void {
    const left = this.of(source) - 1
    if (left > 0) this.#counts.set(source, left)
    else this.#counts.delete(source)
  }
}
