import { SAMPLES_PER_MS } from './sample-clock.ts'

/** A packet that comes so much later than the one before it promised, and more where packets jitter, may follow a pause. */
const HALT = 60 * SAMPLES_PER_MS
const HALT_JITTERS = 4
/** Before anything is known of its network, a leg is taken to jitter so much. */
const FIRST_JITTER = 20 * SAMPLES_PER_MS

/**
 * Tells where a sender may have stood still without saying so by numbers or timestamps, although what it sent after
 * would still fit where timestamps put it. All values are samples at 8 kHz.
 */
export class HaltDetector {
  #lastExcess = 0
  #jitter = FIRST_JITTER

  /** Takes note of how much later than its place the newest packet came. */
  observe(excess: number): void {
    this.#jitter += (Math.abs(excess - this.#lastExcess) - this.#jitter) / 16
    this.#lastExcess = excess
  }

  /** Whether a packet that comes so much later than its place may follow a pause. */
  isHalt(excess: number): boolean {
    return excess - this.#lastExcess >= HALT + HALT_JITTERS * this.#jitter
  }
}
