import t from 'tap'
import { newId } from '../../../base/uuid.ts'
import { contactStarted, wholeCall } from '../../storage/journal-entries.ts'
import { answerValidator } from '../answer-validator.ts'
import { startTestPortal } from '../portal.ts'

const portal = await startTestPortal()
t.teardown(() => portal.close())
const validate = await answerValidator(portal.url)
const AT = Date.UTC(2026, 0, 15, 8)
const PERIOD = 'from=2026-01-15T00:00:00Z&to=2026-01-16T00:00:00Z'

async function ask(path: string, documented: string) {
  const response = await portal.ask(path)
  const body = JSON.parse(await response.text())
  const contentType = response.headers.get('content-type') ?? ''
  t.equal(validate(documented, { status: response.status, contentType, body }), undefined)
  return { status: response.status, body }
}

async function send(type: string, body: string, query = '') {
  const response = await portal.ask(`/api/completeness/calls${query}`, {
    method: 'POST',
    headers: { 'content-type': type },
    body,
  })
  return { status: response.status, body: JSON.parse(await response.text()) }
}

const complete = wholeCall({ startedAtMs: AT, platformReference: 'ref-1' })
const partial = wholeCall(
  { startedAtMs: AT + 60_000, platformReference: null },
  { state: 'partial', reasons: ['media_lost', 'paused'] },
)
const silent = wholeCall(
  { startedAtMs: AT + 120_000, serviceLine: 'tunnistamaton', platformReference: null },
  { state: 'silent', reasons: ['no_media'] },
)
const lost = wholeCall({ startedAtMs: AT + 180_000, platformReference: null })
const open = contactStarted({ startedAtMs: AT + 240_000, platformReference: null })
const refused = contactStarted({ startedAtMs: AT + 300_000, platformReference: null })
await portal.apply([
  ...complete.entries,
  ...partial.entries,
  ...silent.entries,
  ...lost.entries.slice(0, -1),
  open,
  refused,
  { kind: 'contact.ended', contactId: refused.contactId, endedAtMs: AT, endReason: 'refused_503' },
])

t.test('every call of a period is counted once, with why, by line', async (t) => {
  const { body } = await ask(`/api/completeness?${PERIOD}`, '/api/completeness')
  t.match(body, {
    from: '2026-01-15T00:00:00.000Z',
    isAccountedFor: false,
    calls: 6,
    outcomes: {
      complete: 1,
      partial: 1,
      silent: 1,
      failed: 0,
      refused: 1,
      unanswered: 0,
      exempt: 0,
      open: 1,
      overdue: 1,
    },
    platform: { calls: 0, missing: 0, firstAt: null },
    discrepancies: { no_verdict: 0 },
  })
  t.strictSame(body.reasons, [
    { outcome: 'partial', reason: 'media_lost', calls: 1 },
    { outcome: 'silent', reason: 'no_media', calls: 1 },
    { outcome: 'partial', reason: 'paused', calls: 1 },
    { outcome: 'refused', reason: 'refused_503', calls: 1 },
  ])
  t.match(body.serviceLines, [
    { serviceLine: 'asiakastuki', calls: 5 },
    { serviceLine: 'tunnistamaton', calls: 1, outcomes: { silent: 1 } },
  ])
  const line = await ask(
    `/api/completeness?${PERIOD}&serviceLine=tunnistamaton`,
    '/api/completeness',
  )
  t.match(line.body, { calls: 1, isAccountedFor: true })
  const none = await ask(`/api/completeness?${PERIOD}&serviceLine=%C3%A4`, '/api/completeness')
  t.match(none, { status: 200, body: { calls: 0 } })
})

t.test('every call is listed with the one outcome that it is counted as', async (t) => {
  const { body } = await ask(`/api/completeness?${PERIOD}`, '/api/completeness')
  const { outcomes, calls }: { outcomes: Record<string, number>; calls: number } = body
  const listed: string[] = []
  for (const [outcome, count] of Object.entries(outcomes)) {
    const path = `/api/completeness/calls?${PERIOD}&outcome=${outcome}`
    const { body: page } = await ask(path, '/api/completeness/calls')
    t.equal(page.items.length, count, outcome)
    for (const { contactId } of page.items) listed.push(contactId)
  }
  t.equal(listed.length, calls)
  t.equal(new Set(listed).size, calls)
  const all = await ask(`/api/completeness/calls?${PERIOD}`, '/api/completeness/calls')
  t.equal(all.body.items.length, calls)
})

