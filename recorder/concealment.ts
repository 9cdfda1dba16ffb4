import { SAMPLES_PER_MS } from './sample-clock.ts'

const SHORTEST_PERIOD = 4 * SAMPLES_PER_MS
const LONGEST_PERIOD = 15 * SAMPLES_PER_MS
const TEMPLATE = 5 * SAMPLES_PER_MS
const FULL_UNTIL = 10 * SAMPLES_PER_MS
const SILENT_FROM = 40 * SAMPLES_PER_MS

/** Samples that must stand before a gap. */
export const CONCEALMENT_HISTORY = LONGEST_PERIOD + TEMPLATE

/**
 * Covers lost audio with the last pitch period before it, fading out within 40 ms (the simple form of ITU-T G.711
 * appendix I): no click for a lost packet, and never so much as a syllable that nobody said.
 */
export class Concealment {
  readonly #period = new Int16Array(LONGEST_PERIOD)
  #length = SHORTEST_PERIOD
  #filled = 0
  /** Where the gap that is being covered goes on, as a position. */
  #next: number | undefined

  /**
   * Fills `audio` from index `from` up to `to`. At least `CONCEALMENT_HISTORY` samples stand before `from`;
   * `position` is that of `from`, by which a gap that runs on from slot to slot is known again.
   */
  fill(audio: Int16Array, { from, to, position }: { from: number; to: number; position: number }) {
    if (position !== this.#next) this.#start(audio, from)
    for (let index = from; index < to; index++) {
      const sample = this.#period[this.#filled % this.#length] ?? 0
      audio[index] = Math.round(sample * gainAt(this.#filled))
      this.#filled++
    }
    this.#next = position + to - from
  }

  #start(audio: Int16Array, from: number): void {
    this.#length = pitchPeriod(audio, from)
    this.#period.set(audio.subarray(from - this.#length, from))
    this.#filled = 0
  }
}

function gainAt(filled: number): number {
  if (filled < FULL_UNTIL) return 1
  if (filled >= SILENT_FROM) return 0
  return (SILENT_FROM - filled) / (SILENT_FROM - FULL_UNTIL)
}

/** The lag at which the end of the audio before `end` resembles what is just before it most. */
function pitchPeriod(audio: Int16Array, end: number): number {
  let best = 0
  let period = LONGEST_PERIOD
  for (let lag = SHORTEST_PERIOD; lag <= LONGEST_PERIOD; lag++) {
    let product = 0
    let energy = 1
    for (let index = end - TEMPLATE; index < end; index++) {
      const earlier = audio[index - lag] ?? 0
      product += (audio[index] ?? 0) * earlier
      energy += earlier * earlier
    }
    const likeness = product <= 0 ? 0 : (product * product) / energy
    if (likeness > best) {
      best = likeness
      period = lag
    }
  }
  return period
}
