/**
 * Interarrival jitter (RFC 3550 §6.4.1 and appendix A.8), in samples.
 *
 * Not fed by telephone-events, whose timestamps stand still, and restarted where a stream pauses or jumps.
 */
export class JitterEstimator {
  #transit: number | undefined
  #jitter = 0

  /** The estimate in timestamp units. */
  get samples(): number {
    return this.#jitter
  }

  /** Both in samples at the stream's clock rate; `timestamp` may be extended. */
  observe(arrivedAt: number, timestamp: number): void {
    const transit = arrivedAt - timestamp
    if (this.#transit !== undefined) {
      this.#jitter += (Math.abs(transit - this.#transit) - this.#jitter) / 16
    }
    this.#transit = transit
  }

  /** The next packet is not compared with the last. The estimate stays. */
  interrupt(): void {
    this.#transit = undefined
  }
}
