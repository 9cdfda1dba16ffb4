import { TallenneError } from '../base/tallenne-error.ts'
import { newId } from '../base/uuid.ts'
import { auditEvent } from './audit/audit-event.ts'
import type { AuditTrail } from './audit/audit-trail.ts'
import type { Queryable } from './database.ts'

export interface NewHold {
  readonly recordingId: string
  /** Why, at most 1000 characters. */
  readonly reason: string
  readonly placedBy: string
  /** Null holds until released. */
  readonly untilMs: number | null
  readonly nowMs: number
}

/** Holds of a recording that stop its deletion at `nowMs`. */
export interface ActiveHold {
  readonly id: string
  readonly recordingId: string
  readonly reason: string
  readonly placedBy: string
  readonly placedAtMs: number
  readonly untilMs: number | null
}

/**
 * Keeps a recording from being deleted and tells the hold's id. Once this resolves no sweep deletes it;
 * rejects with `recording_deleted` where one has begun to, and `no_such_recording`.
 */
export async function placeHold(
  trail: Pick<AuditTrail, 'alongside'>,
  hold: NewHold,
): Promise<string> {
  return trail.alongside(async (connection) => {
    // A sweep locks the same row before it looks for holds.
    const [recording] = await connection.query(
      'SELECT state FROM recordings WHERE id = ? FOR UPDATE',
      [hold.recordingId],
    )
    if (!recording) {
      throw new TallenneError('no_such_recording', `There is no recording ${hold.recordingId}.`)
    }
    if (recording.state === 'deleting' || recording.state === 'deleted') {
      throw new TallenneError(
        'recording_deleted',
        `Recording ${hold.recordingId} is ${recording.state} already: a hold would keep nothing.`,
      )
    }
    const id = newId()
    await connection.query(
      `INSERT INTO holds (id, recording_id, reason, placed_by, placed_at, until_at)
       VALUES (?, ?, ?, ?, ?, ?)`,
      [
        id,
        hold.recordingId,
        hold.reason,
        hold.placedBy,
        new Date(hold.nowMs),
        hold.untilMs === null ? null : new Date(hold.untilMs),
      ],
    )
    const { recordingId, placedBy, nowMs, untilMs, reason } = hold
    const until = untilMs === null ? null : new Date(untilMs).toISOString()
    const event = auditEvent({
      atMs: nowMs,
      actor: { kind: 'user', name: placedBy },
      action: 'hold_placed',
      recordingId,
      details: { hold: id, reason, until },
    })
    return { result: id, events: [event] }
  })
}

/** Ends a hold; one that has ended stays as it is. Rejects with `no_such_hold`. */
export async function releaseHold(
  trail: Pick<AuditTrail, 'alongside'>,
  {
    id,
    releasedBy,
    nowMs,
  }: { readonly id: string; readonly releasedBy: string; readonly nowMs: number },
): Promise<void> {
  await trail.alongside(async (connection) => {
    const [hold] = await connection.query(
      'SELECT recording_id AS recordingId, released_at AS releasedAt FROM holds WHERE id = ? FOR UPDATE',
      [id],
    )
    if (!hold) throw new TallenneError('no_such_hold', `There is no hold ${id}.`)
    if (hold.releasedAt !== null) return { result: undefined, events: [] }
    await connection.query('UPDATE holds SET released_by = ?, released_at = ? WHERE id = ?', [
      releasedBy,
      new Date(nowMs),
      id,
    ])
    const event = auditEvent({
      atMs: nowMs,
      actor: { kind: 'user', name: releasedBy },
      action: 'hold_released',
      recordingId: hold.recordingId,
      details: { hold: id },
    })
    return { result: undefined, events: [event] }
  })
}

/** The holds that are active for any of the recordings. */
export async function activeHolds(
  database: Queryable,
  recordingIds: readonly string[],
  nowMs: number,
): Promise<readonly ActiveHold[]> {
  if (recordingIds.length === 0) return []
  const rows: {
    id: string
    recordingId: string
    reason: string
    placedBy: string
    placedAt: Date
    untilAt: Date | null
  }[] = await database.query(
    `SELECT id, recording_id AS recordingId, reason, placed_by AS placedBy, placed_at AS placedAt,
       until_at AS untilAt
     FROM holds
     WHERE recording_id IN (?) AND released_at IS NULL AND (until_at IS NULL OR until_at > ?)`,
    [recordingIds, new Date(nowMs)],
  )
  return rows.map(({ placedAt, untilAt, ...row }) => ({
    ...row,
    placedAtMs: placedAt.getTime(),
    untilMs: untilAt?.getTime() ?? null,
  }))
}
