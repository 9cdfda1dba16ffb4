/** Samples at 8 kHz in which a minimum is searched: five seconds. */
const WINDOW_SAMPLES = 40_000
const FEWEST_PACKETS = 20
/** So much later than believed a window can make it: 2 ms in five seconds, twice what clocks 200 ppm apart do. */
const MOST_RISE = 16
/**
 * Watches how much later than its place each packet arrives. Jitter only ever adds to that, so the least of some
 * seconds tells where the leg stands against the engine's clock: it walks away from zero as two clocks drift apart.
 *
 * That packets come earlier is believed at once: nothing can come before it was sent. That they come later is believed
 * little by little, since a busy machine holds every packet of some seconds up, and that is no drift; what three
 * windows in a row say is believed, however much it is.
 *
 * All values are samples at 8 kHz.
 */
export class DelayWindow {
  #least = Number.POSITIVE_INFINITY
  #packets = 0
  #openedAt: number | undefined
  #offset = 0
  /** Of the last window, and of the one before it. */
  #leastBefore = Number.NEGATIVE_INFINITY
  #leastBeforeThat = Number.NEGATIVE_INFINITY

  /** How far the leg should be moved: positive where its audio stands too early. */
  get offset(): number {
    return this.#offset
  }

  observe(excess: number, arrivedAt: number): void {
    this.#openedAt ??= arrivedAt
    if (excess < this.#offset) this.#offset = excess
    if (excess < this.#least) this.#least = excess
    this.#packets++
    if (arrivedAt - this.#openedAt < WINDOW_SAMPLES || this.#packets < FEWEST_PACKETS) return
    const sure = Math.min(this.#least, this.#leastBefore, this.#leastBeforeThat)
    this.#offset = Math.max(sure, Math.min(this.#least, this.#offset + MOST_RISE))
    this.#leastBeforeThat = this.#leastBefore
    this.#leastBefore = this.#least
    this.#least = Number.POSITIVE_INFINITY
    this.#packets = 0
    this.#openedAt = arrivedAt
  }

  /** The leg was moved by so much. */
  moved(by: number): void {
    this.#offset -= by
    this.#least -= by
    this.#leastBefore -= by
    this.#leastBeforeThat -= by
  }

  /** The leg stands anew: what was observed says nothing any more. */
  reset(): void {
    this.#least = Number.POSITIVE_INFINITY
    this.#packets = 0
    this.#openedAt = undefined
    this.#offset = 0
    this.#leastBefore = Number.NEGATIVE_INFINITY
    this.#leastBeforeThat = Number.NEGATIVE_INFINITY
  }
}
