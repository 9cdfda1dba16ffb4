import t from 'tap'
import { describeContacts } from '../../cli/api/describe-contact.ts'
import { formatInstant } from '../../cli/local-time.ts'
import { formatTable, wrap } from '../../cli/table.ts'
import type { ContactView } from '../../storage/model.ts'

const contact: ContactView = {
  id: '01a213c7-5164-77a5-a3e7-ef1140db872d',
  callId: 'a@192.0.2.1',
  capture: 'siprec',
  direction: 'inbound',
  caller: '+12025550147',
  callerRaw: '+12025550147',
  callerWithheld: false,
  serviceNumber: '+12025550100',
  serviceLine: 'a-line-with-a-very-long-name',
  agent: 'agent.with.long.name',
  platformReference: null,
  foundIn: { caller: null, serviceNumber: null, agent: null, platformReference: null },
  startedAt: '2026-03-29T00:59:59.999Z',
  answeredAt: null,
  endedAt: null,
  endReason: null,
  notes: {},
  segments: [],
  recordings: [],
  sessions: [],
}

t.test('contacts fit a screen of 80 columns', async (t) => {
  const lines = describeContacts([contact, { ...contact, callerWithheld: true }], 'Europe/Helsinki')
  t.equal(lines.length, 5)
  t.ok(lines.every((line) => line.length <= 80))
  t.match(lines[1], /^2026-03-29 02:59 {2}\+12025550147 {2}a-line-with-a…/)
  t.match(lines[3], /withheld/)
  t.notOk(lines[3]?.includes('+1202'))
})

t.test('instants carry their place’s offset, also on the day that clocks change', async (t) => {
  t.equal(
    formatInstant('2026-03-29T00:59:59.000Z', 'Europe/Helsinki'),
    '2026-03-29 02:59:59 +02:00',
  )
  t.equal(
    formatInstant('2026-03-29T01:00:00.000Z', 'Europe/Helsinki'),
    '2026-03-29 04:00:00 +03:00',
  )
  t.equal(formatInstant('2026-03-29T01:00:00.000Z', 'UTC'), '2026-03-29 01:00:00 +00:00')
})

t.test('columns are as wide as their widest cell, and texts break between words', async (t) => {
  t.strictSame(formatTable(['A', 'B'], [['long', 'x']]), ['A     B', 'long  x'])
  t.strictSame(wrap('one two three', 7), ['one two', 'three'])
  t.strictSame(wrap('averylongword x', 4), ['averylongword', 'x'])
})
