/** Samples over which the sound before a gap fades out: 2.5 ms. */
const FADE_SAMPLES = 20

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
   * Fills `audio` from index `from` up to `to`. At least 20 samples stand before the gap; `position` is that of
   * `from`, by which a gap that runs on from slot to slot is known again.
   */
  fill(audio: Int16Array, gap: { from: number; to: number; position: number }): void {
    const { from, to, position } = gap
    if (position !== this.#next) this.#filled = 0
    this.#next = position + to - from
    for (let index = from; index < to; index++) {
      audio[index] = this.#filled < FADE_SAMPLES ? this.#mirrored(audio, index) : 0
      this.#filled++
    }
  }

  #mirrored(audio: Int16Array, index: number): number {
    const filled = this.#filled
    const gain = (FADE_SAMPLES - filled) / (FADE_SAMPLES + 1)
    return Math.round((audio[index - 2 * filled - 1] ?? 0) * gain)
  }
}
