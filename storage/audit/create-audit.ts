import { join } from 'node:path'
import type { Registry } from 'prom-client'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Pool } from '../database.ts'
import { AnchorFile } from './audit-anchors.ts'
import { AuditMetrics } from './audit-metrics.ts'
import { AuditQueue } from './audit-queue.ts'
import { AuditTrail } from './audit-trail.ts'

export interface Audit {
  readonly trail: AuditTrail
  readonly queue: AuditQueue
}

/** The audit trail as a process that runs for long writes it. The caller starts and closes the queue. */
export function createAudit(options: {
  readonly pool: Pool
  /** The data folder's place for it. */
  readonly folder: string
  readonly process: 'gateway' | 'portal' | 'retention'
  readonly nodeId: string
  readonly registry: Registry
  readonly clock: Clock
  readonly log: Log
}): Audit {
  const { pool, folder, process, nodeId, registry, clock, log } = options
  const trail = new AuditTrail({
    pool,
    anchors: new AnchorFile(folder, process),
    writer: `${process}/${nodeId}`,
    clock,
    log,
    onWritten: (events) => metrics.written(events),
    onBroken: () => metrics.broken(),
  })
  const queue = new AuditQueue({ trail, path: join(folder, `${process}.waiting`), clock, log })
  const metrics = new AuditMetrics(registry, () => queue.depth)
  return { trail, queue }
}
