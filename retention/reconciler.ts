import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { RepeatedWork } from '../base/repeated-work.ts'
import { countPlatformCalls } from '../storage/completeness/count-platform-calls.ts'
import {
  countDiscrepancies,
  type Discrepancy,
  type DiscrepancyKind,
  keepDiscrepancies,
  tellDiscrepancies,
} from '../storage/completeness/discrepancies.ts'
import { matchAgain } from '../storage/completeness/match-calls.ts'
import { findLostFiles, findOverdueCalls } from '../storage/completeness/open-rows.ts'
import { readCompleteness } from '../storage/completeness/read-completeness.ts'
import { databaseMessage, type Pool } from '../storage/database.ts'
import type { CompletenessMetrics } from './completeness-metrics.ts'

export interface ReconcilerOptions {
  readonly pool: Pool
  readonly metrics: CompletenessMetrics
  readonly clock: Clock
  readonly log: Log
}

const EVERY_MS = 15_000
const DAY_MS = 86_400_000
/** Counting a day, and looking again for the contacts of listed calls, takes longer. */
const COUNT_EVERY_MS = 60_000
/** Files are looked for once a day, so what that has found changes no faster. */
const FILES_EVERY_MS = 3_600_000
/** A journal that comes later than this is found when its list is imported again. */
const MATCH_WITHIN_MS = 7 * DAY_MS

/**
 * Looks, for all nodes, for calls that have no verdict a minute after their end, and for verdicts whose file is gone;
 * keeps them as discrepancies, logs each once, and counts the last day. Several daemons may do it at once.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #work: RepeatedWork
  #countedAtMs = Number.NEGATIVE_INFINITY
  #filesAtMs = Number.NEGATIVE_INFINITY

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
    if (nowMs - this.#filesAtMs >= FILES_EVERY_MS) {
      await this.#keep('verdict_without_file', await findLostFiles(pool))
      this.#filesAtMs = nowMs
    }
    metrics.disagree(await countDiscrepancies(pool))
    if (nowMs - this.#countedAtMs < COUNT_EVERY_MS) return
    this.#countedAtMs = nowMs
    const week = { fromMs: nowMs - MATCH_WITHIN_MS, toMs: nowMs }
    await matchAgain(pool, week)
    metrics.listed(await countPlatformCalls(pool, week))
    metrics.counted(await readCompleteness(pool, { fromMs: nowMs - DAY_MS, toMs: nowMs }, nowMs))
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
