import type { MessagePort } from 'node:worker_threads'
import type { Clock, Timer } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { RestartPauses } from '../base/restart-pauses.ts'
import type { DiskThread } from './disk/disk-thread.ts'

export interface JournalThreadOptions {
  /** Starts a thread that tells when it has died by itself. */
  readonly start: (onDied: (cause: string) => void) => DiskThread
  readonly clock: Clock
  readonly log: Log
}

/** Who uses the journal's thread. */
export interface JournalThreadUser {
  /** There is a thread, at the other end of the port. */
  readonly onStarted: (port: MessagePort) => void
  /** It has ended, and touches no file any more. Another one is on its way. */
  readonly onDied: (cause: string) => void
}

const LONGEST_PAUSE_MS = 10_000

/** The journal's thread: starts another one where it dies, at once at first and then after growing pauses. Owns it. */
export class JournalThread {
  readonly #options: JournalThreadOptions
  readonly #pauses: RestartPauses
  #user: JournalThreadUser | undefined
  #thread: DiskThread | undefined
  #restart: Timer | undefined
  #deaths = 0
  #closed: Promise<boolean> | undefined

  constructor(options: JournalThreadOptions) {
    this.#options = options
    this.#pauses = new RestartPauses({ clock: options.clock, longestMs: LONGEST_PAUSE_MS })
  }

  /** How often it has died. */
  get deaths(): number {
    return this.#deaths
  }

  /** Starts it for its user. */
  start(user: JournalThreadUser): void {
    this.#user = user
    this.#spawn()
  }

  /** Ends the pause before another thread is started. */
  hasten(): void {
    if (this.#restart !== undefined) this.#spawn()
  }

  /** False where it hangs with its disk, and the process cannot end in order. Idempotent. */
  close(): Promise<boolean> {
    this.#restart?.cancel()
    this.#closed ??= this.#thread?.close() ?? Promise.resolve(true)
    return this.#closed
  }

  #spawn(): void {
    this.#restart?.cancel()
    this.#restart = undefined
    this.#pauses.started()
    const thread = this.#options.start((cause) => this.#replace(cause))
    this.#thread = thread
    this.#user?.onStarted(thread.connect())
  }

  #replace(cause: string): void {
    if (this.#closed !== undefined) return
    const { clock, log } = this.#options
    this.#thread = undefined
    this.#deaths++
    const restartInMs = this.#pauses.died()
    log.error({ cause, restartInMs }, 'journal’s thread died')
    this.#user?.onDied(cause)
    if (restartInMs === 0) this.#spawn()
    else this.#restart = clock.after(restartInMs, () => this.#spawn())
  }
}
