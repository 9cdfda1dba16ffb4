import type { Clock } from '../base/clock.ts'

export interface PortPoolOptions {
  /** First port of the range; RTP takes even ports and RTCP the one above (RFC 3550 §11). */
  readonly from: number
  /** Last port of the range. */
  readonly to: number
  /** How long a port rests after its release, so that a dead call's packets do not reach a living one. */
  readonly restMs: number
  readonly clock: Clock
  /** Where in the range to begin, 0 to just below 1. */
  readonly random?: () => number
}

/**
 * The even ports of one engine's range, handed out in turn from a random start, so that a port comes back as late
 * as can be, and never before it has rested.
 */
export class PortPool {
  readonly #clock: Clock
  readonly #restMs: number
  /** Free ports in the order in which they are handed out. */
  readonly #free: number[] = []
  /** Released ports, oldest first. */
  readonly #resting: { readonly port: number; readonly untilMs: number }[] = []
  readonly #size: number

  constructor(options: PortPoolOptions) {
    this.#clock = options.clock
    this.#restMs = options.restMs
    const ports: number[] = []
    for (let port = options.from + (options.from % 2); port + 1 <= options.to; port += 2) {
      ports.push(port)
    }
    const start = Math.floor((options.random ?? Math.random)() * ports.length)
    this.#free.push(...ports.slice(start), ...ports.slice(0, start))
    this.#size = ports.length
  }

  /** Pairs that are handed out. */
  get inUse(): number {
    return this.#size - this.#free.length - this.#resting.length
  }

  /** Pairs that were released and may not be handed out yet. */
  get resting(): number {
    this.#wake()
    return this.#resting.length
  }

  /** Pairs that can be handed out now. */
  get free(): number {
    this.#wake()
    return this.#free.length
  }

  /** An even port, or undefined while none is free. */
  take(): number | undefined {
    this.#wake()
    return this.#free.shift()
  }

  /** Gives a port back; it rests first. */
  release(port: number): void {
    this.#resting.push({ port, untilMs: this.#clock.monotonicMs() + this.#restMs })
  }

  #wake(): void {
    const now = this.#clock.monotonicMs()
    let rested = this.#resting[0]
    while (rested !== undefined && rested.untilMs <= now) {
      this.#free.push(rested.port)
      this.#resting.shift()
      rested = this.#resting[0]
    }
  }
}
