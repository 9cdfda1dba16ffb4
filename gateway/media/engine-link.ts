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
  /** Handed over to the thread; absent where it writes no files. */
  readonly disk?: EngineDisk['disk'] | undefined
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
/** New calls go elsewhere long before that. */
const LATE_REPORT_MS = 3000
const LATE_BATCH_MS = 1000

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
  #nextId = 1
  #state: 'running' | 'closing' | 'dead' = 'running'
  #heardAtMs: number
  #lastReport: EngineReport | undefined
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
    const { disk } = options
    this.#worker = options.thread
    const setup: EngineSetup = { ...options.settings, ...(disk && { disk }) }
    this.#worker.postMessage(setup, disk === undefined ? [] : [disk.port])
    this.#worker.on('message', (message: EngineReply | EngineNotice) => this.#take(message))
    this.#worker.on('error', (error) => {
      this.#cause = messageOf(error)
      // It runs no more. That its thread is gone is known a tenth of a second later, in which its calls go unheard.
      this.#buried()
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

  /** Whether the engine keeps up: it reports in time, and its batches are not late beyond what it holds back. */
  get isKeepingUp(): boolean {
    const silentMs = this.#clock.monotonicMs() - this.#heardAtMs
    return silentMs < LATE_REPORT_MS && (this.#lastReport?.lagMs ?? 0) < LATE_BATCH_MS
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
    if (message.kind === 'report') {
      this.#lastReport = message
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

  #lookWhetherItHangs(): void {
    const silentMs = this.#clock.monotonicMs() - this.#heardAtMs
    if (silentMs < SILENCE_MS) return
    // When this thread itself was held up, reports wait unread in the port: they are taken before the next look.
    setImmediate(() => {
      if (this.#clock.monotonicMs() - this.#heardAtMs < SILENCE_MS) return
      this.#cause = `it said nothing for ${Math.round(silentMs)} ms`
      this.#end()
    })
  }

  #end(): void {
    void this.#worker.terminate()
  }

  #buried(): void {
    if (this.#state === 'dead') return
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
