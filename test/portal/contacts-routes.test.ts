import fc from 'fast-check'
import t from 'tap'
import { newId } from '../../base/uuid.ts'
import type { ContactPage } from '../../storage/model.ts'
import { number, STARTED_AT_MS, WITHHELD, wholeCall } from '../storage/journal-entries.ts'
import { answerValidator, validated } from './answer-validator.ts'
import { startTestPortal } from './portal.ts'

const portal = await startTestPortal()
t.teardown(() => portal.close())
const validate = await answerValidator(portal.url)

async function ask(path: string, documented: string) {
  return validated(validate, await portal.ask(path), documented)
}

async function find(query: string): Promise<ContactPage> {
  const { status, body, wrong } = await ask(`/api/contacts?${query}`, '/api/contacts')
  t.equal(status, 200, query)
  t.equal(wrong, undefined, query)
  return body as ContactPage
}

async function mistakes(query: string): Promise<unknown> {
  const { status, body, wrong } = await ask(`/api/contacts?${query}`, '/api/contacts')
  t.equal(status, 400, query)
  t.equal(wrong, undefined, query)
  return (body as { parameters: unknown }).parameters
}

const plain = wholeCall({ callId: 'plain@192.0.2.1' })
const other = wholeCall({
  callId: 'other@192.0.2.1',
  caller: { raw: '0401', e164: null, display: '0401', isWithheld: false },
  serviceNumber: number('+12025550101'),
  serviceLine: 'puhelunvalitys',
  agent: 'agent-8',
  startedAtMs: STARTED_AT_MS + 3_600_000,
})
const withheld = wholeCall({
  callId: 'withheld@192.0.2.1',
  caller: WITHHELD,
  agent: null,
  startedAtMs: STARTED_AT_MS + 7_200_000,
})
for (const { entries } of [plain, other, withheld]) await portal.apply(entries)

t.test('contacts come newest first, as the document describes them', async (t) => {
  const { items, nextCursor } = await find('')
  t.same(
    items.map(({ id }) => id),
    [withheld.contactId, other.contactId, plain.contactId],
  )
  t.equal(nextCursor, null)
  t.match(items[2], {
    callId: 'plain@192.0.2.1',
    caller: '+12025550147',
    startedAt: '2026-01-15T08:30:00.123Z',
    recordings: [{ id: plain.recordingId, state: 'complete', channels: ['caller', 'agent'] }],
  })
  t.match(items[0], { caller: null, callerRaw: null, callerWithheld: true })
})

t.test('each filter finds its contact and no other', async (t) => {
  for (const [query, expected] of [
    ['callId=plain%40192.0.2.1', plain],
    ['caller=%2B12025550147', plain],
    ['caller=0401', other],
    ['serviceNumber=%2B12025550101', other],
    ['serviceLine=puhelunvalitys', other],
    ['agent=agent-8', other],
    ['from=2026-01-15T10:30:00.123Z', withheld],
    ['to=2026-01-15T09:30:00.123Z', plain],
    ['from=2026-01-15T09:30:00Z&to=2026-01-15T10:30:00Z', other],
    ['from=2026-01-15T11:30:00%2B02:00&to=2026-01-15T12:30:00%2B02:00', other],
    ['agent=agent-7&caller=%2B12025550147&serviceLine=asiakastuki', plain],
  ] as const) {
    const { items } = await find(query)
    t.same(
      items.map(({ id }) => id),
      [expected.contactId],
      query,
    )
  }
  for (const query of ['callId=x', 'caller=%2B12025550199', 'agent=agent', 'serviceLine=x']) {
    t.same(await find(query), { items: [], nextCursor: null }, query)
  }
})

t.test('a plus sign that nobody escaped is still one', async (t) => {
  t.equal((await find('caller=+12025550147')).items[0]?.id, plain.contactId)
  t.equal((await find('serviceNumber=+12025550101')).items[0]?.id, other.contactId)
  t.equal((await find('from=2026-01-15T12:30:00+02:00')).items[0]?.id, withheld.contactId)
})

t.test('pages of contacts that started in one instant hold each exactly once', async (t) => {
  const calls = Array.from({ length: 25 }, () =>
    wholeCall({ callId: 'same@192.0.2.1', startedAtMs: STARTED_AT_MS + 86_400_000 }),
  )
  for (const { entries } of calls) await portal.apply(entries)
  const seen: string[] = []
  let cursor: string | null = null
  do {
    const after = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page: ContactPage = await find(`callId=same%40192.0.2.1&limit=4${after}`)
    seen.push(...page.items.map(({ id }) => id))
    cursor = page.nextCursor
  } while (cursor !== null)
  t.equal(seen.length, 25)
  t.same(seen.toSorted(), calls.map(({ contactId }) => contactId).toSorted())
})

