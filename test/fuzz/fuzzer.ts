import { Random } from '../random.ts'
import type { Coverage } from './coverage.ts'
import { mutate } from './mutate.ts'
import type { FuzzRun, FuzzTarget } from './target.ts'

/** What one input did that it must not. */
export interface Fault {
  readonly input: Uint8Array
  /** Where and what, so that the same fault is told once. */
  readonly key: string
  readonly stack: string
}

export interface FuzzerEvents {
  /** The input is being taken from now on. */
  readonly onTaking: (input: Uint8Array) => void
  readonly onFault: (fault: Fault) => void
  /** The input did something new. */
  readonly onKept: (input: Uint8Array) => void
}

const FIRST_BATCH = 16
const LARGEST_BATCH = 1024
/** An input that takes so long again and again is a fault, even on a machine that does much else. */
const SLOW_MS = 2_000
const SLOW_TIMES = 3

/**
 * Looks for inputs that break a target: mutates what is known to do something, and keeps what does something new.
 *
 * Asking V8 what has run takes milliseconds, so that batches are asked about, and a batch with news is run again in
 * halves until the inputs that bring them are found.
 */
export class Fuzzer {
  readonly #target: FuzzTarget
  readonly #run: FuzzRun
  readonly #coverage: Coverage
  readonly #events: FuzzerEvents
  readonly #random: Random
  readonly #words: readonly Uint8Array[]
  readonly #pool: Uint8Array[] = []
  readonly #faults = new Set<string>()
  #executions = 0

  constructor(options: {
    readonly target: FuzzTarget
    readonly run: FuzzRun
    readonly coverage: Coverage
    readonly seed: number
    readonly events: FuzzerEvents
  }) {
    this.#target = options.target
    this.#run = options.run
    this.#coverage = options.coverage
    this.#events = options.events
    this.#random = new Random(options.seed)
    this.#words = (options.target.words ?? []).map((word) => Buffer.from(word, 'latin1'))
  }

  get executions(): number {
    return this.#executions
  }

  /** Inputs that are mutated. */
  get poolSize(): number {
    return this.#pool.length
  }

  /** Takes seeds and corpus, all of which are kept for mutation. */
  async begin(inputs: readonly Uint8Array[]): Promise<void> {
    for (const input of inputs) {
      this.#pool.push(input)
      await this.#take(input)
    }
    this.#coverage.hasNews({ keep: true })
  }

  /** Goes on until `isOver`. */
  async search(isOver: () => boolean): Promise<void> {
    if (this.#pool.length === 0) this.#pool.push(new Uint8Array(0))
    for (let size = FIRST_BATCH; !isOver(); ) {
      const batch: Uint8Array[] = []
      for (let count = 0; count < size && !isOver(); count += 1) {
        const input = this.#next()
        batch.push(input)
        await this.#take(input)
      }
      if (this.#coverage.hasNews({ keep: false })) {
        await this.#findNews(batch, isOver)
        size = FIRST_BATCH
      } else {
        size = Math.min(LARGEST_BATCH, size * 2)
      }
    }
  }

  #next(): Uint8Array {
    // The youngest half is where the news are.
    const { length } = this.#pool
    const from = this.#random.next(2) === 0 ? Math.floor(length / 2) : 0
    const parent = this.#pool[from + this.#random.next(length - from)] ?? new Uint8Array(0)
    return mutate(parent, {
      random: this.#random,
      others: this.#pool,
      words: this.#words,
      maxBytes: this.#target.maxBytes,
    })
  }

  async #findNews(batch: readonly Uint8Array[], isOver: () => boolean): Promise<void> {
    if (isOver()) return
    for (const input of batch) await this.#take(input)
    const [only] = batch
    if (batch.length === 1 && only !== undefined) {
      if (!this.#coverage.hasNews({ keep: true })) return
      this.#pool.push(only)
      this.#events.onKept(only)
      return
    }
    if (!this.#coverage.hasNews({ keep: false })) return
    const middle = batch.length >> 1
    await this.#findNews(batch.slice(0, middle), isOver)
    await this.#findNews(batch.slice(middle), isOver)
  }

  async #take(input: Uint8Array): Promise<void> {
    this.#executions += 1
    this.#events.onTaking(input)
    const fault = await this.#faultOf(input)
    if (fault === undefined || this.#faults.has(fault.key)) return
    this.#faults.add(fault.key)
    this.#events.onFault(fault)
  }

  async #faultOf(input: Uint8Array): Promise<Fault | undefined> {
    try {
      for (let times = 1; ; times += 1) {
        const startedMs = performance.now()
        // A copy, since some targets work in the memory that they are given.
        const pending = this.#run.take(Uint8Array.from(input))
        if (pending !== undefined) await pending
        if (performance.now() - startedMs < SLOW_MS) return undefined
        if (times === SLOW_TIMES)
          return { input, key: 'slow', stack: `slow: ${SLOW_MS} ms and more` }
      }
    } catch (error) {
      return faultOf(input, error)
    }
  }
}

/** The same fault has the same error at the same place. */
export function faultOf(input: Uint8Array, error: unknown): Fault {
  const stack = (error instanceof Error ? error.stack : undefined) ?? String(error)
  const place = /\n\s+at .*?([\w./-]+:\d+):\d+\)?/.exec(stack)?.[1] ?? ''
  const name = error instanceof Error ? error.name : 'thrown'
  return { input, key: `${name} at ${place}`, stack }
}
