import { SqlError } from 'mariadb'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { settledWithin } from '../../base/settled-within.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import { databaseMessage, type Pool, type PoolConnection } from '../database.ts'
import type { AnchorFile } from './audit-anchors.ts'
import { CHAIN_START, type ChainLink, linkRow, type StoredRow } from './audit-chain.ts'
import type { AuditEvent } from './audit-event.ts'
import { insertRows, readHead, writtenEvents } from './audit-rows.ts'

export interface AuditTrailOptions {
  readonly pool: Pool
  /** Where the process keeps, outside the database, how far the chain had come. */
  readonly anchors: AnchorFile
  /** Process and node, as `portal/node-1`. */
  readonly writer: string
  readonly clock: Clock
  readonly log: Log
  readonly onWritten?: (rows: readonly Pick<AuditEvent, 'action'>[]) => void
  /** The chain is not the one that this process has written to. */
  readonly onBroken?: () => void
}

/** What the work of a transaction comes to, and what the trail is to tell of it. */
export interface AuditedWork<T> {
  readonly result: T
  readonly events: readonly AuditEvent[]
}

/** Chains of several processes would each have an end to be cut off, so all add to one, one after the other. */
const LOCK = 'tallenne.audit'
const LOCK_WAIT_S = 5
const ATTEMPTS = 5
const BATCH_EVENTS = 200
const ANCHOR_MS = 1000
/** Duplicate key, lock wait timeout, deadlock: somebody else wrote meanwhile, on a cluster perhaps on another server. */
const CONFLICTS: readonly number[] = [1062, 1205, 1213]
/** So often an anchor is written to the log too, which leaves the machine. */
const LOG_EVERY_MS = 3_600_000

interface Waiting {
  readonly event: AuditEvent
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Adds rows to the audit trail. Each row holds the hash of the one before it; writers, in whatever process, take turns.
 *
 * At each turn the chain's end that this process knows is looked at again: a chain that is another one by now is told
 * once, and goes on from where it is.
 */
export class AuditTrail {
  readonly #options: AuditTrailOptions
  #known: ChainLink | undefined
  #isBroken = false
  #waiting: Waiting[] = []
  #writing: Promise<void> | undefined
  #loggedAtMs = Number.NEGATIVE_INFINITY

  constructor(options: AuditTrailOptions) {
    this.#options = options
  }

