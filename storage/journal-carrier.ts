import type { Clock, Timer } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { applyRecords, type RejectedRecord } from './apply-journal.ts'
import { type Connection, databaseMessage } from './database.ts'
import { type DatabaseFault, databaseFault } from './database-fault.ts'
import type { JournalRecord } from './journal-record.ts'
import { SuspectBatch } from './suspect-batch.ts'

const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 5000
/** A server that does not answer a batch for so long is given up, as one that is gone. */
const BATCH_TIMEOUT_MS = 20_000
/** Rows that somebody else holds are waited for in short turns, so that a wait is not taken for a server that hangs. */
const LOCK_WAIT_S = 5

/** Changes nothing, and needs a server that takes changes. */
const PROBE = 'UPDATE schema_migrations SET name = name ORDER BY version LIMIT 1'

/** Why entries are not applied now. */
export interface CarrierFault {
  readonly fault: DatabaseFault
  /** As the server said it. */
  readonly reason: string
  readonly sinceMs: number
}

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
  #fault: CarrierFault | undefined
  #isClosed = false
  #stopWaiting = () => {}

  constructor({ connect, clock, log }: JournalCarrierOptions) {
    this.#connect = connect
    this.#clock = clock
    this.#log = log
  }

  /** Why the last attempt failed, or undefined when it did not. */
  get fault(): CarrierFault | undefined {
    return this.#fault
  }

  /** Resolves with the records that are bad in themselves, or undefined when `close` came first. */
  async carry(records: readonly JournalRecord[]): Promise<readonly RejectedRecord[] | undefined> {
    const suspect = new SuspectBatch(records, this.#clock)
    for (let retryMs = FIRST_RETRY_MS; !this.#isClosed; ) {
      try {
        const rejected = suspect.isSuspect
          ? await suspect.sift({
              apply: (part) => this.#attempt(part),
              probe: async () => {
                await this.#try((connection) => connection.query(PROBE))
              },
            })
          : await this.#attempt(records)
        if (this.#fault !== undefined) this.#log.info('journal reaches the database again')
        this.#fault = undefined
        return rejected
      } catch (error) {
        suspect.failed(this.#lose(error))
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

  #attempt(records: readonly JournalRecord[]) {
    return this.#try((connection) => applyRecords(connection, records))
  }

  /** Does one thing on the connection; one that fails or hangs costs the connection. */
  async #try<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    this.#connection ??= await this.#open()
    const connection = this.#connection
    let hasHung = false
    const timeout = this.#clock.after(BATCH_TIMEOUT_MS, () => {
      hasHung = true
      connection.destroy()
    })
    try {
      return await work(connection)
    } catch (error) {
      this.#connection = undefined
      connection.destroy()
      throw hasHung ? new HungServer(error) : error
    } finally {
      timeout.cancel()
    }
  }

  async #open(): Promise<Connection> {
    const connection = await this.#connect()
    try {
      await connection.query(`SET SESSION innodb_lock_wait_timeout = ${LOCK_WAIT_S}`)
      return connection
    } catch (error) {
      connection.destroy()
      throw error
    }
  }

  #lose(error: unknown): DatabaseFault {
    const hasHung = error instanceof HungServer
    const fault = hasHung ? 'hung' : databaseFault(error)
    const reason = hasHung ? error.message : databaseMessage(error)
    if (this.#fault?.fault !== fault && !this.#isClosed) {
      this.#log.warn({ fault, reason }, 'journal waits for the database')
    }
    const sinceMs = this.#fault?.sinceMs ?? this.#clock.epochMs()
    this.#fault = { fault, reason, sinceMs }
    return fault
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

/** The connection stands, and nothing comes. */
class HungServer extends Error {
  constructor(cause: unknown) {
    super(`the server did not answer within ${BATCH_TIMEOUT_MS / 1000} s`, { cause })
    this.name = 'HungServer'
  }
}
