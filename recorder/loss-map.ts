import type { LossSpan } from './recording-plan.ts'
import { SAMPLES_PER_MS } from './sample-clock.ts'

/** Spans on one channel that are closer than this are told as one. */
const JOIN_SAMPLES = 20 * SAMPLES_PER_MS
const MOST_SPANS = 1000
/** Spans that are kept while the call runs; beyond that the shortest half is forgotten. */
const MOST_KEPT = 2 * MOST_SPANS

interface Kept {
  from: number
  /** One past the last lost sample. */
  to: number
  /** Lost samples within: less than the span where spans were joined. */
  lost: number
}

/** Which stretches of a recording's two channels were lost, and how much in all. */
export class LossMap {
  readonly #channels: readonly [Kept[], Kept[]] = [[], []]
  readonly #lost: [number, number] = [0, 0]
  #longest = 0

  /** Lost samples of a channel. */
  lostSamples(channel: 0 | 1): number {
    return this.#lost[channel]
  }

  /** Lost milliseconds of both channels together. */
  get lostMs(): number {
    return Math.round((this.#lost[0] + this.#lost[1]) / SAMPLES_PER_MS)
  }

  /** The longest single span, milliseconds. */
  get longestMs(): number {
    return this.#longest / SAMPLES_PER_MS
  }

  add(channel: 0 | 1, from: number, length: number): void {
    const spans = this.#channels[channel]
    this.#lost[channel] += length
    const last = spans.at(-1)
    if (last !== undefined && from >= last.from && from - last.to <= JOIN_SAMPLES) {
      last.to = Math.max(last.to, from + length)
      last.lost += length
      this.#longest = Math.max(this.#longest, last.lost)
      return
    }
    this.#longest = Math.max(this.#longest, length)
    spans.push({ from, to: from + length, lost: length })
    if (spans.length > MOST_KEPT) this.#forgetShortest(channel)
  }

  /** At most 1000 spans, the longest, in order of time, as seen from the position at which the recording starts. */
  spans(start: number): readonly LossSpan[] {
    const all = ([0, 1] as const).flatMap((channel) =>
      this.#channels[channel].map(({ from, to }) => ({
        channel,
        fromMs: Math.round((from - start) / SAMPLES_PER_MS),
        lengthMs: Math.max(1, Math.round((to - from) / SAMPLES_PER_MS)),
      })),
    )
    return all
      .sort((a, b) => b.lengthMs - a.lengthMs)
      .slice(0, MOST_SPANS)
      .sort((a, b) => a.fromMs - b.fromMs || a.channel - b.channel)
  }

  #forgetShortest(channel: 0 | 1): void {
    const spans = this.#channels[channel]
    const kept = [...spans].sort((a, b) => b.to - b.from - (a.to - a.from)).slice(0, MOST_SPANS)
    kept.sort((a, b) => a.from - b.from)
    spans.splice(0, spans.length, ...kept)
  }
}
