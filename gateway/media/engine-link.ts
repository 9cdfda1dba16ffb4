import type { Worker } from 'node:worker_threads'
import type { Clock, Timer } from '../../base/clock.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import type {
  EngineNotice,
  EngineReply,
  EngineReport,
  EngineRequest,
  EngineSettings,
  ForkConnected,
  ForkEnded,
  PausesChanged,
  RecordingStopped,
} from '../../recorder/engine-protocol.ts'
import { EngineCapacity } from './engine-capacity.ts'
import type { EngineDisk, EngineSetup } from './engine-disk.ts'

type WithoutId<Request> = Request extends { readonly requestId: number }
  ? Omit<Request, 'requestId'>
  : never

/** A request as its sender writes it; the link numbers it. */
export type EngineOrder = WithoutId<EngineRequest>

/** What an engine says of a fork by itself. */
export type ForkNotice = ForkConnected | ForkEnded

export interface EngineLinkOptions {
  readonly settings: EngineSettings
  /** A thread that waits to be set up. */
  readonly thread: Worker
  /** Of what the thread logs. */
  readonly logLevel: string
  /** Handed over to the thread, which waits for the disk itself where it has none. */
  readonly disk?: EngineDisk['disk'] | undefined
  /** Load, 0 to 1, beyond which it takes no more. */
  readonly mostLoad?: number | undefined
  /** How many recordings it has been given. */
  readonly recordings: () => number
  readonly clock: Clock
  readonly onReport: (report: EngineReport) => void
  readonly onFork: (notice: ForkNotice) => void
  readonly onStopped: (notice: RecordingStopped) => void
  readonly onPausesChanged: (notice: PausesChanged) => void
  /** Told once, after every pending request was rejected. Not told for a thread that `close` ended. */
  readonly onDeath: (cause: string) => void
}

interface Waiting {
  readonly resolve: (reply: EngineReply) => void
  readonly reject: (error: TallenneError) => void
}

/** An engine reports once a second; one that is silent for so long hangs and is ended. */
const SILENCE_MS = 15_000
/** Before its first word it loads, which takes long on a machine that does much else. */
const LONGEST_START_MS = 60_000
/** New calls go elsewhere long before that. */
const LATE_REPORT_MS = 3000
const LATE_BATCH_MS = 1000
const BUSY_REPORTS = 3
/** An engine that was too busy takes calls again when it is so much less. */
const RELIEF = 0.9

/**
 * One engine thread seen from the main thread: sends requests, matches replies by number, and notices when the
 * thread dies or hangs. Owns the thread.
 */
export class EngineLink {
  readonly settings: EngineSettings
  readonly #worker: Worker
  readonly #clock: Clock
  readonly #onReport: (report: EngineReport) => void
  readonly #onFork: (notice: ForkNotice) => void
  readonly #onStopped: (notice: RecordingStopped) => void
  readonly #onPausesChanged: (notice: PausesChanged) => void
  readonly #onDeath: (cause: string) => void
  readonly #waiting = new Map<number, Waiting>()
  readonly #watch: Timer
  readonly #mostLoad: number
  readonly #recordings: () => number
  readonly #capacity = new EngineCapacity()
  #nextId = 1
  #state: 'running' | 'closing' | 'dead' = 'running'
  #heardAtMs: number
  #hasSpoken = false
  #lastReport: EngineReport | undefined
  /** Reports in a row of too much load. */
  #busyReports = 0
  #isBusy = false
  #cause = 'the thread ended by itself'