t.test('one contact is found by its id', async (t) => {
  const path = '/api/contacts/{id}'
  const found = await ask(`/api/contacts/${plain.contactId}`, path)
  t.match(found, { status: 200, wrong: undefined, body: { id: plain.contactId } })
  for (const id of [newId(), 'x', '%00', '..%2Frecordings', plain.contactId.toUpperCase()]) {
    const unknown = await ask(`/api/contacts/${id}`, path)
    t.match(unknown, { status: 404, wrong: undefined, body: { code: 'contact_unknown' } }, id)
  }
  const metadataPath = '/api/contacts/{id}/metadata'
  const metadata = await ask(`/api/contacts/${plain.contactId}/metadata`, metadataPath)
  t.match(metadata, {
    status: 200,
    wrong: undefined,
    body: { items: [{ document: '<recording/>' }] },
  })
  const none = await ask(`/api/contacts/${newId()}/metadata`, metadataPath)
  t.match(none, { status: 404, wrong: undefined, body: { code: 'contact_unknown' } })
  const wrong = await ask(`/api/contacts/${plain.contactId}?x=1`, path)
  t.match(wrong, { status: 400, wrong: undefined })
})

t.test('a mistake names the parameter, what was found and what is expected', async (t) => {
  t.same(await mistakes('limit=0'), [
    { parameter: 'limit', found: '0', expected: 'a whole number from 1 to 500' },
  ])
  t.match(await mistakes('from=2026-01-15'), [
    { parameter: 'from', found: '2026-01-15', expected: /ISO 8601 instant with its zone/ },
  ])
  t.match(await mistakes('from=9999-12-31T23:59:59Z'), [
    { parameter: 'from', expected: 'a year from 1970 to 9998' },
  ])
  t.same(await mistakes('caller=a&caller=b'), [
    { parameter: 'caller', found: 'a, b', expected: 'one value' },
  ])
  t.match(await mistakes('callid=x'), [
    { parameter: 'callid', found: 'x', expected: /^one of the parameters callId, caller, / },
  ])
  t.match(await mistakes('cursor=x'), [
    { parameter: 'cursor', found: 'x', expected: 'the nextCursor of the page before' },
  ])
  t.match(await mistakes('from=2026-01-15T09:00:00Z&to=2026-01-15T09:00:00Z'), [
    { parameter: 'to', expected: 'an instant after from (2026-01-15T09:00:00Z)' },
  ])
  t.match(await mistakes(`agent=${'x'.repeat(256)}&limit=501&callId=`), [
    { parameter: 'callId', found: '' },
    { parameter: 'agent', found: `${'x'.repeat(80)}…`, expected: /1 to 255 characters/ },
    { parameter: 'limit', found: '501' },
  ])
})

t.test('whatever stands in the query, the answer is 200 or 400', async (t) => {
  const names = 'callId caller serviceNumber serviceLine agent from to cursor limit x'.split(' ')
  const instant = fc
    .date({ min: new Date(-1e15), max: new Date(3e14), noInvalidDate: true })
    .map((date) => date.toISOString())
  const forgedCursor = fc
    .tuple(fc.oneof(fc.maxSafeNat(), fc.string()), fc.uuid())
    .map(([at, id]) => Buffer.from(`${at}.${id}`).toString('base64url'))
  const value = fc.oneof(
    fc.string({ unit: 'binary' }).map(encodeURIComponent),
    fc.stringMatching(/^[\x21-\x7e]{0,40}$/).map((text) => text.replaceAll('#', '%')),
    fc.constantFrom('%', '%FF', '%00', '%F0%9F%98%80', "'", '1e3', '0x10', '-1', '500', '\\'),
    instant,
    forgedCursor,
  )
  const query = fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(query, async (pairs) => {
      const text = pairs.map(([name, one]) => `${name}=${one}`).join('&')
      const response = await portal.ask(`/api/contacts?${text}`)
      const body = await response.text()
      if (response.status !== 200 && response.status !== 400) t.fail(`${text}: ${body}`)
    }),
    { numRuns: 300 },
  )
  t.equal(
    await portal.metric('tallenne_portal_requests_total{route="/api/contacts",status_class="5xx"}'),
    undefined,
  )
})

t.test('with the database away the answer is 503, and 200 when it is back', async (t) => {
  await portal.mariadb.stop('SIGKILL')
  const away = await ask('/api/contacts', '/api/contacts')
  t.match(away, { status: 503, wrong: undefined, body: { code: 'database_unreachable' } })
  await portal.mariadb.start()
  t.equal((await portal.ask('/api/contacts')).status, 200)
})