for (const [query, mistake] of [
  ['from=2026-01-16T00:00:00Z&to=2026-01-15T00:00:00Z', { parameter: 'to' }],
  ['from=2026-01-16T00:00:00Z&to=2026-01-16T00:00:00Z', { parameter: 'to' }],
  ['from=2999-01-16T00:00:00Z', { parameter: 'from', expected: /before now/ }],
] as const) {
  t.test(`the period ${query} is told to be none`, async (t) => {
    const { status, body } = await ask(`/api/completeness?${query}`, '/api/completeness')
    t.match({ status, parameters: body.parameters }, { status: 400, parameters: [mistake] })
  })
}

t.test('periods without calls, and of all time, are counted', async (t) => {
  for (const [query, calls] of [
    ['from=2900-01-01T00:00:00Z&to=2900-02-01T00:00:00Z', 0],
    ['from=1970-01-01T00:00:00Z&to=9998-12-31T00:00:00Z', 6],
  ] as const) {
    const { body } = await ask(`/api/completeness?${query}`, '/api/completeness')
    t.equal(body.calls, calls, query)
  }
})

t.test('each count leads down to its calls', async (t) => {
  const idsOf = async (query: string) => {
    const { body } = await ask(
      `/api/completeness/calls?${PERIOD}&${query}`,
      '/api/completeness/calls',
    )
    return body.items.map(({ contactId }: { contactId: string }) => contactId)
  }
  t.strictSame(await idsOf('outcome=overdue'), [lost.contactId])
  t.strictSame(await idsOf('outcome=open'), [open.contactId])
  t.strictSame(await idsOf('outcome=partial&reason=paused'), [partial.contactId])
  t.strictSame(await idsOf('outcome=partial&reason=paus'), [])
  t.strictSame(await idsOf('serviceLine=tunnistamaton'), [silent.contactId])
  const first = await ask(`/api/completeness/calls?${PERIOD}&limit=4`, '/api/completeness/calls')
  t.equal(first.body.items.length, 4)
  const rest = await idsOf(`limit=4&cursor=${first.body.nextCursor}`)
  t.strictSame(rest, [partial.contactId, complete.contactId])
  t.match(first.body.items[0], { outcome: 'refused', reasons: ['refused_503'], recordingIds: [] })
  t.equal((await portal.ask('/api/completeness/calls?cursor=x')).status, 400)
  t.equal((await portal.ask('/api/completeness/calls?outcome=good')).status, 400)
})

const CSV = `Start Time;ANI;DNIS;UCID;Answered
15.1.2026 10.00.02;;;ref-1;yes
15.1.2026 10.01.05;202-555-0147;+12025550100;;yes
15.1.2026 10.02.00;202-555-0199;+12025550100;;yes
15.1.2026 10.03.30;202-555-0198;+12025550100;;no
tomorrow;202-555-0147;+12025550100;;yes
`

t.test(
  'the platform’s list shows what never came, and taking it again changes nothing',
  async (t) => {
    const once = await send('text/csv', CSV)
    t.match(once, { status: 200, body: { read: 5, taken: 4, known: 0, matched: 2, rejected: 1 } })
    t.match(once.body.mistakes, [
      { line: 6, column: 'Start Time', found: 'tomorrow', expected: /a time as/ },
    ])
    t.match((await send('text/csv', CSV)).body, { taken: 0, known: 4, matched: 2 })
    const { body } = await ask(`/api/completeness?${PERIOD}`, '/api/completeness')
    t.match(body.platform, { calls: 4, matched: 2, missing: 1, notSent: 1 })
    const missing = await ask(`/api/completeness/missing?${PERIOD}`, '/api/completeness/missing')
    t.match(missing.body.items, [
      {
        list: 'platform',
        caller: '+12025550199',
        serviceNumber: '+12025550100',
        serviceLine: 'asiakastuki',
        startedAt: '2026-01-15T08:02:00.000Z',
      },
    ])
    const kept = await portal.pool.query(
      'SELECT caller, caller_e164, matched_by FROM platform_calls WHERE contact_id IS NOT NULL ORDER BY matched_by',
    )
    t.match(kept, [
      { caller: null, caller_e164: null, matched_by: 'reference' },
      { caller: null, caller_e164: null, matched_by: 'numbers' },
    ])
  },
)

