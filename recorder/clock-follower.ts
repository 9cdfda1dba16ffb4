import { DelayWindow } from './delay-window.ts'
import { SAMPLES_PER_MS } from './sample-clock.ts'

/** What a leg is off by up to 2 ms is left alone, from there to 5 ms corrected where it is quiet, beyond that anywhere. */
const IDLE = 2 * SAMPLES_PER_MS
const URGENT = 5 * SAMPLES_PER_MS
const QUIET_STEP = 5 * SAMPLES_PER_MS
/** In speech one sample in 100 ms: six times what 200 ppm need. The further off, the oftener, whatever packets' length. */
const STRETCH_EVERY = 100 * SAMPLES_PER_MS
const FAR = 10 * SAMPLES_PER_MS
const STRETCH_FAR_EVERY = 40 * SAMPLES_PER_MS
/** Further off legs are out of step: one sample in 10 ms, a fifth of a semitone, until they are not. */
const VERY_FAR = 20 * SAMPLES_PER_MS
const STRETCH_VERY_FAR_EVERY = 10 * SAMPLES_PER_MS

/**
 * Follows a sender whose clock drifts against ours, so that its leg stays in step with the other for hours: the whole
 * correction in a pause, some of it in a quiet packet, and in speech a sample now and then.
 *
 * Steps are samples at 8 kHz by which all that follows is placed later, or earlier where they are negative.
 */
export class ClockFollower {
  readonly #delay = new DelayWindow()
  #sinceStretch = 0
  #slack = 0

  /** Lets a leg be off by so many samples more before anything is done about it. */
  allow(slack: number): void {
    this.#slack = slack
  }

  /**
   * Takes note of a packet, and tells whether the leg is off by more than can be left alone. `excess` is how much
   * later than its place the packet arrived; both are samples at 8 kHz.
   */
  isOff(excess: number, arrivedAt: number): boolean {
    this.#delay.observe(excess, arrivedAt)
    return Math.abs(this.#delay.offset) > IDLE + this.#slack
  }

  /** The step at the end of a pause of so many samples. */
  pauseStep(gap: number): number {
    return Math.max(this.#offset, -gap)
  }

  /** The step before a quiet packet. */
  quietStep(): number {
    const offset = this.#offset
    return Math.sign(offset) * Math.min(Math.abs(offset), QUIET_STEP)
  }

  /** By how many samples a packet of speech is stretched, or squeezed where they are negative: mostly none. */
  stretch(length: number): number {
    const offset = this.#offset
    const size = Math.abs(offset)
    const every = stretchEvery(size)
    this.#sinceStretch = Math.min(this.#sinceStretch, every) + length
    if (size <= URGENT) return 0
    const steps = Math.floor(this.#sinceStretch / every)
    this.#sinceStretch -= steps * every
    return Math.sign(offset) * steps
  }

  /** The leg was moved by so much. */
  moved(by: number): void {
    this.#delay.moved(by)
  }

  /** The leg stands anew. */
  reset(): void {
    this.#delay.reset()
  }

  get #offset(): number {
    return Math.round(this.#delay.offset)
  }
}

/** A sample in so many, for a leg that is off by so much. */
function stretchEvery(size: number): number {
  if (size > VERY_FAR) return STRETCH_VERY_FAR_EVERY
  return size > FAR ? STRETCH_FAR_EVERY : STRETCH_EVERY
}
