import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import type { Clock } from '../../base/clock.ts'
import { settledWithin } from '../../base/settled-within.ts'

export interface DiskThreadOptions {
  /** Compiled entry of the thread, which serves every port that it is sent. */
  readonly entry: URL
  readonly name: string
  readonly clock: Clock
}

/** A thread needs little: files are written from what is sent to it. */
const LIMITS = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 64 }
const CLOSE_MS = 500

/** A thread that works on files and may hang with their disk. Owns the thread, and no client. */
export class DiskThread {
  readonly #worker: Worker
  readonly #clock: Clock
  #closed: Promise<boolean> | undefined

  constructor({ entry, name, clock }: DiskThreadOptions) {
    this.#clock = clock
    this.#worker = new Worker(entry, { name, resourceLimits: LIMITS })
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
}
