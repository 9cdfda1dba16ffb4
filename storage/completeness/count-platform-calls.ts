import type { Queryable } from '../database.ts'
import type { CompletenessPeriod } from './read-completeness.ts'

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
