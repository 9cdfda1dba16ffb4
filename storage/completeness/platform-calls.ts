import { createHash } from 'node:crypto'
import { newId } from '../../base/uuid.ts'
import { type Cursor, decodeCursor, encodeCursor } from '../contact-search.ts'
import type { Queryable } from '../database.ts'
import { matchCalls } from './match-calls.ts'
import type { CompletenessPeriod } from './read-completeness.ts'

/** A call as the platform lists it. */
export interface ListedCall {
  /** What the platform calls it, at most 255 characters. */
  readonly reference: string | null
  /** SIP Call-ID. */
  readonly callId: string | null
  readonly startedAtMs: number
  /** A local time that the clock showed twice, of which `startedAtMs` is the first. */
  readonly isAmbiguous: boolean
  readonly durationS: number | null
  /** Null where the list does not say. */
  readonly wasAnswered: boolean | null
  /** As listed; null where it was withheld or is not there. */
  readonly caller: string | null
  readonly callerE164: string | null
  readonly serviceNumber: string | null
  readonly serviceNumberE164: string | null
  readonly serviceLine: string
}

export interface TakenCalls {
  /** New ones. */
  readonly taken: number
  /** Those that an earlier import brought. */
  readonly known: number
  /** All of these calls whose contact is known now. */
  readonly matched: number
}

/** Takes some calls of a list and looks for their contacts. Taking them again changes nothing. At most a few thousand. */
export async function takeListedCalls(
  database: Queryable,
  calls: readonly ListedCall[],
  parts: { readonly list: string; readonly toleranceMs: number; readonly nowMs: number },
): Promise<TakenCalls> {
  const { list, toleranceMs, nowMs } = parts
  const byFingerprint = new Map(calls.map((call) => [fingerprintOf(call), call]))
  if (byFingerprint.size === 0) return { taken: 0, known: 0, matched: 0 }
  const known = await fingerprintsOf(database, list, byFingerprint)
  const fresh = [...byFingerprint].filter(([fingerprint]) => !known.has(fingerprint))
  if (fresh.length > 0) {
    await database.query(
      `INSERT INTO platform_calls (id, list, fingerprint, reference, call_id, started_at, is_ambiguous, tolerance_ms,
         duration_s, was_answered, caller, caller_e164, service_number, service_number_e164, service_line, imported_at)
       VALUES ${fresh.map(() => '(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)').join(', ')}
       ON DUPLICATE KEY UPDATE id = platform_calls.id`,
      fresh.flatMap(([fingerprint, call]) => [
        newId(),
        list,
        fingerprint,
        call.reference,
        call.callId,
        new Date(call.startedAtMs),
        call.isAmbiguous,
        toleranceMs,
        call.durationS,
        call.wasAnswered,
        call.caller,
        call.callerE164,
        call.serviceNumber,
        call.serviceNumberE164,
        call.serviceLine,
        new Date(nowMs),
      ]),
    )
  }
  const unmatched: { id: string }[] = await database.query(
    'SELECT id FROM platform_calls WHERE list = ? AND fingerprint IN (?) AND contact_id IS NULL',
    [list, [...byFingerprint.keys()]],
  )
  const found = await matchCalls(
    database,
    unmatched.map(({ id }) => id),
  )
  return {
    taken: fresh.length,
    known: calls.length - fresh.length,
    matched: byFingerprint.size - unmatched.length + found,
  }
}

async function fingerprintsOf(
  database: Queryable,
  list: string,
  wanted: ReadonlyMap<string, ListedCall>,
): Promise<ReadonlySet<string>> {
  const rows: { fingerprint: string }[] = await database.query(
    'SELECT fingerprint FROM platform_calls WHERE list = ? AND fingerprint IN (?)',
    [list, [...wanted.keys()]],
  )
  return new Set(rows.map(({ fingerprint }) => fingerprint))
}

/** Equal for one call, however often its list is imported. */
function fingerprintOf(call: ListedCall): string {
  const facts = [call.reference, call.callId, call.startedAtMs, call.caller, call.serviceNumber]
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex')
}

