import type { Clock } from '../base/clock.ts'
import { SAMPLES_PER_MS, SLOT_SAMPLES } from './sample-clock.ts'

/**
 * Where a recording lies on its engine's axis: from the answer, or from a few slots before it, up to the call's end;
 * and how far its slots were taken.
 */
export class RecordingSpan {
  /** Where the recording was opened. */
  readonly openedAt: number
  readonly #clock: Clock
  #answeredAtMs: number
  #answer: number | undefined
  #start: number | undefined
  #next = 0
  #end: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
    this.openedAt = this.#now()
    this.#answeredAtMs = clock.epochMs()
  }

  /** Position of the answer; undefined before it. */
  get answer(): number | undefined {
    return this.#answer
  }

  /** Position of the file's first sample; undefined before the answer. */
  get start(): number | undefined {
    return this.#start
  }

  /** Position of the next slot to be taken; 0 before the answer. */
  get next(): number {
    return this.#next
  }

  /** Position of the call's end; undefined while it runs. */
  get end(): number | undefined {
    return this.#end
  }

  /** The first sample's moment as epoch milliseconds; before the answer, when the recording was opened. */
  get startedAtMs(): number {
    return this.#answeredAtMs - ((this.#answer ?? 0) - (this.#start ?? 0)) / SAMPLES_PER_MS
  }

  /** What was taken so far. */
  get takenSamples(): number {
    return this.#start === undefined ? 0 : this.#next - this.#start
  }

  /** From the answer to the end; 0 where there was none of them. */
  get callSamples(): number {
    return this.#answer === undefined ? 0 : (this.#end ?? this.#answer) - this.#answer
  }

  /** The call was answered, at `earliest` at the earliest. Returns the position. */
  answerAt(answeredAtMs: number, earliest: number): number {
    const answer = Math.max(this.openedAt, this.positionOf(answeredAtMs), earliest)
    this.#answeredAtMs = answeredAtMs
    this.#answer = answer
    this.#start = answer
    this.#next = answer
    return answer
  }

  /** The call ended: never before the answer, nor after now. Returns the position. */
  endAt(endedAtMs: number): number {
    this.#end = Math.max(this.#answer ?? 0, Math.min(this.#now(), this.positionOf(endedAtMs)))
    return this.#end
  }

  /** Begins so many slots before the answer. Nothing was taken yet. */
  leadIn(slots: number): void {
    this.#next -= slots * SLOT_SAMPLES
    this.#start = this.#next
  }

  /** The next slot is taken. */
  step(): void {
    this.#next += SLOT_SAMPLES
  }

  /** The position of a moment given as epoch milliseconds, by the difference from now. */
  positionOf(epochMs: number): number {
    const agoMs = this.#clock.epochMs() - epochMs
    return Math.round((this.#clock.monotonicMs() - agoMs) * SAMPLES_PER_MS)
  }

  #now(): number {
    return Math.round(this.#clock.monotonicMs() * SAMPLES_PER_MS)
  }
}
