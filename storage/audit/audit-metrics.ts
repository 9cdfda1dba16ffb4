import { Counter, Gauge, type Registry } from 'prom-client'
import type { AuditAction, AuditEvent } from './audit-event.ts'

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

  written(events: readonly AuditEvent[]): void {
    for (const { action } of events) this.#events.inc({ action } satisfies { action: AuditAction })
  }

  broken(): void {
    this.#broken.set(1)
  }
}
