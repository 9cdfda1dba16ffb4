import { Worker } from 'node:worker_threads'
import type { Clock, Timer } from '../../base/clock.ts'

/** When an engine died, those that took its calls over need the machine more than the next spare. */
const NEXT_SPARE_MS = 2000
/**
 * Nearly all that an engine allocates is a datagram, and is garbage at once. V8 would let 48 MB of that pile up before it
 * looks, with the datagrams' own memory outside the heap; to look six times as often costs little where little survives.
 */
const LIMITS = { maxYoungGenerationSizeMb: 8 }

/**
 * Threads for engines. One is always there that has loaded everything and waits: to start one takes longer than
 * callers should go unheard when an engine dies. Owns the thread that waits; the others are whose they are given to.
 */
export class EngineThreads {
  readonly #entry: URL
  readonly #clock: Clock
  #spare: Worker | undefined
  #next: Timer | undefined
  #isClosed = false

  /** `entry` is the compiled entry of a thread. */
  constructor(entry: URL, clock: Clock) {
    this.#entry = entry
    this.#clock = clock
  }

  /** Loads a thread that waits. */
  keepSpare(): void {
    if (this.#isClosed || this.#spare !== undefined) return
    const spare = this.#start('engine-spare')
    this.#spare = spare
    spare.once('error', () => {
      // It ends, and the next engine that dies waits for a new thread.
    })
    spare.once('exit', () => {
      if (this.#spare === spare) this.#spare = undefined
    })
  }

  /** A thread that waits to be set up: the spare one, or else a new one of this name. */
  take(name: string): Worker {
    this.#next?.cancel()
    this.#next = this.#clock.after(NEXT_SPARE_MS, () => this.keepSpare())
    const spare = this.#spare
    if (spare === undefined) return this.#start(name)
    this.#spare = undefined
    spare.removeAllListeners()
    return spare
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#next?.cancel()
    await this.#spare?.terminate()
  }

  #start(name: string): Worker {
    return new Worker(this.#entry, { name, resourceLimits: LIMITS })
  }
}
