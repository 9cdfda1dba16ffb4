import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import type { Clock } from '../../base/clock.ts'
import { settledWithin } from '../../base/settled-within.ts'
import { messageOf } from '../../base/tallenne-error.ts'

export interface DiskThreadOptions {
  /** Compiled entry of the thread, which serves every port that it is sent; by default it serves a disk's orders. */
  readonly entry?: URL
  readonly name: string
  /** Little by default: files are written from what is sent to it. */
  readonly mostHeapMb?: number
  /** It has ended by itself, and why. */
  readonly onDied: (cause: string) => void
  readonly clock: Clock
}

const YOUNG_HEAP_MB = 8
const MOST_HEAP_MB = 64
const DISK_ENTRY = new URL('./disk-worker.js', import.meta.url)
const CLOSE_MS = 500

/** A thread that works on files and may hang with their disk. Owns the thread, and no client. */
export class DiskThread {
  readonly #worker: Worker
  readonly #clock: Clock
  #closed: Promise<boolean> | undefined

  constructor(options: DiskThreadOptions) {
    const { entry = DISK_ENTRY, name, mostHeapMb = MOST_HEAP_MB, onDied, clock } = options
    this.#clock = clock
    const resourceLimits = {
      maxYoungGenerationSizeMb: YOUNG_HEAP_MB,
      maxOldGenerationSizeMb: mostHeapMb,
    }
    this.#worker = new Worker(entry, { name, resourceLimits })
    this.#tellDeath(onDied)
  }

  /** The end of a connection for one client, which may be sent on to another thread. */
  connect(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    this.#worker.postMessage(port2, [port2])
    return port1
  }

  /** Ends the thread. False where it hangs with its disk, and the process cannot end in order. Idempotent. */
  close(): Promise<boolean> {
    this.#closed ??= settledWithin(this.#worker.terminate(), {
      clock: this.#clock,
      limitMs: CLOSE_MS,
    })
    return this.#closed
  }

  #tellDeath(onDied: (cause: string) => void): void {
    let thrown: unknown
    this.#worker.once('error', (error) => {
      thrown = error
    })
    this.#worker.once('exit', (code) => {
      if (this.#closed !== undefined) return
      onDied(thrown === undefined ? `it ended with code ${code}` : messageOf(thrown))
    })
  }
}
