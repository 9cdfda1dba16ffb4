import { readdirSync, readFileSync } from 'node:fs'
import type { Clock } from '../base/clock.ts'

/** Descriptors kept for everything else: database, SIP, HTTP, the journal. */
const RESERVE = 128
const COUNT_EVERY_MS = 1000

export interface FileBudgetOptions {
  readonly clock: Clock
  /** The process's limit of open files; as the kernel tells it by default. */
  readonly limit?: number
  /** Counts what the process has open now. */
  readonly countOpen?: () => number
}

/**
 * Whether the process can open so many descriptors more, asked before a call is accepted: a recorder that runs out
 * of them breaks the calls that it already has.
 *
 * All threads share the limit, so what is open is counted anew, at most once a second; between two counts each
 * budget adds what it granted itself.
 */
export class FileBudget {
  readonly #clock: Clock
  readonly #limit: number
  readonly #countOpen: () => number
  #open = 0
  #countedAtMs = Number.NEGATIVE_INFINITY

  constructor(options: FileBudgetOptions) {
    this.#clock = options.clock
    this.#limit = options.limit ?? processFileLimit()
    this.#countOpen = options.countOpen ?? countOpenFiles
  }

  /** The process's limit of open files; without one where it has none. */
  get limit(): number {
    return this.#limit
  }

  /** Descriptors that can still be granted. */
  get left(): number {
    this.#count()
    return Math.max(0, this.#limit - RESERVE - this.#open)
  }

  /** Grants `count` descriptors, or refuses. What was granted needs no giving back. */
  grant(count: number): boolean {
    this.#count()
    if (this.#open + count + RESERVE > this.#limit) return false
    this.#open += count
    return true
  }

  #count(): void {
    const now = this.#clock.monotonicMs()
    if (now - this.#countedAtMs < COUNT_EVERY_MS) return
    this.#open = this.#countOpen()
    this.#countedAtMs = now
  }
}

/** The soft limit of open files (proc(5), `/proc/self/limits`); without one where it cannot be read. */
export function processFileLimit(): number {
  try {
    const line = /^Max open files\s+(\d+|unlimited)/m.exec(
      readFileSync('/proc/self/limits', 'utf8'),
    )
    return line?.[1] === undefined || line[1] === 'unlimited'
      ? Number.POSITIVE_INFINITY
      : Number(line[1])
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

function countOpenFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}
