import { Counter, Gauge, type Registry } from 'prom-client'
import type { AuditEvent } from './audit-event.ts'

/** What a process counts of the audit trail that it writes. */
export class AuditMetrics {
  readonly #events: Counter<'action'>
  readonly #broken: Gauge

  /** `waiting` tells how many events the database does not have yet. */
  constructor(registry: Registry, waiting: () => number) {
    const registers = [registry]
    this.#events = new Counter({
      name: 'tallenne_audit_events_total',
      help: 'Rows that this process wrote to the audit trail, by action.',
      labelNames: ['action'] as const,
      registers,
    })
    this.#broken = new Gauge({
      name: 'tallenne_audit_broken',
      help: '1 where the audit trail is not the one that this process has written to.',
      registers,
    })
    this.#broken.set(0)
    new Gauge({
      name: 'tallenne_audit_waiting',
      help: 'Audit events on this disk that the database does not have yet.',
      registers,
      collect() {
        this.set(waiting())
      },
    })
  }

  written(rows: readonly Pick<AuditEvent, 'action'>[]): void {
    for (const { action } of rows) this.#events.inc({ action })
  }

  broken(): void {
    this.#broken.set(1)
  }
}
