import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { RepeatedWork } from '../base/repeated-work.ts'
import { messageOf } from '../base/tallenne-error.ts'
import type { AuditTrail } from '../storage/audit/audit-trail.ts'
import { forgetContactKeys } from '../storage/contact-keys.ts'
import { databaseMessage, type Pool } from '../storage/database.ts'
import { countDue, countUnfinishedDeletions } from '../storage/due-recordings.ts'
import type { RecordingStore } from '../storage/recording-store.ts'
import { currentPolicies } from '../storage/service-lines.ts'
import { auditStore } from './audit-store.ts'
import type { RetentionMetrics } from './retention-metrics.ts'
import { type SweepOutcome, sweepOnce } from './sweep.ts'

export interface SweeperOptions {
  readonly nodeId: string
  readonly pool: Pool
  readonly store: RecordingStore
  readonly trail: AuditTrail
  readonly clock: Clock
  readonly log: Log
  readonly metrics: RetentionMetrics
  readonly sweepEveryMs: number
}

/** A recording that has been due for so long is overdue: something keeps it that should not. */
const OVERDUE_MS = 3_600_000
const AUDIT_EVERY_MS = 86_400_000

/**
 * Sweeps at an interval and on demand, one sweep at a time, and compares files with rows once a day.
 * A sweep that fails is logged and counted; the next one comes in its time.
 */
export class Sweeper {
  readonly #options: SweeperOptions
  readonly #stopping = new AbortController()
  readonly #work: RepeatedWork<SweepOutcome>
  #auditedAtMs: number | undefined

  constructor(options: SweeperOptions) {
    this.#options = options
    const { clock, sweepEveryMs: everyMs } = options
    this.#work = new RepeatedWork({ clock, everyMs, work: () => this.#sweep() })
  }

  /** Sweeps now and then at the interval. Idempotent. */
  start(): void {
    this.#work.start({ atOnce: true })
  }

  /** Sweeps, or joins the sweep that runs. Rejects where the store or the database is away. */
  sweepNow(): Promise<SweepOutcome> {
    return this.#work.run()
  }

  /** Starts no more sweeps, and waits for the running one to finish its batch. Idempotent. */
  async close(): Promise<void> {
    this.#stopping.abort()
    await this.#work.close()
  }

  async #sweep(): Promise<SweepOutcome> {
    const { clock, log, metrics } = this.#options
    const signal = this.#stopping.signal
    try {
      const outcome = await sweepOnce({ ...this.#options, signal })
      metrics.sweepEnded(outcome.kind)
      if (outcome.kind === 'done') {
        metrics.swept(outcome.result, clock.epochMs())
        for (const [line, { deleted, failed, held, alreadyGone }] of outcome.result.lines) {
          if (deleted > 0) log.info({ line, deleted, held, alreadyGone }, 'recordings deleted')
          if (failed > 0) log.error({ line, failed }, 'recordings are due and cannot be deleted')
        }
        await forgetContactKeys(this.#options.pool, clock.epochMs())
        await this.#count()
        await this.#auditIfDue(signal)
      }
      return outcome
    } catch (error) {
      metrics.sweepEnded('failed')
      log.error({ reason: databaseMessage(error) }, 'sweep failed')
      throw error
    }
  }

  /** What is still due after the sweep is what a sweep cannot delete. */
  async #count(): Promise<void> {
    const { pool, clock, metrics } = this.#options
    const nowMs = clock.epochMs()
    const policies = [...(await currentPolicies(pool)).values()]
    const due = new Map<string, number>()
    const overdue = new Map<string, number>()
    const add = (counts: Map<string, number>, line: string, count: number) =>
      counts.set(line, (counts.get(line) ?? 0) + count)
    for (const one of await countDue(pool, policies, nowMs)) add(due, one.serviceLine, one.due)
    for (const one of await countDue(pool, policies, nowMs - OVERDUE_MS)) {
      add(overdue, one.serviceLine, one.due)
    }
    for (const one of await countUnfinishedDeletions(pool, nowMs - OVERDUE_MS)) {
      add(due, one.serviceLine, one.count)
      add(overdue, one.serviceLine, one.old)
    }
    metrics.counted(due, overdue)
  }

  async #auditIfDue(signal: AbortSignal): Promise<void> {
    const { clock, log, metrics } = this.#options
    const nowMs = clock.epochMs()
    if (this.#auditedAtMs !== undefined && nowMs - this.#auditedAtMs < AUDIT_EVERY_MS) return
    this.#auditedAtMs = nowMs
    try {
      const audit = await auditStore({ ...this.#options, signal })
      if (signal.aborted) return
      metrics.audited(audit, clock.epochMs())
      for (const [line, count] of audit.unruled) {
        log.error({ line, count }, 'no policy rules this line’s recordings: they are kept')
      }
    } catch (error) {
      log.error({ reason: messageOf(error) }, 'files and rows could not be compared')
    }
  }
}
