import type { Queryable } from '../database.ts'
import { CALL_OUTCOMES, type CallOutcome } from './settle-outcome.ts'

/**
 * What a call is counted as: its outcome, or `open` while it goes on or has just ended, or `overdue` where a minute after
 * its end there is no verdict, which is an error of ours.
 */
export type CallStanding = CallOutcome | 'open' | 'overdue'

export const CALL_STANDINGS = [...CALL_OUTCOMES, 'open', 'overdue'] as const

/** A call that has no verdict so long after its end is overdue. */
export const VERDICT_WITHIN_MS = 60_000

export interface CompletenessPeriod {
  /** Calls that began at or after. */
  readonly fromMs: number
  /** Calls that began before. */
  readonly toMs: number
  readonly serviceLine?: string | undefined
}

export type StandingCounts = Readonly<Record<CallStanding, number>>

export interface LineCompleteness {
  readonly serviceLine: string
  readonly calls: number
  readonly outcomes: StandingCounts
}

export interface CompletenessCounts {
  readonly calls: number
  readonly outcomes: StandingCounts
  /** Why calls are what they are; a call with two reasons counts for both. The most frequent first. */
  readonly reasons: readonly {
    readonly outcome: CallStanding
    readonly reason: string
    readonly calls: number
  }[]
  readonly serviceLines: readonly LineCompleteness[]
}

interface CountedRow {
  readonly standing: CallStanding
  readonly serviceLine: string
  readonly reasons: string
  readonly calls: number
}

/** Counts the calls of a period, each once, by what became of it. Settled calls are counted out of one index. */
export async function readCompleteness(
  database: Queryable,
  period: CompletenessPeriod,
  nowMs: number,
): Promise<CompletenessCounts> {
  const [settled, unsettled] = await Promise.all([
    countSettled(database, period),
    countUnsettled(database, period, nowMs),
  ])
  const rows = [...settled, ...unsettled]
  const lines = new Map<string, CountedRow[]>()
  for (const row of rows) lines.set(row.serviceLine, [...(lines.get(row.serviceLine) ?? []), row])
  return {
    ...sum(rows),
    reasons: countReasons(rows),
    serviceLines: [...lines]
      .map(([serviceLine, ofLine]) => ({ serviceLine, ...sum(ofLine) }))
      .sort((a, b) => b.calls - a.calls || a.serviceLine.localeCompare(b.serviceLine)),
  }
}

async function countSettled(
  database: Queryable,
  { fromMs, toMs, serviceLine }: CompletenessPeriod,
): Promise<readonly CountedRow[]> {
  return database.query(
    `SELECT outcome AS standing, service_line AS serviceLine, outcome_reasons AS reasons, COUNT(*) AS calls
     FROM contacts FORCE INDEX (by_outcome)
     WHERE outcome IN (?) AND started_at >= ? AND started_at < ? ${serviceLine === undefined ? '' : 'AND service_line = CONVERT(? USING ascii)'}
     GROUP BY outcome, service_line, outcome_reasons`,
    [
      CALL_OUTCOMES,
      new Date(fromMs),
      new Date(toMs),
      ...(serviceLine === undefined ? [] : [serviceLine]),
    ],
  )
}

/** Whether the contact and all its further sessions had ended before a moment. */
export const HAS_ENDED_BEFORE = `c.ended_at < ? AND NOT EXISTS (
  SELECT 1 FROM contacts s WHERE s.joined_into = c.id AND (s.ended_at IS NULL OR s.ended_at >= ?))`

async function countUnsettled(
  database: Queryable,
  { fromMs, toMs, serviceLine }: CompletenessPeriod,
  nowMs: number,
): Promise<readonly CountedRow[]> {
  const endedBefore = new Date(nowMs - VERDICT_WITHIN_MS)
  return database.query(
    `SELECT IF(${HAS_ENDED_BEFORE}, 'overdue', 'open') AS standing, c.service_line AS serviceLine,
       '' AS reasons, COUNT(*) AS calls
     FROM contacts c FORCE INDEX (by_outcome)
     WHERE c.outcome IS NULL AND c.started_at >= ? AND c.started_at < ?
       ${serviceLine === undefined ? '' : 'AND c.service_line = CONVERT(? USING ascii)'}
     GROUP BY standing, c.service_line`,
    [
      endedBefore,
      endedBefore,
      new Date(fromMs),
      new Date(toMs),
      ...(serviceLine === undefined ? [] : [serviceLine]),
    ],
  )
}

function sum(rows: readonly CountedRow[]): { calls: number; outcomes: StandingCounts } {
  const outcomes = Object.fromEntries(CALL_STANDINGS.map((standing) => [standing, 0]))
  for (const { standing, calls } of rows) outcomes[standing] = (outcomes[standing] ?? 0) + calls
  return {
    calls: rows.reduce((total, { calls }) => total + calls, 0),
    outcomes: outcomes as StandingCounts,
  }
}

function countReasons(rows: readonly CountedRow[]): CompletenessCounts['reasons'] {
  const counts = new Map<string, { outcome: CallStanding; reason: string; calls: number }>()
  for (const { standing: outcome, reasons, calls } of rows) {
    for (const reason of splitReasons(reasons)) {
      const key = `${outcome} ${reason}`
      const before = counts.get(key)?.calls ?? 0
      counts.set(key, { outcome, reason, calls: before + calls })
    }
  }
  return [...counts.values()].sort((a, b) => b.calls - a.calls || a.reason.localeCompare(b.reason))
}

/** Recordings of one call may have a reason in common. */
export function splitReasons(reasons: string): readonly string[] {
  return [...new Set(reasons.split(',').filter((reason) => reason !== ''))]
}
