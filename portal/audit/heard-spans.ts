import type { HeardSpan } from './ogg-times.ts'

/** Stretches so near to each other are one: a player asks for one after the other. */
const GAP_MS = 1000
/** Of somebody who jumps about more than this, the stretch from the first to the last is told. */
const MAX_SPANS = 200

/** What was heard of one recording: stretches in order, none of which touch. */
export class HeardSpans {
  #spans: HeardSpan[] = []

  add(span: HeardSpan): void {
    if (span.toMs <= span.fromMs) return
    const apart = (one: HeardSpan) =>
      one.toMs + GAP_MS < span.fromMs || span.toMs + GAP_MS < one.fromMs
    const touching = [span, ...this.#spans.filter((one) => !apart(one))]
    const merged = {
      fromMs: Math.min(...touching.map(({ fromMs }) => fromMs)),
      toMs: Math.max(...touching.map(({ toMs }) => toMs)),
    }
    this.#spans = [...this.#spans.filter(apart), merged].sort((a, b) => a.fromMs - b.fromMs)
    const [first] = this.#spans
    const last = this.#spans.at(-1)
    if (this.#spans.length > MAX_SPANS && first && last) {
      this.#spans = [{ fromMs: first.fromMs, toMs: last.toMs }]
    }
  }

  /** In whole seconds, begun ones included: `[[0, 34], [120, 181]]`. */
  get seconds(): readonly (readonly [from: number, to: number])[] {
    return this.#spans.map(({ fromMs, toMs }) => [
      Math.floor(fromMs / 1000),
      Math.ceil(toMs / 1000),
    ])
  }
}