  constructor(options: EngineLinkOptions) {
    this.settings = options.settings
    this.#clock = options.clock
    this.#onReport = options.onReport
    this.#onFork = options.onFork
    this.#onStopped = options.onStopped
    this.#onPausesChanged = options.onPausesChanged
    this.#onDeath = options.onDeath
    this.#heardAtMs = options.clock.monotonicMs()
    this.#mostLoad = options.mostLoad ?? 1
    this.#recordings = options.recordings
    const { disk, logLevel } = options
    this.#worker = options.thread
    const setup: EngineSetup = { ...options.settings, logLevel, ...(disk && { disk }) }
    this.#worker.postMessage(setup, disk === undefined ? [] : [disk.ports])
    this.#worker.on('message', (message: EngineReply | EngineNotice) => this.#take(message))
    this.#worker.on('error', (error) => {
      this.#cause = messageOf(error)
    })
    this.#worker.on('messageerror', (error) => {
      this.#cause = messageOf(error)
      this.#end()
    })
    this.#worker.on('exit', () => this.#buried())
    this.#watch = options.clock.every(SILENCE_MS / 3, () => this.#lookWhetherItHangs())
  }

  /** The engine's newest report; undefined before the first. */
  get report(): EngineReport | undefined {
    return this.#lastReport
  }

  /**
   * Whether the engine would keep up with one more recording: it reports in time, its batches are not late beyond what
   * it holds back, and it would not be too busy with its encoders at the least complexity.
   */
  get takesMore(): boolean {
    const silentMs = this.#clock.monotonicMs() - this.#heardAtMs
    const lagMs = this.#lastReport?.lagMs ?? 0
    const isInTime = silentMs < LATE_REPORT_MS && lagMs < LATE_BATCH_MS
    const load = this.#capacity.loadOf(this.#recordings() + 1)
    return isInTime && !this.#isBusy && load <= this.#mostLoad
  }

  /** How much of what it may do it could do besides, 1 to 0. */
  get headroom(): number {
    if (!this.takesMore) return 0
    const load = Math.max(
      this.#lastReport?.leastLoad ?? 0,
      this.#capacity.loadOf(this.#recordings()),
    )
    return Math.max(0, 1 - load / this.#mostLoad)
  }

  /** Rejects with a `TallenneError`: the engine's own refusal code, or `engine_failed` where the thread is gone. */
  request(order: EngineOrder): Promise<EngineReply> {
    if (this.#state === 'dead') return Promise.reject(this.#gone())
    const requestId = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(requestId, { resolve, reject })
      this.#worker.postMessage({ ...order, requestId })
    })
  }

  /** Asks the thread to close every recording and end, and ends it by force after `withinMs`. Idempotent. */
  async close(withinMs: number): Promise<void> {
    if (this.#state !== 'running') return
    this.#state = 'closing'
    this.#watch.cancel()
    const deadline = this.#clock.after(withinMs, () => this.#end())
    await this.request({ kind: 'shutdown' }).catch(() => undefined)
    deadline.cancel()
    await this.#worker.terminate()
  }

  #take(message: EngineReply | EngineNotice): void {
    this.#heardAtMs = this.#clock.monotonicMs()
    this.#hasSpoken = true
    if (message.kind === 'report') {
      this.#lastReport = message
      this.#judgeLoad(message)
      this.#capacity.learn(message)
      this.#onReport(message)
      return
    }
    if (message.kind === 'forkConnected' || message.kind === 'forkEnded') {
      this.#onFork(message)
      return
    }
    if (message.kind === 'recordingStopped') {
      this.#onStopped(message)
      return
    }
    if (message.kind === 'pausesChanged') {
      this.#onPausesChanged(message)
      return
    }
    const waiting = this.#waiting.get(message.requestId)
    if (waiting === undefined) return
    this.#waiting.delete(message.requestId)
    if (message.kind === 'refused') {
      waiting.reject(new TallenneError(message.code, message.message))
      return
    }
    waiting.resolve(message)
  }

  /** A busy second may be chance. */
  #judgeLoad({ leastLoad }: EngineReport): void {
    this.#busyReports = leastLoad > this.#mostLoad ? this.#busyReports + 1 : 0
    if (this.#busyReports >= BUSY_REPORTS) this.#isBusy = true
    else if (leastLoad < this.#mostLoad * RELIEF) this.#isBusy = false
  }

  #lookWhetherItHangs(): void {
    const silentMs = this.#clock.monotonicMs() - this.#heardAtMs
    if (silentMs < this.#longestSilenceMs) return
    // When this thread itself was held up, reports wait unread in the port: they are taken before the next look.
    setImmediate(() => {
      if (this.#clock.monotonicMs() - this.#heardAtMs < this.#longestSilenceMs) return
      this.#cause = `it said nothing for ${Math.round(silentMs)} ms`
      this.#end()
    })
  }

  get #longestSilenceMs(): number {
    return this.#hasSpoken ? SILENCE_MS : LONGEST_START_MS
  }

  #end(): void {
    void this.#worker.terminate()
  }

  #buried(): void {
    const wasRunning = this.#state === 'running'
    this.#state = 'dead'
    this.#watch.cancel()
    for (const waiting of this.#waiting.values()) waiting.reject(this.#gone())
    this.#waiting.clear()
    if (wasRunning) this.#onDeath(this.#cause)
  }

  #gone(): TallenneError {
    return new TallenneError(
      'engine_failed',
      `engine ${this.settings.engineIndex} is gone: ${this.#cause}`,
    )
  }
}