  /** Resolves when the event is in the database. Rejects with `audit_unavailable`. */
  record(event: AuditEvent): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ event, resolve, reject })
      this.#writing ??= this.#writeWaiting()
    })
  }

  /**
   * Does `work` in a transaction, with its events in the same one: neither stands without the other. Where others
   * wrote at the same time it is rolled back and done again. Rejects as `work` does, and with `audit_unavailable` for
   * whatever else keeps the transaction from being done.
   */
  async alongside<T>(work: (connection: PoolConnection) => Promise<AuditedWork<T>>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      let isAtWork = false
      const told = async (connection: PoolConnection) => {
        isAtWork = true
        const done = await work(connection)
        isAtWork = false
        return done
      }
      try {
        return await this.#attempt(told, await this.#knownLink())
      } catch (error) {
        if (attempt < ATTEMPTS && isConflict(error)) continue
        throw isAtWork ? error : unavailable(error)
      }
    }
  }

  /** Resolves when nothing is being written any more. */
  async settled(): Promise<void> {
    await this.#writing
  }

  async #writeWaiting(): Promise<void> {
    // What comes in one turn of the event loop is written together.
    await undefined
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH_EVENTS)
      try {
        await this.#writeBatch(batch.map(({ event }) => event))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    // In the same turn as the last look at what waits, so that nothing waits unseen.
    this.#writing = undefined
  }

  async #writeBatch(events: readonly AuditEvent[]): Promise<void> {
    await this.alongside(async () => ({ result: undefined, events }))
  }

  async #attempt<T>(
    work: (connection: PoolConnection) => Promise<AuditedWork<T>>,
    known: ChainLink,
  ): Promise<T> {
    const { pool, clock } = this.#options
    const connection = await pool.getConnection()
    let isLocked = false
    try {
      await connection.query('SET TRANSACTION ISOLATION LEVEL READ COMMITTED')
      await connection.beginTransaction()
      const { result, events } = await work(connection)
      if (events.length === 0) {
        await connection.commit()
        return result
      }
      // Last of all: whoever holds the lock waits for no row of anybody else.
      await lock(connection)
      isLocked = true
      const rows = await this.#chain(connection, events, known)
      await connection.commit()
      const last = rows.at(-1)
      // Everybody's lock is held, so a disk of this machine that hangs is not waited for.
      if (last) await settledWithin(this.#anchor(last), { clock, limitMs: ANCHOR_MS })
      this.#options.onWritten?.(rows)
      return result
    } catch (error) {
      await connection.rollback().catch(() => {})
      throw error
    } finally {
      if (isLocked) await connection.query('SELECT RELEASE_LOCK(?)', [LOCK]).catch(() => {})
      await connection.release()
    }
  }

  async #chain(
    connection: PoolConnection,
    events: readonly AuditEvent[],
    known: ChainLink,
  ): Promise<readonly StoredRow[]> {
    const { head, atKnown } = await readHead(connection, known)
    if (atKnown?.hash !== known.hash) this.#tellBroken(known)
    const written = await writtenEvents(
      connection,
      events.map(({ id }) => id),
    )
    const rows: StoredRow[] = []
    let after = head
    for (const event of events) {
      if (written.has(event.id)) continue
      const row = linkRow(event, this.#options.writer, after)
      rows.push(row)
      after = row
    }
    if (rows.length > 0) await insertRows(connection, rows)
    return rows
  }

  /** Where this process last left the chain, be it before its start. */
  async #knownLink(): Promise<ChainLink> {
    this.#known ??= (await this.#options.anchors.last()) ?? CHAIN_START
    return this.#known
  }

  /** The row stands, whatever becomes of its anchor: a disk that takes none costs one way of proof, and is told. */
  async #anchor({ sequence, hash }: ChainLink): Promise<void> {
    const { anchors, clock, log } = this.#options
    if (this.#known === undefined || sequence > this.#known.sequence || this.#isBroken) {
      this.#known = { sequence, hash }
    }
    const atMs = clock.epochMs()
    try {
      await anchors.append({ sequence, hash, atMs })
    } catch (error) {
      log.error({ reason: messageOf(error) }, 'audit anchor cannot be written')
    }
    if (atMs - this.#loggedAtMs < LOG_EVERY_MS) return
    this.#loggedAtMs = atMs
    log.info({ anchor: `${sequence}:${hash}` }, 'audit trail anchored')
  }

  #tellBroken({ sequence, hash }: ChainLink): void {
    if (this.#isBroken) return
    this.#isBroken = true
    this.#options.onBroken?.()
    this.#options.log.error(
      { anchor: `${sequence}:${hash}` },
      'audit trail is not the one that was written: tallenne audit verify names the row',
    )
  }
}

async function lock(connection: PoolConnection): Promise<void> {
  const [row] = await connection.query('SELECT GET_LOCK(?, ?) AS taken', [LOCK, LOCK_WAIT_S])
  if (row.taken === 1) return
  throw new TallenneError(
    'audit_busy',
    `Another program has been writing to the audit trail for ${LOCK_WAIT_S} s.`,
  )
}

function isConflict(error: unknown): boolean {
  return error instanceof SqlError && CONFLICTS.includes(error.errno)
}

function unavailable(error: unknown): TallenneError {
  return new TallenneError(
    'audit_unavailable',
    `The audit trail cannot be written: ${databaseMessage(error)}.`,
    { cause: error },
  )
}
