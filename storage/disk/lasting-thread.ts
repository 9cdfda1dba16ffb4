import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Clock, Timer } from '../../base/clock.ts'
import { RestartPauses } from '../../base/restart-pauses.ts'
import type { DiskThread } from './disk-thread.ts'

/** A thread ended by itself. */
export interface ThreadDeath {
  readonly cause: string
  /** When another one is started. */
  readonly restartInMs: number
}

export interface LastingThreadOptions {
  /** Starts a thread that tells when it has died by itself. */
  readonly start: (onDied: (cause: string) => void) => DiskThread
  /** Told before those that it serves. */
  readonly onDied: (death: ThreadDeath) => void
  readonly clock: Clock
}

/** Whom a thread serves. */
export interface ServedUser {
  /** There is a thread, at the other end of the port. */
  readonly onStarted: (port: MessagePort) => void
  /** It has ended, and touches no file any more. Another one is on its way. */
  readonly onDied: (cause: string) => void
}

const LONGEST_PAUSE_MS = 10_000

/**
 * A thread that works on files and is followed by another one where it dies, at once at first and then after growing
 * pauses. Owns the threads, and those whom they serve only where these have a connection.
 */
export class LastingThread {
  readonly #options: LastingThreadOptions
  readonly #pauses: RestartPauses
  readonly #users = new Set<ServedUser>()
  readonly #connections = new Set<MessagePort>()
  #thread: DiskThread | undefined
  #restart: Timer | undefined
  #deaths = 0
  #closed: Promise<boolean> | undefined

  constructor(options: LastingThreadOptions) {
    this.#options = options
    this.#pauses = new RestartPauses({ clock: options.clock, longestMs: LONGEST_PAUSE_MS })
  }

  /** How often it has died. */
  get deaths(): number {
    return this.#deaths
  }

  /** Has it serve one more user, and starts it for the first. */
  serve(user: ServedUser): void {
    this.#users.add(user)
    if (this.#thread !== undefined) user.onStarted(this.#thread.connect())
    else if (this.#restart === undefined) this.#spawn()
  }

  /**
   * A connection for one client, which may be sent on to another thread: a port by which there comes one to the thread,
   * and another one to each that takes its place. Whoever closes it is served no more.
   */
  connect(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    const user: ServedUser = {
      onStarted: (port) => port1.postMessage(port, [port]),
      onDied: () => {},
    }
    this.#connections.add(port1)
    port1.on('close', () => {
      this.#connections.delete(port1)
      this.#users.delete(user)
    })
    this.serve(user)
    return port2
  }

  /** Ends the pause before another thread is started. */
  hasten(): void {
    if (this.#restart !== undefined) this.#spawn()
  }

  /** False where it hangs with its disk, and the process cannot end in order. Idempotent. */
  close(): Promise<boolean> {
    this.#restart?.cancel()
    for (const connection of this.#connections) connection.close()
    this.#closed ??= this.#thread?.close() ?? Promise.resolve(true)
    return this.#closed
  }

  #spawn(): void {
    this.#restart?.cancel()
    this.#restart = undefined
    this.#pauses.started()
    const thread = this.#options.start((cause) => this.#replace(cause))
    this.#thread = thread
    for (const user of this.#users) user.onStarted(thread.connect())
  }

  #replace(cause: string): void {
    if (this.#closed !== undefined) return
    this.#thread = undefined
    this.#deaths++
    const restartInMs = this.#pauses.died()
    this.#options.onDied({ cause, restartInMs })
    for (const user of this.#users) user.onDied(cause)
    if (restartInMs === 0) this.#spawn()
    else this.#restart = this.#options.clock.after(restartInMs, () => this.#spawn())
  }
}
