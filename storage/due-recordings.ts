import { inTransaction, type Pool, type Queryable } from './database.ts'
import { type DueRule, dueRule } from './deletion-instant.ts'
import { activeHolds } from './holds.ts'
import type { BatchPlace } from './in-batches.ts'
import type { ServiceLinePolicy } from './service-lines.ts'

/** States that may hold audio and have ended: all of them expire, whatever the verdict was. */
export const EXPIRING_STATES = ['complete', 'partial', 'silent', 'failed'] as const
export type ExpiringState = (typeof EXPIRING_STATES)[number]

/** A recording whose deletion has begun and whose file is to be erased now. */
export interface ClaimedRecording {
  readonly id: string
  readonly serviceLine: string
  /** Null where the row knows of none. */
  readonly file: string | null
  /** Of the line's policy, under which it is deleted. */
  readonly policyVersion: number
}

/** How far a walk through one line's recordings has come; they are read by the call's end. */
export interface WalkPosition {
  readonly callEndedAtMs: number
  readonly id: string
}

export interface ClaimedBatch {
  readonly claimed: readonly ClaimedRecording[]
  /** Due, and kept by a hold. */
  readonly heldCount: number
  /** Where to go on; undefined at the end. */
  readonly next: WalkPosition | undefined
}

export interface ClaimOptions {
  readonly state: ExpiringState
  readonly after: WalkPosition | undefined
  readonly nowMs: number
  readonly limit: number
}

/** What is due of one line. */
export interface DueCount {
  readonly serviceLine: string
  /** Without those that a hold keeps. */
  readonly due: number
  readonly dueBytes: number
  readonly held: number
}

interface DueRow {
  readonly id: string
  readonly file: string | null
  readonly callEndedAt: Date
}

/** The rule of a line's policy at a moment, or undefined where it keeps for ever. */
function ruleOf({ period, timeZone }: ServiceLinePolicy, nowMs: number): DueRule | undefined {
  return period === null ? undefined : dueRule(nowMs, { period, timeZone })
}

/**
 * Takes the next due recordings of a line and marks them `deleting`. Rows that somebody else has locked
 * are passed over, and so are those with a hold: whoever places one locks the same row first.
 */
export async function claimDue(
  pool: Pool,
  policy: ServiceLinePolicy,
  { state, after, nowMs, limit }: ClaimOptions,
): Promise<ClaimedBatch> {
  const rule = ruleOf(policy, nowMs)
  if (!rule) return { claimed: [], heldCount: 0, next: undefined }
  const { serviceLine } = policy
  return inTransaction(pool, async (connection) => {
    const position = after && [
      new Date(after.callEndedAtMs),
      new Date(after.callEndedAtMs),
      after.id,
    ]
    const rows: DueRow[] = await connection.query(
      `SELECT id, file, call_ended_at AS callEndedAt FROM recordings FORCE INDEX (by_state)
       WHERE state = ? AND service_line = ? AND call_ended_at <= ?
         ${position ? 'AND call_ended_at >= ? AND (call_ended_at > ? OR id > ?)' : ''}
       ORDER BY call_ended_at, id LIMIT ? FOR UPDATE SKIP LOCKED`,
      [state, serviceLine, new Date(rule.latestEndMs), ...(position ?? []), limit],
    )
    const due = rows.filter(({ callEndedAt }) => rule.isDue(callEndedAt.getTime()))
    const holds = await activeHolds(
      connection,
      due.map(({ id }) => id),
      nowMs,
    )
    const heldIds = new Set(holds.map(({ recordingId }) => recordingId))
    const claimed = due.filter(({ id }) => !heldIds.has(id))
    if (claimed.length > 0) {
      await connection.query(
        `UPDATE recordings SET state = 'deleting', deleting_at = ?, deleted_by_policy = ?
         WHERE id IN (?)`,
        [new Date(nowMs), policy.version, claimed.map(({ id }) => id)],
      )
    }
    const last = rows.length === limit ? rows.at(-1) : undefined
    return {
      claimed: claimed.map(({ id, file }) => ({
        id,
        file,
        serviceLine,
        policyVersion: policy.version,
      })),
      heldCount: heldIds.size,
      next: last && { callEndedAtMs: last.callEndedAt.getTime(), id: last.id },
    }
  })
}

