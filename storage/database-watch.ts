import type { Clock, Timer } from '../base/clock.ts'
import { messageOf } from '../base/tallenne-error.ts'
import type { Queryable } from './database.ts'

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
  readonly everyMs?: number
  /** Told how long each question that was answered took, milliseconds. */
  readonly onAnswered?: (tookMs: number) => void
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
  #timer: Timer | undefined
  #asking: Promise<void> | undefined
  /** A user without the right to know is not asked for it again. */
  #mayAskForReplication = true

  constructor(options: DatabaseWatchOptions) {
    this.#options = options
  }

  get state(): DatabaseState {
    return this.#state
  }

  /** Idempotent. */
  start(): void {
    const { clock, everyMs = EVERY_MS } = this.#options
    this.#timer ??= clock.every(everyMs, () => void this.look())
    void this.look()
  }

  /** Asks now; resolves when the state is that of the answer. Never rejects. */
  look(): Promise<void> {
    this.#asking ??= this.#look().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#timer?.cancel()
    await this.#asking
  }

  async #look(): Promise<void> {
    const { database, clock, onAnswered } = this.#options
    const askedAtMs = clock.monotonicMs()
    try {
      const [row]: { isReadOnly: number }[] = await database.query(
        'SELECT @@global.read_only AS isReadOnly',
      )
      onAnswered?.(clock.monotonicMs() - askedAtMs)
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
    } catch {
      this.#mayAskForReplication = false
      return undefined
    }
  }
}
