import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { RepeatedWork } from '../base/repeated-work.ts'
import { messageOf } from '../base/tallenne-error.ts'
import { countPlatformCalls } from '../storage/completeness/count-platform-calls.ts'
import {
  countDiscrepancies,
  type Discrepancy,
  type DiscrepancyKind,
  keepDiscrepancies,
  openDiscrepancies,
  tellDiscrepancies,
} from '../storage/completeness/discrepancies.ts'
import { matchAgain } from '../storage/completeness/match-calls.ts'
import {
  findLostFiles,
  findOverdueCalls,
  type LostFile,
} from '../storage/completeness/open-rows.ts'
import { readCompleteness } from '../storage/completeness/read-completeness.ts'
import { databaseMessage, type Pool } from '../storage/database.ts'
import type { RecordingStore } from '../storage/recording-store.ts'
import { fileOwners, markMissing } from '../storage/store-audit.ts'
import { filesOf } from '../storage/store-file.ts'
import type { CompletenessMetrics } from './completeness-metrics.ts'
import { inParallel } from './in-parallel.ts'

export interface ReconcilerOptions {
  readonly pool: Pool
  readonly store: Pick<RecordingStore, 'check' | 'facts'>
  readonly metrics: CompletenessMetrics
  readonly clock: Clock
  readonly log: Log
}

const EVERY_MS = 15_000
const DAY_MS = 86_400_000
/** Counting a day, and looking again for files and for the contacts of listed calls, takes longer. */
const COUNT_EVERY_MS = 60_000
/** A journal that comes later than this is found when its list is imported again. */
const MATCH_WITHIN_MS = 7 * DAY_MS

const AT_ONCE = 16

/**
 * Looks, for all nodes, for calls that have no verdict a minute after their end, and again at the files and rows that the
 * daily audit found without each other; keeps them as discrepancies, logs each once, and counts the last day. Several
 * daemons may do it at once.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #work: RepeatedWork
  #countedAtMs = Number.NEGATIVE_INFINITY

  constructor(options: ReconcilerOptions) {
    this.#options = options
    const { clock, log } = options
    const work = () =>
      this.#reconcile().catch((error: unknown) => {
        log.warn({ reason: databaseMessage(error) }, 'calls could not be reconciled')
      })
    this.#work = new RepeatedWork({ clock, everyMs: EVERY_MS, work })
  }

  /** Reconciles now and then at its interval. Idempotent. */
  start(): void {
    this.#work.start({ atOnce: true })
  }

  /** Reconciles now, or joins what runs. Never rejects: a database that is away is looked at again. */
  reconcile(): Promise<void> {
    return this.#work.run()
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#work.close()
  }

  async #reconcile(): Promise<void> {
    const { pool, clock, metrics } = this.#options
    const nowMs = clock.epochMs()
    await this.#keep('no_verdict', await findOverdueCalls(pool, nowMs))
    const isMinute = nowMs - this.#countedAtMs >= COUNT_EVERY_MS
    if (isMinute) await this.#lookAtFiles()
    metrics.disagree(await countDiscrepancies(pool))
    if (!isMinute) return
    this.#countedAtMs = nowMs
    const week = { fromMs: nowMs - MATCH_WITHIN_MS, toMs: nowMs }
    await matchAgain(pool, week)
    metrics.listed(await countPlatformCalls(pool, week))
    metrics.counted(await readCompleteness(pool, { fromMs: nowMs - DAY_MS, toMs: nowMs }, nowMs))
  }

  /** What the daily audit found may have been mended since: a file is there again or is gone, a row has come. */
  async #lookAtFiles(): Promise<void> {
    const { pool, store, log } = this.#options
    const lost = await findLostFiles(pool)
    const unknown = await openDiscrepancies(pool, 'file_without_row')
    if (lost.length + unknown.length === 0) return this.#keepFiles([], [])
    const back = new Set<string>()
    const gone = new Set<string>()
    try {
      await store.check()
      await inParallel(lost, AT_ONCE, async ({ id, file }) => {
        if ((await store.facts(file)) !== undefined) back.add(id)
      })
      await inParallel(unknown, AT_ONCE, async ({ subject }) => {
        for (const file of filesOf(subject, null)) {
          if ((await store.facts(file)) !== undefined) return
        }
        gone.add(subject)
      })
    } catch (error) {
      // A store that is away has no file, and mends nothing.
      log.warn({ reason: messageOf(error) }, 'missing files could not be looked for again')
      gone.clear()
    }
    await markMissing(pool, [...back], null)
    const owners = await fileOwners(
      pool,
      unknown.map(({ subject }) => subject),
    )
    await this.#keepFiles(
      lost.filter(({ id }) => !back.has(id)),
      unknown.filter(({ subject }) => !gone.has(subject) && !owners.has(subject)),
    )
  }

  async #keepFiles(lost: readonly LostFile[], unknown: readonly Discrepancy[]): Promise<void> {
    await this.#keep('verdict_without_file', lost)
    await this.#keep(
      'file_without_row',
      unknown.map(({ subject, nodeId }) => ({ id: subject, nodeId })),
    )
  }

  async #keep(
    kind: DiscrepancyKind,
    subjects: readonly { readonly id: string; readonly nodeId: string }[],
  ): Promise<void> {
    const { pool, clock, log } = this.#options
    const current = subjects.map(({ id, nodeId }): Discrepancy => ({ kind, subject: id, nodeId }))
    const scope = { kinds: [kind], nowMs: clock.epochMs() }
    tellDiscrepancies(await keepDiscrepancies(pool, current, scope), log)
  }
}
