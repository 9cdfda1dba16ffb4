import { Temporal } from 'temporal-polyfill'

/** How long a line keeps its recordings: an ISO 8601 duration, counted in an IANA time zone's calendar. */
export interface RetentionPeriod {
  readonly period: string
  readonly timeZone: string
}

/** Clocks are set by three hours at most, anywhere. */
const CLOCK_CHANGE_MS = 3 * 3_600_000
/** At most four days come to one, at the end of a February; two more for the time of day and clock changes. */
const FOLDED_DAYS = 6

/**
 * When a recording is due, epoch milliseconds: the call's end plus the period in the zone's calendar.
 *
 * A day that the month does not have becomes its last one (31 December + P2M is the last of February), the
 * time of day is kept across clock changes, and a time that a change leaves out moves forward by its gap.
 * Throws a `RangeError` for a period or a zone that is none.
 */
export function deletionInstant(
  callEndedAtMs: number,
  { period, timeZone }: RetentionPeriod,
): number {
  return Temporal.Instant.fromEpochMilliseconds(callEndedAtMs)
    .toZonedDateTimeISO(timeZone)
    .add(period).epochMilliseconds
}

/** Which calls' recordings are due at one moment. */
export interface DueRule {
  /** No call that ended later than this is due. Epoch milliseconds. */
  readonly latestEndMs: number
  /** Every call that ended at or before this is due. Between the two, `isDue` knows. */
  readonly certainEndMs: number
  isDue(callEndedAtMs: number): boolean
}

/**
 * Tells what is due at `nowMs` in a form that an index can be searched by.
 *
 * Ends do not fall due in order: 28 to 31 December all come to 28 February, each at its own time of day.
 * So there is a bound beyond which nothing is due, and a few days below it where each call is looked at.
 */
export function dueRule(nowMs: number, { period, timeZone }: RetentionPeriod): DueRule {
  const now = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(timeZone)
  const today = now.toPlainDate()
  let day = today.subtract(period).subtract({ days: 4 })
  for (;;) {
    const next = day.add({ days: 1 })
    if (Temporal.PlainDate.compare(next.add(period), today) > 0) break
    day = next
  }
  // Where that day comes to an earlier one than today, as the last of a February may, all of it is due.
  const isWhole = Temporal.PlainDate.compare(day.add(period), today) < 0
  const latest = isWhole
    ? day.add({ days: 1 }).toZonedDateTime(timeZone)
    : day.toZonedDateTime({ timeZone, plainTime: now.toPlainTime() })
  const latestEndMs = latest.epochMilliseconds + CLOCK_CHANGE_MS
  const certainEndMs = latestEndMs - FOLDED_DAYS * 86_400_000
  return {
    latestEndMs,
    certainEndMs,
    isDue: (callEndedAtMs) =>
      callEndedAtMs <= certainEndMs ||
      (callEndedAtMs <= latestEndMs &&
        deletionInstant(callEndedAtMs, { period, timeZone }) <= nowMs),
  }
}

/** An instant as people of the zone read it, for example `2026-02-28 14:05:00 Europe/Helsinki`. */
export function localTime(epochMs: number, timeZone: string): string {
  const local = Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(timeZone)
  const time = local.toPlainTime().toString({ smallestUnit: 'second' })
  return `${local.toPlainDate()} ${time} ${timeZone}`
}
