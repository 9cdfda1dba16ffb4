import fc from 'fast-check'
import t from 'tap'
import { deletionInstant, dueRule, localTime } from '../../storage/deletion-instant.ts'

const timeZone = 'Europe/Helsinki'

function due(endedAt: string, period: string, zone = timeZone): string {
  return new Date(deletionInstant(Date.parse(endedAt), { period, timeZone: zone })).toISOString()
}

t.test('two months after 31 December is the last of February', (t) => {
  t.equal(due('2025-12-31T10:00:00.123Z', 'P2M'), '2026-02-28T10:00:00.123Z')
  t.equal(due('2027-12-31T10:00:00Z', 'P2M'), '2028-02-29T10:00:00.000Z')
  t.end()
})

t.test('six months after 31 August is the last of February', (t) => {
  // Summer time in August, winter time in February: 13:00 local is kept.
  t.equal(due('2026-08-31T10:00:00Z', 'P6M'), '2027-02-28T11:00:00.000Z')
  t.end()
})

t.test('a year after 29 February is 28 February', (t) => {
  t.equal(due('2028-02-29T12:00:00Z', 'P1Y'), '2029-02-28T12:00:00.000Z')
  t.end()
})

t.test('the time of day is kept across both clock changes', (t) => {
  t.equal(due('2026-02-10T10:00:00Z', 'P2M'), '2026-04-10T09:00:00.000Z')
  t.equal(due('2026-09-10T09:00:00Z', 'P2M'), '2026-11-10T10:00:00.000Z')
  t.end()
})

t.test('a time that the spring change leaves out moves forward', (t) => {
  // 29 March 2026, 03:00 to 04:00 does not exist in Helsinki.
  t.equal(due('2026-01-29T01:30:00Z', 'P2M'), '2026-03-29T01:30:00.000Z')
  t.equal(
    localTime(Date.parse('2026-03-29T01:30:00Z'), timeZone),
    '2026-03-29 04:30:00 Europe/Helsinki',
  )
  t.end()
})

t.test('a time that the autumn change repeats is the first of the two', (t) => {
  // 25 October 2026, 03:30 comes twice in Helsinki.
  t.equal(due('2026-08-25T00:30:00Z', 'P2M'), '2026-10-25T00:30:00.000Z')
  t.end()
})

t.test('the day is the zone’s day, not that of UTC', (t) => {
  // In Helsinki this is already 1 January.
  t.equal(due('2025-12-31T22:30:00Z', 'P2M'), '2026-02-28T22:30:00.000Z')
  t.equal(due('2025-12-31T22:30:00Z', 'P2M', 'UTC'), '2026-02-28T22:30:00.000Z')
  t.equal(due('2025-12-30T22:30:00Z', 'P2M'), '2026-02-27T22:30:00.000Z')
  t.end()
})

t.test('what is no period or no zone is a RangeError', (t) => {
  t.throws(() => due('2026-01-01T00:00:00Z', '2 months'), RangeError)
  t.throws(() => due('2026-01-01T00:00:00Z', 'P2M', 'Europe/Nowhere'), RangeError)
  t.end()
})

t.test('on a day that no call comes to, all of the day before is due', (t) => {
  const callEndedAtMs = Date.parse('2033-02-28T04:51:00Z')
  // The 29th of March comes after the 28th, to which the last of February goes, and before the 1st of April.
  const rule = dueRule(Date.parse('2033-03-28T21:00:00Z'), {
    period: 'P1M',
    timeZone: 'Europe/Helsinki',
  })
  t.ok(rule.isDue(callEndedAtMs))
  t.ok(callEndedAtMs <= rule.latestEndMs)
  t.end()
})

t.test('what is due by the rule is due by its instant', (t) => {
  const day = 86_400_000
  fc.assert(
    fc.property(
      fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2040, 0) }),
      fc.oneof(fc.constant(0), fc.integer({ min: -8 * day, max: 8 * day })),
      fc.constantFrom('P1D', 'P2W', 'P1M', 'P2M', 'P6M', 'P1Y', 'P1M10D', 'P1Y2M3W4D'),
      fc.constantFrom(timeZone, 'UTC', 'America/St_Johns', 'Australia/Lord_Howe'),
      (callEndedAtMs, offsetMs, period, zone) => {
        const dueMs = deletionInstant(callEndedAtMs, { period, timeZone: zone })
        const nowMs = dueMs + offsetMs
        const rule = dueRule(nowMs, { period, timeZone: zone })
        return (
          rule.isDue(callEndedAtMs) === dueMs <= nowMs &&
          (dueMs > nowMs || callEndedAtMs <= rule.latestEndMs) &&
          (dueMs <= nowMs || callEndedAtMs > rule.certainEndMs)
        )
      },
    ),
    {
      numRuns: 1000,
      examples: [[1_993_179_072_778, 61_727_222, 'P1M', 'Europe/Helsinki']],
    },
  )
  t.pass('held for every instant')
  t.end()
})
