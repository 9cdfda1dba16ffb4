import type { Clock } from '../../base/clock.ts'
import { TallenneError } from '../../base/tallenne-error.ts'
import type { Pool } from '../database.ts'
import { withNamedLock } from '../named-lock.ts'
import { canonicalJson } from './audit-chain.ts'
import { type AuditDetail, auditEvent } from './audit-event.ts'
import type { AuditTrail } from './audit-trail.ts'

/** Processes that start at once with one configuration tell of it once. */
const LOCK = 'tallenne.audit.configuration'
const LOCK_WAIT_S = 10

type Details = Readonly<Record<string, AuditDetail>>

/**
 * Writes down that a node's configuration is another one than when it was last written down: whole, and which paths
 * changed. Whoever calls hides the secrets, so that a new password alone does not show. Rejects where the database is
 * away.
 */
export async function recordConfiguration(
  node: { readonly id: string; readonly configuration: Readonly<Record<string, unknown>> },
  parts: {
    readonly pool: Pool
    readonly trail: Pick<AuditTrail, 'record'>
    readonly process: string
    readonly clock: Clock
  },
): Promise<void> {
  const { pool, trail, process, clock } = parts
  const configuration = node.configuration as Details
  const outcome = await withNamedLock(pool, { name: LOCK, waitS: LOCK_WAIT_S }, async () => {
    const before = await lastConfiguration(pool, node.id)
    const changed = before === undefined ? [] : changedPaths(before, configuration)
    if (before !== undefined && changed.length === 0) return
    await trail.record(
      auditEvent({
        atMs: clock.epochMs(),
        actor: { kind: 'system', name: process },
        action: 'configuration_changed',
        details: { node: node.id, changed, configuration },
      }),
    )
  })
  if (outcome.kind === 'busy') {
    throw new TallenneError('audit_unavailable', 'other processes write their configurations down')
  }
}

async function lastConfiguration(pool: Pool, nodeId: string): Promise<AuditDetail | undefined> {
  const [row]: { details: string }[] = await pool.query(
    `SELECT details FROM audit_trail FORCE INDEX (by_action)
     WHERE action = 'configuration_changed' AND writer LIKE ? ORDER BY sequence DESC LIMIT 1`,
    [`%/${nodeId.replaceAll(/[\\%_]/g, '\\$&')}`],
  )
  if (!row) return undefined
  const details: Details = JSON.parse(row.details)
  return details['configuration']
}

/** Paths as messages write them, of values that differ: `http.portal.port`, `serviceLines[0].period`. */
function changedPaths(before: AuditDetail, after: AuditDetail, path = ''): string[] {
  if (canonicalJson(before) === canonicalJson(after)) return []
  const [old, young] = [membersOf(before), membersOf(after)]
  if (old === undefined || young === undefined) return [path]
  const isList = Array.isArray(after)
  return [...new Set([...Object.keys(old), ...Object.keys(young)])].flatMap((name) => {
    const inner = isList ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`
    return changedPaths(old[name] ?? null, young[name] ?? null, inner)
  })
}

function membersOf(value: AuditDetail): Details | undefined {
  return typeof value === 'object' && value !== null ? { ...(value as Details) } : undefined
}
