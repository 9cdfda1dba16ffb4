import { beyond, pageOf, valuesBeyond } from '../contact-search.ts'
import type { Queryable } from '../database.ts'
import {
  type CallStanding,
  type CompletenessPeriod,
  HAS_ENDED_BEFORE,
  splitReasons,
  VERDICT_WITHIN_MS,
} from './read-completeness.ts'

export interface CallListFilter extends CompletenessPeriod {
  /** All where absent. */
  readonly outcome?: CallStanding | undefined
  readonly reason?: string | undefined
  readonly cursor?: string | undefined
  /** 1 to 500. */
  readonly limit: number
}

/** One call and what became of it. Times are ISO 8601 UTC with milliseconds. */
export interface CallView {
  readonly contactId: string
  readonly callId: string
  readonly platformReference: string | null
  readonly node: string
  readonly serviceLine: string
  readonly startedAt: string
  readonly answeredAt: string | null
  readonly endedAt: string | null
  readonly endReason: string | null
  readonly outcome: CallStanding
  readonly reasons: readonly string[]
  readonly recordingIds: readonly string[]
}

export interface CallPage {
  /** Newest first. */
  readonly items: readonly CallView[]
  readonly nextCursor: string | null
}

interface Row {
  readonly contactId: string
  readonly callId: string
  readonly platformReference: string | null
  readonly node: string
  readonly serviceLine: string
  readonly startedAt: Date
  readonly answeredAt: Date | null
  readonly endedAt: Date | null
  readonly endReason: string | null
  readonly outcome: CallStanding | null
  readonly isOverdue: 0 | 1
  readonly reasons: string
}

/** Calls of a period one by one. Rejects with `bad_cursor` for a cursor that no page gave. */
export async function listCalls(
  database: Queryable,
  filter: CallListFilter,
  nowMs: number,
): Promise<CallPage> {
  const { conditions, values } = conditionsOf(filter, nowMs)
  const endedBefore = new Date(nowMs - VERDICT_WITHIN_MS)
  const rows: Row[] = await database.query(
    `SELECT c.id AS contactId, c.call_id AS callId, c.platform_reference AS platformReference, c.node_id AS node,
       c.service_line AS serviceLine, c.started_at AS startedAt, c.answered_at AS answeredAt,
       c.ended_at AS endedAt, c.end_reason AS endReason, c.outcome, c.outcome_reasons AS reasons,
       c.outcome IS NULL AND COALESCE(${HAS_ENDED_BEFORE}, FALSE) AS isOverdue
     FROM contacts c FORCE INDEX (${indexFor(filter)})
     WHERE ${conditions.join(' AND ')}
     ORDER BY c.started_at DESC, c.id DESC LIMIT ?`,
    [endedBefore, endedBefore, ...values, filter.limit + 1],
  )
  const { page, nextCursor } = pageOf(rows, filter.limit, {
    cursorOf: ({ startedAt, contactId }) => ({ startedAtMs: startedAt.getTime(), id: contactId }),
  })
  const recordings = await recordingsOf(
    database,
    page.map(({ contactId }) => contactId),
  )
  return {
    items: page.map((row) => view(row, recordings.get(row.contactId) ?? [])),
    nextCursor,
  }
}

function indexFor({ outcome, serviceLine }: CallListFilter): string {
  if (outcome !== undefined) return 'by_outcome'
  return serviceLine === undefined ? 'by_time' : 'by_line'
}

function conditionsOf(filter: CallListFilter, nowMs: number) {
  const { outcome, reason, fromMs, toMs, serviceLine, cursor } = filter
  const endedBefore = new Date(nowMs - VERDICT_WITHIN_MS)
  const parts: (readonly [sql: string, ...values: unknown[]])[] = [
    ['c.joined_into IS NULL'],
    ['c.started_at >= ? AND c.started_at < ?', new Date(fromMs), new Date(toMs)],
  ]
  if (outcome === 'overdue') {
    parts.push(['c.outcome IS NULL'], [HAS_ENDED_BEFORE, endedBefore, endedBefore])
  } else if (outcome === 'open') {
    parts.push(['c.outcome IS NULL'])
    parts.push([`NOT COALESCE(${HAS_ENDED_BEFORE}, FALSE)`, endedBefore, endedBefore])
  } else if (outcome !== undefined) {
    parts.push(['c.outcome = ?', outcome])
  }
  if (reason !== undefined) {
    parts.push(['FIND_IN_SET(CONVERT(? USING ascii), c.outcome_reasons) > 0', reason])
  }
  if (serviceLine !== undefined) {
    parts.push(['c.service_line = CONVERT(? USING ascii)', serviceLine])
  }
  if (cursor !== undefined) {
    parts.push([beyond('c.started_at', 'c.id'), ...valuesBeyond(cursor)])
  }
  return {
    conditions: parts.map(([sql]) => sql),
    values: parts.flatMap(([, ...values]) => values),
  }
}

async function recordingsOf(
  database: Queryable,
  contactIds: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>()
  if (contactIds.length === 0) return found
  const rows: { id: string; contactId: string }[] = await database.query(
    `SELECT id, contact_id AS contactId FROM recordings WHERE contact_id IN (?) ORDER BY started_at, id`,
    [contactIds],
  )
  for (const { id, contactId } of rows) {
    found.set(contactId, [...(found.get(contactId) ?? []), id])
  }
  return found
}

function view(row: Row, recordingIds: readonly string[]): CallView {
  const { startedAt, answeredAt, endedAt, outcome, isOverdue, reasons, ...rest } = row
  return {
    ...rest,
    startedAt: startedAt.toISOString(),
    answeredAt: answeredAt?.toISOString() ?? null,
    endedAt: endedAt?.toISOString() ?? null,
    outcome: outcome ?? (isOverdue ? 'overdue' : 'open'),
    reasons: splitReasons(reasons),
    recordingIds,
  }
}
