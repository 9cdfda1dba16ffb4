import type { Clock } from '../../base/clock.ts'
import type { FileBudget } from '../file-budget.ts'
import { FilterProcess, type FilterProcessOptions } from './filter-process.ts'

export interface FilterProcessesOptions {
  /** Most at a time. */
  readonly most: number
  readonly files: FileBudget
  readonly clock: Clock
}

/** What operations watch of decoder processes. */
export interface FilterCounters {
  started: number
  /** Ended without having been told to. */
  died: number
  /** Started in the place of one that died. */
  restarted: number
  /** Not started: too many run, or the process is near its limit of open files. */
  refused: number
}

/** Pipes for input, output and errors. */
const FILES_PER_PROCESS = 3

/**
 * The decoder processes of one engine: starts them within a budget and counts what becomes of them. Owns those that
 * run; whoever started one closes it, and `close` ends what is left.
 */
export class FilterProcesses {
  readonly counters: FilterCounters = { started: 0, died: 0, restarted: 0, refused: 0 }
  readonly #options: FilterProcessesOptions
  readonly #running = new Set<FilterProcess>()
  readonly #ending = new WeakSet<FilterProcess>()
  #isClosed = false

  constructor(options: FilterProcessesOptions) {
    this.#options = options
  }

  get running(): number {
    return this.#running.size
  }

  /** Starts a process; undefined where there is no room. `isRestart` where one died before it. */
  start(
    options: Omit<FilterProcessOptions, 'clock'>,
    { isRestart = false } = {},
  ): FilterProcess | undefined {
    const { most, files, clock } = this.#options
    if (this.#isClosed || this.#running.size >= most || !files.grant(FILES_PER_PROCESS)) {
      this.counters.refused++
      return undefined
    }
    this.counters.started++
    if (isRestart) this.counters.restarted++
    const process: FilterProcess = new FilterProcess({
      ...options,
      clock,
      onEnded: (reason) => {
        this.#running.delete(process)
        if (!this.#ending.has(process)) this.counters.died++
        options.onEnded(reason)
      },
    })
    this.#running.add(process)
    return process
  }

  /** Ends one in order; resolves when it is gone. */
  end(process: FilterProcess): Promise<void> {
    this.#ending.add(process)
    return process.close()
  }

  /** Ends all. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#running].map((process) => this.end(process)))
  }
}
