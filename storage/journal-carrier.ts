import type { Clock, Timer } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { applyRecords, type RejectedRecord } from './apply-journal.ts'
import { type Connection, databaseMessage } from './database.ts'
import { type DatabaseFault, databaseFault } from './database-fault.ts'
import type { JournalRecord } from './journal-record.ts'
import { SuspectBatch } from './suspect-batch.ts'

const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 5000
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

/** Opens a connection that is cut when the server says nothing for so long; called again after each loss. */
export type ConnectInTime = (options: { readonly answerWithinMs: number }) => Promise<Connection>

export interface JournalCarrierOptions {
  readonly connect: ConnectInTime
  readonly clock: Clock
  readonly log: Log
  /** A server that does not answer a batch for so long is given up, as one that is gone. */
  readonly answerWithinMs: number
  /** A batch that fails for so long, without a word of why it might pass, is searched for a record that is to blame. */
  readonly suspectAfterMs: number
}

/** Carries records to MariaDB over a connection of its own, again and again until it has them. */
export class JournalCarrier {
  readonly #connect: ConnectInTime
  readonly #clock: Clock
  readonly #log: Log
  readonly #answerWithinMs: number
  readonly #suspectAfterMs: number
  #connection: Connection | undefined
  #fault: CarrierFault | undefined
  #isClosed = false
  #stopWaiting = () => {}
  #noteClosed = () => {}
  readonly #whenClosed = new Promise<undefined>((resolve) => {
    this.#noteClosed = () => resolve(undefined)
  })

  constructor(options: JournalCarrierOptions) {
    this.#connect = options.connect
    this.#clock = options.clock
    this.#log = options.log
    this.#answerWithinMs = options.answerWithinMs
    this.#suspectAfterMs = options.suspectAfterMs
  }

  /** Why the last attempt failed, or undefined when it did not. */
  get fault(): CarrierFault | undefined {
    return this.#fault
  }

  /** Resolves with the records that are bad in themselves, or undefined when `close` came first. */
  carry(records: readonly JournalRecord[]): Promise<readonly RejectedRecord[] | undefined> {
    // The driver gives nothing up of a connection to a server that hangs.
    return Promise.race([this.#carry(records), this.#whenClosed])
  }

  /** Cuts off what is under way: applying it again is right. Idempotent. */
  close(): void {
    this.#isClosed = true
    this.#stopWaiting()
    this.#noteClosed()
    this.#connection?.destroy()
    this.#connection = undefined
  }

  async #carry(records: readonly JournalRecord[]) {
    const suspect = new SuspectBatch(records, {
      clock: this.#clock,
      afterMs: this.#suspectAfterMs,
    })
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

  #attempt(records: readonly JournalRecord[]) {
    return this.#try((connection) => applyRecords(connection, records))
  }

  /** Does one thing on the connection; one that fails costs the connection. */
  async #try<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    this.#connection ??= await this.#open()
    const connection = this.#connection
    try {
      return await work(connection)
    } catch (error) {
      this.#connection = undefined
      connection.destroy()
      throw error
    }
  }

  async #open(): Promise<Connection> {
    const connection = await this.#connect({ answerWithinMs: this.#answerWithinMs })
    // It ends as well when there was nothing to carry for as long as an answer may take.
    connection.on('end', () => {
      if (this.#connection === connection) this.#connection = undefined
    })
    try {
      await connection.query(`SET SESSION innodb_lock_wait_timeout = ${LOCK_WAIT_S}`)
      return connection
    } catch (error) {
      connection.destroy()
      throw error
    }
  }

  #lose(error: unknown): DatabaseFault {
    const fault = databaseFault(error)
    const reason = databaseMessage(error)
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