/** Recordings whose deletion was begun and not finished, in order of their ids. */
export async function unfinishedDeletions(
  database: Queryable,
  { afterId, limit }: BatchPlace,
): Promise<readonly ClaimedRecording[]> {
  return database.query(
    `SELECT id, service_line AS serviceLine, file, deleted_by_policy AS policyVersion
     FROM recordings FORCE INDEX (by_state)
     WHERE state = 'deleting' AND id > ? ORDER BY id LIMIT ?`,
    [afterId, limit],
  )
}

/** Marks recordings whose files are gone; tells how many were not marked before. */
export async function markDeleted(
  database: Queryable,
  ids: readonly string[],
  nowMs: number,
): Promise<number> {
  if (ids.length === 0) return 0
  const { affectedRows } = await database.query(
    "UPDATE recordings SET state = 'deleted', deleted_at = ? WHERE id IN (?) AND state = 'deleting'",
    [new Date(nowMs), ids],
  )
  return affectedRows
}

/** Deletions that were begun and not finished, by line, and how many of them were begun before a moment. */
export async function countUnfinishedDeletions(
  database: Queryable,
  beforeMs: number,
): Promise<readonly { serviceLine: string; count: number; old: number }[]> {
  return database.query(
    `SELECT service_line AS serviceLine, COUNT(*) AS count, SUM(deleting_at < ?) AS old
     FROM recordings WHERE state = 'deleting' GROUP BY service_line`,
    [new Date(beforeMs)],
  )
}

/** Counts what is due of each line, changing nothing. */
export async function countDue(
  database: Queryable,
  policies: Iterable<ServiceLinePolicy>,
  nowMs: number,
): Promise<readonly DueCount[]> {
  const counts: DueCount[] = []
  for (const policy of policies) {
    const rule = ruleOf(policy, nowMs)
    if (rule) counts.push(await countDueOfLine(database, policy.serviceLine, { rule, nowMs }))
  }
  return counts
}

async function countDueOfLine(
  database: Queryable,
  serviceLine: string,
  { rule, nowMs }: { readonly rule: DueRule; readonly nowMs: number },
): Promise<DueCount> {
  const isHeld = `EXISTS (SELECT 1 FROM holds h WHERE h.recording_id = r.id AND h.released_at IS NULL
    AND (h.until_at IS NULL OR h.until_at > ?))`
  const ofLine = `FROM recordings r FORCE INDEX (by_state)
    WHERE r.state IN (?) AND r.service_line = ? AND r.call_ended_at <= ?`
  const now = new Date(nowMs)
  const [certain] = await database.query(
    `SELECT COUNT(*) AS n, COALESCE(SUM(bytes), 0) AS bytes, COALESCE(SUM(is_held), 0) AS held,
       COALESCE(SUM(IF(is_held, bytes, 0)), 0) AS heldBytes
     FROM (SELECT r.bytes, ${isHeld} AS is_held ${ofLine}) due`,
    [now, EXPIRING_STATES, serviceLine, new Date(rule.certainEndMs)],
  )
  let due = certain.n - certain.held
  let dueBytes = certain.bytes - certain.heldBytes
  let held = certain.held
  const recent: { callEndedAt: Date; bytes: number | null; isHeld: number }[] =
    await database.query(
      `SELECT r.call_ended_at AS callEndedAt, r.bytes, ${isHeld} AS isHeld ${ofLine}
       AND r.call_ended_at > ?`,
      [now, EXPIRING_STATES, serviceLine, new Date(rule.latestEndMs), new Date(rule.certainEndMs)],
    )
  for (const row of recent) {
    if (!rule.isDue(row.callEndedAt.getTime())) continue
    if (row.isHeld) {
      held++
    } else {
      due++
      dueBytes += row.bytes ?? 0
    }
  }
  return { serviceLine, due, dueBytes, held }
}
