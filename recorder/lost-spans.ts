interface Span {
  readonly from: number
  readonly to: number
}

const MOST = 64

/** Stretches ahead of a leg's base for which packets are missing so far. Some may still come. */
export class LostSpans {
  #spans: Span[] = []

  add(from: number, to: number): void {
    if (this.#spans.length === MOST) this.#spans.shift()
    this.#spans.push({ from, to })
  }

  /** Moves those that begin at or after `from` earlier. */
  moveEarlier(from: number, by: number): void {
    this.#spans = this.#spans.map((span) =>
      span.from >= from ? { from: span.from - by, to: span.to - by } : span,
    )
  }

  /** Whether the position is lost, and up to where that holds. */
  at(position: number): { readonly isLost: boolean; readonly until: number } {
    let until = Number.POSITIVE_INFINITY
    for (const span of this.#spans) {
      if (span.from <= position && position < span.to) return { isLost: true, until: span.to }
      if (span.from > position) until = Math.min(until, span.from)
    }
    return { isLost: false, until }
  }

  forgetBefore(position: number): void {
    if (this.#spans.length > 0) this.#spans = this.#spans.filter((span) => span.to > position)
  }
}
