import type { Language } from '../base/languages.ts'
import type { Pool } from '../storage/database.ts'
import { deletionInstant, localTime } from '../storage/deletion-instant.ts'
import { type ActiveHold, activeHolds } from '../storage/holds.ts'
import type { RecordingState } from '../storage/model.ts'
import { currentPolicies, type ServiceLinePolicy } from '../storage/service-lines.ts'
import { describeFate } from './explain-sentences.ts'
import type { Fate } from './fate.ts'

/** Why a recording is still here, and when it goes. Times are ISO 8601 UTC but for the `…Local` ones. */
export interface Explanation {
  readonly recordingId: string
  readonly contactId: string
  readonly state: RecordingState
  readonly serviceLine: string
  readonly isCatchAll: boolean
  /** ISO 8601 duration; null where nothing is ever due. */
  readonly period: string | null
  readonly timeZone: string | null
  /** The policy's version that rules now, or that deleted it. */
  readonly policyVersion: number | null
  readonly policySetBy: string | null
  readonly policyValidFrom: string | null
  readonly callEndedAt: string | null
  readonly deleteAfter: string | null
  readonly deleteAfterLocal: string | null
  readonly holds: readonly ActiveHold[]
  readonly fileMissingSince: string | null
  readonly deletedAt: string | null
  readonly fate: Fate['kind']
  /** The same for people, the contact row's own fate included. */
  readonly text: Readonly<Record<Language, string>>
}

interface Row {
  readonly contactId: string
  readonly state: RecordingState
  readonly serviceLine: string
  readonly callEndedAt: Date | null
  readonly fileMissingSince: Date | null
  readonly deletingAt: Date | null
  readonly deletedAt: Date | null
  readonly deletedByPolicy: number | null
}

/** Undefined where there is no such recording. `recordingId` must have the form of an id. */
export async function explainRecording(
  pool: Pool,
  recordingId: string,
  nowMs: number,
): Promise<Explanation | undefined> {
  const [row]: Row[] = await pool.query(
    `SELECT contact_id AS contactId, state, service_line AS serviceLine, call_ended_at AS callEndedAt,
       file_missing_since AS fileMissingSince, deleting_at AS deletingAt, deleted_at AS deletedAt,
       deleted_by_policy AS deletedByPolicy
     FROM recordings WHERE id = ?`,
    [recordingId],
  )
  if (!row) return undefined
  const holds = await activeHolds(pool, [recordingId], nowMs)
  const policy = await policyOf(pool, row)
  const deleteAfterMs = deleteAfterOf(row, policy)
  const fate = fateOf(row, { policy, deleteAfterMs, hold: holds[0], nowMs })
  return {
    recordingId,
    contactId: row.contactId,
    state: row.state,
    serviceLine: row.serviceLine,
    isCatchAll: policy?.isCatchAll ?? false,
    period: policy?.period ?? null,
    timeZone: policy?.timeZone ?? null,
    policyVersion: policy?.version ?? null,
    policySetBy: policy?.setBy ?? null,
    policyValidFrom: policy ? new Date(policy.validFromMs).toISOString() : null,
    callEndedAt: row.callEndedAt?.toISOString() ?? null,
    deleteAfter: deleteAfterMs === undefined ? null : new Date(deleteAfterMs).toISOString(),
    deleteAfterLocal:
      deleteAfterMs === undefined || !policy ? null : localTime(deleteAfterMs, policy.timeZone),
    holds,
    fileMissingSince: row.fileMissingSince?.toISOString() ?? null,
    deletedAt: row.deletedAt?.toISOString() ?? null,
    fate: fate.kind,
    text: describeFate(fate, {
      serviceLine: row.serviceLine,
      policy,
      callEndedAtMs: row.callEndedAt?.getTime(),
    }),
  }
}

/** The policy that deleted the recording, else the one that rules now. */
async function policyOf(pool: Pool, row: Row): Promise<ServiceLinePolicy | undefined> {
  const current = (await currentPolicies(pool)).get(row.serviceLine)
  if (!current || row.deletedByPolicy === null || row.deletedByPolicy === current.version) {
    return current
  }
  const [past] = await pool.query(
    `SELECT version, period, time_zone AS timeZone, valid_from AS validFrom, set_by AS setBy
     FROM service_line_policies WHERE service_line = ? AND version = ?`,
    [row.serviceLine, row.deletedByPolicy],
  )
  if (!past) return current
  const { validFrom, ...rest } = past
  return { ...current, ...rest, validFromMs: validFrom.getTime() }
}

function deleteAfterOf(row: Row, policy: ServiceLinePolicy | undefined): number | undefined {
  if (!row.callEndedAt || !policy || policy.period === null) return undefined
  const { period, timeZone } = policy
  return deletionInstant(row.callEndedAt.getTime(), { period, timeZone })
}

function fateOf(
  row: Row,
  {
    policy,
    deleteAfterMs,
    hold,
    nowMs,
  }: {
    readonly policy: ServiceLinePolicy | undefined
    readonly deleteAfterMs: number | undefined
    readonly hold: ActiveHold | undefined
    readonly nowMs: number
  },
): Fate {
  if (row.state === 'deleted') return { kind: 'deleted', atMs: row.deletedAt?.getTime() ?? nowMs }
  if (row.state === 'deleting') {
    return { kind: 'deleting', sinceMs: row.deletingAt?.getTime() ?? nowMs }
  }
  if (hold) return { kind: 'held', hold, deleteAfterMs }
  if (row.state === 'recording' || !row.callEndedAt) return { kind: 'open' }
  if (!policy) return { kind: 'unruled' }
  if (deleteAfterMs === undefined) return { kind: 'kept' }
  return { kind: deleteAfterMs <= nowMs ? 'due' : 'planned', deleteAfterMs }
}