/** How a period's listed calls agree with its contacts. */
export interface PlatformCounts {
  /** Listed calls. */
  readonly calls: number
  readonly matched: number
  /** Answered ones, or of which nobody says, without a contact: they never came here. */
  readonly missing: number
  /** Unanswered ones without a contact: a platform may not send those. */
  readonly notSent: number
  /** From the first to the last listed call of the period; null where there is none. */
  readonly firstAt: string | null
  readonly lastAt: string | null
}

export async function countPlatformCalls(
  database: Queryable,
  { fromMs, toMs, serviceLine }: CompletenessPeriod,
): Promise<PlatformCounts> {
  const [row] = await database.query(
    `SELECT COUNT(*) AS calls, COUNT(contact_id) AS matched,
       COALESCE(SUM(contact_id IS NULL AND COALESCE(was_answered, TRUE)), 0) AS missing,
       MIN(started_at) AS firstAt, MAX(started_at) AS lastAt
     FROM platform_calls FORCE INDEX (by_match) WHERE started_at >= ? AND started_at < ?
       ${serviceLine === undefined ? '' : 'AND service_line = CONVERT(? USING ascii)'}`,
    [new Date(fromMs), new Date(toMs), ...(serviceLine === undefined ? [] : [serviceLine])],
  )
  const { calls, matched, missing, firstAt, lastAt } = row
  return {
    calls,
    matched,
    missing,
    notSent: calls - matched - missing,
    firstAt: firstAt?.toISOString() ?? null,
    lastAt: lastAt?.toISOString() ?? null,
  }
}

/** A listed call that never came here. */
export interface MissingCallView {
  readonly list: string
  readonly platformReference: string | null
  readonly callId: string | null
  readonly startedAt: string
  readonly durationS: number | null
  readonly caller: string | null
  readonly serviceNumber: string | null
  readonly serviceLine: string
}

export interface MissingCallPage {
  /** Newest first. */
  readonly items: readonly MissingCallView[]
  readonly nextCursor: string | null
}

/** Rejects with `bad_cursor` for a cursor that no page gave. */
export async function listMissingCalls(
  database: Queryable,
  filter: CompletenessPeriod & { readonly cursor?: string | undefined; readonly limit: number },
): Promise<MissingCallPage> {
  const { fromMs, toMs, serviceLine, cursor, limit } = filter
  const after = cursor === undefined ? undefined : decodeCursor(cursor)
  const afterAt = after && new Date(after.startedAtMs)
  const rows: (Omit<MissingCallView, 'startedAt'> & { id: string; startedAt: Date })[] =
    await database.query(
      `SELECT id, list, reference AS platformReference, call_id AS callId, started_at AS startedAt,
         duration_s AS durationS, COALESCE(caller_e164, caller) AS caller,
         COALESCE(service_number_e164, service_number) AS serviceNumber, service_line AS serviceLine
       FROM platform_calls
       WHERE contact_id IS NULL AND COALESCE(was_answered, TRUE) AND started_at >= ? AND started_at < ?
         ${serviceLine === undefined ? '' : 'AND service_line = CONVERT(? USING ascii)'}
         ${after ? 'AND started_at <= ? AND (started_at < ? OR id < ?)' : ''}
       ORDER BY started_at DESC, id DESC LIMIT ?`,
      [
        new Date(fromMs),
        new Date(toMs),
        ...(serviceLine === undefined ? [] : [serviceLine]),
        ...(after ? [afterAt, afterAt, after.id] : []),
        limit + 1,
      ],
    )
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  const next: Cursor | undefined =
    rows.length > limit && last ? { startedAtMs: last.startedAt.getTime(), id: last.id } : undefined
  return {
    items: page.map(({ id: _, startedAt, ...call }) => ({
      ...call,
      startedAt: startedAt.toISOString(),
    })),
    nextCursor: next ? encodeCursor(next) : null,
  }
}
