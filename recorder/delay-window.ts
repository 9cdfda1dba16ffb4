/**
 * Samples at 8 kHz in which a minimum is searched: twenty seconds, in which clocks 200 ppm apart walk 4 ms. A busy
 * machine holds every packet of some seconds up, and that is no drift.
 */
const WINDOW_SAMPLES = 160_000
const FEWEST_PACKETS = 20

/**
 * Watches how much later than its place each packet arrives. Jitter only ever adds to that, so the least of many
 * seconds tells where the leg stands against the engine's clock: it walks away from zero as two clocks drift apart.
 *
 * All values are samples at 8 kHz.
 */
export class DelayWindow {
  #least = Number.POSITIVE_INFINITY
  #packets = 0
  #openedAt: number | undefined
  #offset = 0

  /**
   * How far the leg should be moved: positive where its audio stands too early. 0 until a window is full.
   */
  get offset(): number {
    return this.#offset
  }

  observe(excess: number, arrivedAt: number): void {
    this.#openedAt ??= arrivedAt
    if (excess < this.#least) this.#least = excess
    this.#packets++
    if (arrivedAt - this.#openedAt < WINDOW_SAMPLES || this.#packets < FEWEST_PACKETS) return
    this.#offset = this.#least
    this.#least = Number.POSITIVE_INFINITY
    this.#packets = 0
    this.#openedAt = arrivedAt
  }

  /** The leg was moved by so much. */
  moved(by: number): void {
    this.#offset -= by
    this.#least -= by
  }

  /** The leg stands anew: what was observed says nothing any more. */
  reset(): void {
    this.#least = Number.POSITIVE_INFINITY
    this.#packets = 0
    this.#openedAt = undefined
    this.#offset = 0
  }
}
