import { Temporal } from 'temporal-polyfill'

/** How long a line keeps its recordings: an ISO 8601 duration, counted in an IANA time zone's calendar. */
export interface RetentionPeriod {
  readonly period: string
  readonly timeZone: string
}

/** Clocks are set by three hours at most, anywhere. */
const CLOCK_CHANGE_MS = 3 * 3_600_000

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

/**
 * A bound for searching: no call that ended later than this is due at `nowMs`. Of those that ended
 * earlier, calls of the last days may not be due yet, since months of different length fold days together.
 */
export function latestDueEnd(nowMs: number, { period, timeZone }: RetentionPeriod): number {
  const now = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(timeZone)
  const today = now.toPlainDate()
  // Going back lands on a day that is due today or, where months fold, a few days short of the last such one.
  let day = today.subtract(period).subtract({ days: 4 })
  for (;;) {
    const next = day.add({ days: 1 })
    if (Temporal.PlainDate.compare(next.add(period), today) > 0) break
    day = next
  }
  const latest = day.toZonedDateTime({ timeZone, plainTime: now.toPlainTime() })
  return latest.epochMilliseconds + CLOCK_CHANGE_MS
}

/** An instant as people of the zone read it, for example `2026-02-28 14:05:00 Europe/Helsinki`. */
export function localTime(epochMs: number, timeZone: string): string {
  const local = Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(timeZone)
  const time = local.toPlainTime().toString({ smallestUnit: 'second' })
  return `${local.toPlainDate()} ${time} ${timeZone}`
}
