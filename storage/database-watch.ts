import type { Clock } from '../base/clock.ts'
import { RepeatedWork } from '../base/repeated-work.ts'
import { messageOf } from '../base/tallenne-error.ts'
import type { Queryable } from './database.ts'
import { databaseFault } from './database-fault.ts'

/** How the database stands for a process, as found last. */
export interface DatabaseState {
  /** Undefined before the first look. */
  readonly isUp: boolean | undefined
  /** Whether it refuses writes; undefined while it does not answer. */
  readonly isReadOnly: boolean | undefined
  /** How far it is behind the server that it replicates; undefined where it replicates none, or does not tell. */
  readonly replicationLagS: number | undefined
  /** Why it is not up; undefined while it is. */
  readonly reason: string | undefined
}

export interface DatabaseWatchOptions {
  readonly database: Queryable
  readonly clock: Clock
}

const EVERY_MS = 5000
const UNKNOWN: DatabaseState = {
  isUp: undefined,
  isReadOnly: undefined,
  replicationLagS: undefined,
  reason: undefined,
}

/**
 * Asks the database every few seconds how it stands, so that a scrape or a readiness check has the answer at once
 * whatever the database does. One question at a time: the next is asked when the last was answered.
 */
export class DatabaseWatch {
  readonly #options: DatabaseWatchOptions
  #state = UNKNOWN
  readonly #work: RepeatedWork
  /** A user without the right to know is not asked for it again. */
  #mayAskForReplication = true

  constructor(options: DatabaseWatchOptions) {
    this.#options = options
    const { clock } = options
    this.#work = new RepeatedWork({ clock, everyMs: EVERY_MS, work: () => this.#look() })
  }

  get state(): DatabaseState {
    return this.#state
  }

  /** Idempotent. */
  start(): void {
    this.#work.start({ atOnce: true })
  }

  /** Asks now; resolves when the state is that of the answer. Never rejects. */
  look(): Promise<void> {
    return this.#work.run()
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#work.close()
  }

  async #look(): Promise<void> {
    const { database } = this.#options
    try {
      const [row]: { isReadOnly: number }[] = await database.query(
        'SELECT @@global.read_only AS isReadOnly',
      )
      this.#state = {
        isUp: true,
        isReadOnly: row?.isReadOnly === 1,
        replicationLagS: await this.#replicationLagS(),
        reason: undefined,
      }
    } catch (error) {
      this.#state = { ...UNKNOWN, isUp: false, reason: messageOf(error) }
    }
  }

  async #replicationLagS(): Promise<number | undefined> {
    if (!this.#mayAskForReplication) return undefined
    try {
      const sources: { Seconds_Behind_Master: number | null }[] =
        await this.#options.database.query('SHOW ALL SLAVES STATUS')
      const lags = sources.map(
        ({ Seconds_Behind_Master: lagS }) => lagS ?? Number.POSITIVE_INFINITY,
      )
      return lags.length === 0 ? undefined : Math.max(...lags)
    } catch (error) {
      if (databaseFault(error) === 'denied') this.#mayAskForReplication = false
      return undefined
    }
  }
}
