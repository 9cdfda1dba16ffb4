import type { Clock } from '../../base/clock.ts'
import type { DecodeJob } from './decode-job.ts'
import type { FilterKind } from './filter-kinds.ts'
import type { FilterProcess } from './filter-process.ts'
import type { FilterProcesses } from './filter-processes.ts'

export interface FilterFeedOptions {
  readonly kind: FilterKind
  readonly processes: FilterProcesses
  readonly clock: Clock
  /** Some jobs are done, or have failed. */
  readonly onSettled: () => void
}

/** Payloads that wait for their samples: 10 s of packets of 20 ms. */
const MOST_JOBS = 500
/** A payload that costs a second process its life is left out. */
const MOST_FEEDS = 2
/** A process that gives nothing for so long hangs. */
const HANGS_AFTER_MS = 1500
/** After so many processes that gave nothing, none is started for a while. */
const MOST_FAILURES = 3
const REST_MS = 10_000

/**
 * Feeds the payloads of one stream to a decoder process and gives each its samples: they come in the order of what was
 * fed, so many for each frame. A process that dies or hangs is replaced, and is fed again what it owed.
 */
export class FilterFeed {
  readonly kind: FilterKind
  readonly #options: FilterFeedOptions
  readonly #jobs: DecodeJob[] = []
  #process: FilterProcess | undefined
  /** The first byte of a sample that was cut in two. */
  #rest: number | undefined
  #failures = 0
  #restsUntilMs = Number.NEGATIVE_INFINITY
  #closing: Promise<void> | undefined

  constructor(options: FilterFeedOptions) {
    this.kind = options.kind
    this.#options = options
  }

  /** Takes a job; it is settled when `onSettled` is told, or at once where it cannot be decoded. */
  feed(job: DecodeJob): void {
    const nowMs = this.#options.clock.monotonicMs()
    if (this.#jobs.length >= MOST_JOBS || nowMs < this.#restsUntilMs || !this.#hand(job, nowMs)) {
      job.state = 'failed'
    }
  }

  /** Looks whether the process hangs. Called every batch. */
  watch(nowMs: number): void {
    const oldest = this.#jobs[0]
    if (oldest !== undefined && nowMs - oldest.fedAtMs > HANGS_AFTER_MS) this.#process?.kill()
  }

  /** Ends the process when it has given what it owes; resolves when it is gone. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    const process = this.#process
    if (process !== undefined) await this.#options.processes.end(process)
    this.#fail(this.#jobs.splice(0))
  }

  #hand(job: DecodeJob, nowMs: number, isRestart = false): boolean {
    this.#process ??= this.#start(isRestart)
    if (this.#process?.write(job.bytes) !== true) return false
    job.begin(nowMs)
    this.#jobs.push(job)
    return true
  }

  #start(isRestart: boolean): FilterProcess | undefined {
    if (this.#closing !== undefined) return undefined
    this.#rest = undefined
    const process: FilterProcess | undefined = this.#options.processes.start(
      {
        kind: this.kind,
        onSamples: (bytes) => {
          if (this.#process === process) this.#take(bytes)
        },
        onEnded: () => {
          if (this.#process === process) this.#ended()
        },
      },
      { isRestart },
    )
    return process
  }

  #take(bytes: Uint8Array): void {
    const samples = this.#wholeSamples(bytes)
    let at = 0
    while (at < samples.length) {
      const job = this.#jobs[0]
      if (job === undefined) {
        // More than it was fed: what comes next could not be told apart.
        this.#process?.kill()
        break
      }
      at += job.take(samples, at)
      if (job.state === 'done') {
        this.#jobs.shift()
        this.#failures = 0
      }
    }
    this.#options.onSettled()
  }

  #wholeSamples(bytes: Uint8Array): Int16Array {
    const rest = this.#rest
    const all = rest === undefined ? bytes : Buffer.concat([Uint8Array.of(rest), bytes])
    this.#rest = all.length % 2 === 1 ? all[all.length - 1] : undefined
    const samples = new Int16Array(Math.floor(all.length / 2))
    for (let index = 0; index < samples.length; index++) {
      samples[index] = (all[index * 2] ?? 0) | ((all[index * 2 + 1] ?? 0) << 8)
    }
    return samples
  }

  /** The process is gone: what it owed is fed to another, unless that has been tried. */
  #ended(): void {
    this.#process = undefined
    const owed = this.#jobs.splice(0)
    if (this.#closing !== undefined || owed.length === 0) {
      this.#fail(owed)
      return
    }
    const nowMs = this.#options.clock.monotonicMs()
    this.#failures++
    if (this.#failures >= MOST_FAILURES) {
      this.#failures = 0
      this.#restsUntilMs = nowMs + REST_MS
      this.#fail(owed)
      return
    }
    const lost = owed.filter((job) => job.feeds >= MOST_FEEDS || !this.#hand(job, nowMs, true))
    this.#fail(lost)
  }

  #fail(jobs: readonly DecodeJob[]): void {
    if (jobs.length === 0) return
    for (const job of jobs) job.state = 'failed'
    this.#options.onSettled()
  }
}
