import { Counter, Gauge, type Registry } from 'prom-client'
import type { StoreAudit } from './audit-store.ts'
import type { SweepReport } from './sweep.ts'

/** What operations watch of the retention daemon. Labels are lines of the configuration, so they are few. */
export class RetentionMetrics {
  readonly #due
  readonly #overdue
  readonly #held
  readonly #deleted
  readonly #failed
  readonly #sweeps
  readonly #lastSweep
  readonly #sweepSeconds
  readonly #lastAudit
  readonly #audit
  readonly #unruled

  constructor(registry: Registry) {
    const registers = [registry]
    const labelNames = ['line'] as const
    this.#due = new Gauge({
      name: 'tallenne_retention_due',
      help: 'Recordings that are due and not deleted, after the last sweep.',
      labelNames,
      registers,
    })
    this.#overdue = new Gauge({
      name: 'tallenne_retention_overdue',
      help: 'Recordings that have been due for longer than an hour and are not deleted.',
      labelNames,
      registers,
    })
    this.#held = new Gauge({
      name: 'tallenne_retention_held',
      help: 'Recordings that are due and kept by a hold.',
      labelNames,
      registers,
    })
    this.#deleted = new Counter({
      name: 'tallenne_retention_deleted_total',
      help: 'Recordings deleted since their line’s period had ended.',
      labelNames,
      registers,
    })
    this.#failed = new Counter({
      name: 'tallenne_retention_failed_total',
      help: 'Attempts to delete a recording that failed.',
      labelNames,
      registers,
    })
    this.#sweeps = new Counter({
      name: 'tallenne_retention_sweeps_total',
      help: 'Sweeps by how they ended; busy means that another daemon was sweeping.',
      labelNames: ['result'] as const,
      registers,
    })
    this.#lastSweep = new Gauge({
      name: 'tallenne_retention_last_sweep_timestamp_seconds',
      help: 'When this daemon last finished a sweep, seconds since 1970.',
      registers,
    })
    this.#sweepSeconds = new Gauge({
      name: 'tallenne_retention_sweep_seconds',
      help: 'How long the last sweep took.',
      registers,
    })
    this.#lastAudit = new Gauge({
      name: 'tallenne_retention_last_audit_timestamp_seconds',
      help: 'When files and rows were last compared, seconds since 1970.',
      registers,
    })
    this.#audit = new Gauge({
      name: 'tallenne_retention_orphans',
      help: 'What did not agree when files and rows were last compared.',
      labelNames: ['kind'] as const,
      registers,
    })
    this.#unruled = new Gauge({
      name: 'tallenne_retention_unruled',
      help: 'Recordings of service lines that no policy rules: they are kept, and somebody has to say until when.',
      registers,
    })
    for (const result of ['done', 'busy', 'failed']) this.#sweeps.inc({ result }, 0)
  }

  sweepEnded(result: 'done' | 'busy' | 'failed'): void {
    this.#sweeps.inc({ result })
  }

  swept({ lines, tookMs }: SweepReport, nowMs: number): void {
    for (const [line, { deleted, failed, held }] of lines) {
      this.#deleted.inc({ line }, deleted)
      this.#failed.inc({ line }, failed)
      this.#held.set({ line }, held)
    }
    this.#lastSweep.set(nowMs / 1000)
    this.#sweepSeconds.set(tookMs / 1000)
  }

  counted(due: ReadonlyMap<string, number>, overdue: ReadonlyMap<string, number>): void {
    for (const [line, count] of due) this.#due.set({ line }, count)
    for (const [line, count] of overdue) this.#overdue.set({ line }, count)
  }

  audited(audit: StoreAudit, nowMs: number): void {
    this.#audit.set({ kind: 'file_without_row' }, audit.filesWithoutRow)
    this.#audit.set({ kind: 'file_of_deleted' }, audit.filesErased)
    this.#audit.set({ kind: 'file_half_written' }, audit.partsErased)
    this.#audit.set({ kind: 'file_adopted' }, audit.filesAdopted)
    this.#audit.set({ kind: 'row_without_file' }, audit.rowsWithoutFile)
    this.#unruled.set([...audit.unruled.values()].reduce((sum, count) => sum + count, 0))
    this.#lastAudit.set(nowMs / 1000)
  }
}
