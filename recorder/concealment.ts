/** Samples at 8 kHz over which the sound before a gap fades out: 2.5 ms. */
const FADE_SAMPLES = 20

/** A gap in samples that are `density` times as many as at 8 kHz. */
interface Gap {
  readonly from: number
  readonly to: number
  /** Of `from`, at 8 kHz. */
  readonly position: number
  readonly density: number
}

/**
 * Fills lost audio: the sound before the gap, mirrored, fades out within 2.5 ms, and the rest is silence.
 *
 * A telephone would go on for 60 ms with what was said last (ITU-T G.711 appendix I). In a recording, sound that was
 * made up is worse than a hole: it cannot be told from what was said, and where it meets the real sound again out of
 * phase it makes that harder to understand. Cut off hard, on the other hand, the gap would click.
 */
export class Concealment {
  #filled = 0
  /** Where the gap that is being filled goes on, as a position. */
  #next: number | undefined

  /**
   * Fills `audio` from index `from` up to `to`. At least 2.5 ms stand before the gap; by its position a gap that runs
   * on from slot to slot is known again.
   */
  fill(audio: Int16Array, { from, to, position, density }: Gap): void {
    if (position !== this.#next) this.#filled = 0
    this.#next = position + (to - from) / density
    const fade = FADE_SAMPLES * density
    for (let index = from; index < to; index++) {
      const filled = this.#filled++
      const gain = (fade - filled) / (fade + 1)
      audio[index] = filled < fade ? Math.round((audio[index - 2 * filled - 1] ?? 0) * gain) : 0
    }
  }
}
