import t from 'tap'
import { readTime } from '../../cli/read-time.ts'

const place = { timeZone: 'Europe/Helsinki' }
for (const [text, instant] of [
  ['2026-01-15', '2026-01-14T22:00:00.000Z'],
  ['2026-03-29', '2026-03-28T22:00:00.000Z'],
  ['2026-03-30', '2026-03-29T21:00:00.000Z'],
  ['2026-10-26', '2026-10-25T22:00:00.000Z'],
  ['2026-07-01T10:00', '2026-07-01T07:00:00.000Z'],
  ['2026-01-31T08:00:00Z', '2026-01-31T08:00:00.000Z'],
  ['2026-01-31T08:00:00+02:00', '2026-01-31T06:00:00.000Z'],
] as const) {
  t.test(`${text} is ${instant}`, async (t) => {
    t.equal(readTime(text, '--from', place), instant)
  })
}

for (const text of ['yesterday', '2026-02-30', '2026-01-31T25:00', '2026', '31.1.2026', '']) {
  t.test(`${text || 'nothing'} is no time`, async (t) => {
    t.throws(() => readTime(text, '--from', place), { code: 'option_value' })
  })
}
