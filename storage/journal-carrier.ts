import type { Clock, Timer } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { applyRecords, type RejectedRecord } from './apply-journal.ts'
import { type Connection, databaseMessage } from './database.ts'
import type { JournalRecord } from './journal-record.ts'

const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 5000
/** A server that does not answer a batch for so long is given up, as one that is gone. */
const BATCH_TIMEOUT_MS = 20_000

export interface JournalCarrierOptions {
  /** Opens a connection; called again after each loss. */
  readonly connect: () => Promise<Connection>
  readonly clock: Clock
  readonly log: Log
}

/** Carries records to MariaDB over a connection of its own, again and again until it has them. */
export class JournalCarrier {
  readonly #connect: () => Promise<Connection>
  readonly #clock: Clock
  readonly #log: Log
  #connection: Connection | undefined
  #error: string | undefined
  #isClosed = false
  #stopWaiting = () => {}

  constructor({ connect, clock, log }: JournalCarrierOptions) {
    this.#connect = connect
    this.#clock = clock
    this.#log = log
  }

  /** Why the last attempt failed, or undefined when it did not. */
  get error(): string | undefined {
    return this.#error
  }

  /** Resolves with the records that are bad in themselves, or undefined when `close` came first. */
  async carry(records: readonly JournalRecord[]): Promise<readonly RejectedRecord[] | undefined> {
    for (let retryMs = FIRST_RETRY_MS; !this.#isClosed; ) {
      try {
        const rejected = await this.#attempt(records)
        if (this.#error !== undefined) this.#log.info('journal reaches the database again')
        this.#error = undefined
        return rejected
      } catch (error) {
        this.#lose(error)
        await this.#wait(retryMs)
        retryMs = Math.min(retryMs * 2, LAST_RETRY_MS)
      }
    }
    return undefined
  }

  /** Cuts off what is under way: applying it again is right. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopWaiting()
    const connection = this.#connection
    this.#connection = undefined
    connection?.destroy()
  }

  async #attempt(records: readonly JournalRecord[]) {
    this.#connection ??= await this.#connect()
    const connection = this.#connection
    const timeout = this.#clock.after(BATCH_TIMEOUT_MS, () => connection.destroy())
    try {
      return await applyRecords(connection, records)
    } finally {
      timeout.cancel()
    }
  }

  #lose(error: unknown): void {
    const reason = databaseMessage(error)
    if (this.#error === undefined && !this.#isClosed) {
      this.#log.warn({ reason }, 'journal waits for the database')
    }
    this.#error = reason
    this.#connection?.destroy()
    this.#connection = undefined
  }

  async #wait(delayMs: number): Promise<void> {
    if (this.#isClosed) return
    let timer: Timer | undefined
    await new Promise<void>((resolve) => {
      timer = this.#clock.after(delayMs, resolve)
      this.#stopWaiting = resolve
    })
    timer?.cancel()
  }
}