t.test('calls of one caller shortly after each other each find their own contact', async (t) => {
  const callers = [0, 4000, 8000].map((after) =>
    wholeCall({
      startedAtMs: AT + 3_600_000 + after,
      caller: {
        raw: '+12025550123',
        e164: '+12025550123',
        display: '+12025550123',
        isWithheld: false,
      },
    }),
  )
  await portal.apply(callers.flatMap(({ entries }) => entries))
  const calls = [1000, 5000, 9000, 13_000].map((after) => ({
    startedAt: new Date(AT + 3_600_000 + after).toISOString(),
    caller: '+1 202 555 0123',
    answered: true,
  }))
  const { body } = await send('application/json', JSON.stringify({ calls }), '?list=second')
  t.match(body, { read: 4, taken: 4, matched: 3, rejected: 0 })
  const rows = await portal.pool.query(
    "SELECT contact_id FROM platform_calls WHERE list = 'second' ORDER BY started_at",
  )
  t.strictSame(
    rows.map(({ contact_id }: { contact_id: string | null }) => contact_id),
    [...callers.map(({ contactId }) => contactId), null],
  )
})

t.test('a number that came or is listed without its plus sign is the same number', async (t) => {
  const startedAtMs = AT + 7_200_000
  const none = { display: '+12025550166', isWithheld: false }
  const [bare, full] = [
    wholeCall({ startedAtMs, caller: { raw: '12025550166', e164: null, ...none } }),
    wholeCall({ startedAtMs, caller: { raw: '+12025550167', e164: '+12025550167', ...none } }),
  ]
  await portal.apply([...bare.entries, ...full.entries])
  const startedAt = new Date(startedAtMs + 8000).toISOString()
  const calls = ['+1 202-555-0166', '1 (202) 555 0167'].map((caller) => ({ startedAt, caller }))
  const { body } = await send('application/json', JSON.stringify({ calls }), '?list=plus')
  t.match(body, { taken: 2, matched: 2 })
})

t.test('a call whose row comes after the list is found by its Call-ID', async (t) => {
  const callId = `${newId()}@192.0.2.1`
  const call = { startedAt: new Date(AT).toISOString(), callId }
  t.match((await send('application/json', JSON.stringify({ calls: [call] }))).body, { matched: 0 })
  await portal.apply(wholeCall({ startedAtMs: AT + 1, callId }).entries)
  t.match((await send('application/json', JSON.stringify({ calls: [call] }))).body, {
    taken: 0,
    matched: 1,
  })
})

t.test('a list that is none is refused with what is wrong', async (t) => {
  for (const [type, body, query, code, detail] of [
    ['text/csv', 'a,b\n1,2\n', '', 'bad_columns', /needs a column for startedAt/],
    ['text/csv', '"start,ani\n1', '', 'bad_list', /^Line 1: expected a field whose quotes end/],
    ['text/csv; charset=klingon', 'start,ani\n', '', 'bad_list', /klingon/],
    ['text/csv', CSV, '?columns=caller=Wer', 'bad_columns', /no column "Wer"/],
    ['text/csv', CSV, '?timeZone=Helsinki', 'invalid_parameter', /IANA/],
    ['text/csv', CSV, '?timeFormat=yy', 'invalid_parameter', /yyyy/],
    ['text/csv', CSV, '?timeFormat=yyyyMMddHHmmHH', 'invalid_parameter', /each once/],
    ['application/json', '{"calls":{}}', '', 'bad_list', /at most 5000 calls/],
  ] as const) {
    t.match(await send(type, body, query), { status: 400, body: { code, detail } }, body)
  }
  const long = `start,ani\n${'2026-01-15T08:00:00Z,\n'.repeat(800_000)}`
  t.match(await send('text/csv', long), { status: 413, body: { code: 'list_too_large' } })
})

t.test('who imported what stands in the audit trail', async (t) => {
  const [row] = await portal.pool.query(
    "SELECT details FROM audit_trail WHERE action = 'call_list_imported' ORDER BY sequence LIMIT 1",
  )
  t.match(JSON.parse(row.details), { list: 'platform', read: 5, taken: 4, matched: 2, rejected: 1 })
})
