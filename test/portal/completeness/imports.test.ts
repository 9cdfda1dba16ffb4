import t from 'tap'
import { newId } from '../../../base/uuid.ts'
import { identifyByAdminToken } from '../../../portal/identity.ts'
import { wholeCall } from '../../storage/journal-entries.ts'
import { answerValidator } from '../answer-validator.ts'
import { startTestPortal, TOKEN } from '../portal.ts'

const asAdmin = identifyByAdminToken(TOKEN)
const portal = await startTestPortal({
  identify: (authorization) =>
    authorization === 'Bearer officer'
      ? { name: 'officer', role: 'officer' }
      : asAdmin(authorization),
})
t.teardown(() => portal.close())
const validate = await answerValidator(portal.url)
const AT = Date.UTC(2026, 0, 15, 8)
const PERIOD = 'from=2026-01-15T00:00:00Z&to=2026-01-16T00:00:00Z'
const IMPORTS = '/api/completeness/imports'

interface Row {
  readonly [name: string]: unknown
}

async function ask(path: string, init: RequestInit = {}) {
  const response = await portal.ask(path, init)
  const contentType = response.headers.get('content-type') ?? ''
  const body = JSON.parse(await response.text())
  const [documented = ''] = path.replace(/imports\/.*/, 'imports/{id}').split('?')
  if (init.method === undefined) {
    t.equal(validate(documented, { status: response.status, contentType, body }), undefined)
  }
  return { status: response.status, body }
}

function take(calls: readonly unknown[], query = '') {
  return ask(`/api/completeness/calls?${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ calls }),
  })
}

const withdraw = (id: string) => ask(`${IMPORTS}/${id}`, { method: 'DELETE' })

async function missing(list: string): Promise<readonly Row[]> {
  const { body } = await ask(`/api/completeness/missing?${PERIOD}&limit=500`)
  return body.items.filter((item: Row) => item['list'] === list)
}

function listed(afterS: number, fields: Row = {}) {
  return {
    startedAt: new Date(AT + afterS * 1000).toISOString(),
    caller: '+12025550147',
    ...fields,
  }
}

t.test('calls that cannot be read are told one by one, and the others are taken', async (t) => {
  const calls = [
    listed(1),
    listed(2, { reference: 'r'.repeat(256) }),
    'no call',
    listed(3, { caller: 12_025_550_147 }),
    listed(4, { startedAt: null }),
    listed(5, { durationS: 12, answered: true }),
    listed(6, { startedAt: '2999-01-01T00:00:00Z' }),
    listed(7, { callId: 'c'.repeat(100_000) }),
    listed(8),
  ]
  const { status, body } = await take(calls, 'list=mixed')
  t.match({ status, ...body }, { status: 200, read: 9, taken: 3, known: 0, rejected: 6 })
  t.strictSame(body.mistakes, [
    {
      line: 2,
      column: 'reference',
      found: 'r'.repeat(60),
      expected: 'at most 255 characters',
    },
    { line: 3, column: 'startedAt', found: '"no call"', expected: 'an object with startedAt' },
    { line: 4, column: 'caller', found: '12025550147', expected: 'a text' },
    {
      line: 5,
      column: 'startedAt',
      found: null,
      expected: 'a time as ISO 8601, as 2026-01-31T08:00:00Z or 2026-01-31 10:00:00',
    },
    {
      line: 7,
      column: 'startedAt',
      found: '2999-01-01T00:00:00Z',
      expected: 'a time that has been',
    },
    { line: 8, column: 'callId', found: 'c'.repeat(60), expected: 'at most 512 characters' },
  ])
  t.match((await take([listed(1), listed(2), listed(8)], 'list=mixed')).body, {
    taken: 1,
    known: 2,
    rejected: 0,
  })
})

t.test('an import is withdrawn whole, and its missing calls with it', async (t) => {
  const right = await take([listed(10), listed(20)], 'list=one')
  const wrong = await take([listed(20), listed(30), listed(40)], 'list=one')
  t.strictSame(
    (await missing('one')).map(({ startedAt, importIds }) => [startedAt, importIds]),
    [
      ['2026-01-15T08:00:40.000Z', [wrong.body.importId]],
      ['2026-01-15T08:00:30.000Z', [wrong.body.importId]],
      ['2026-01-15T08:00:20.000Z', [wrong.body.importId, right.body.importId]],
      ['2026-01-15T08:00:10.000Z', [right.body.importId]],
    ],
  )
  const before = await ask(`/api/completeness?${PERIOD}`)
  const imports = await ask(`${IMPORTS}?limit=2`)
  t.match(imports.body.items, [
    {
      id: wrong.body.importId,
      list: 'one',
      importedBy: 'admin-token',
      calls: 3,
      matched: 0,
      missing: 3,
      firstAt: '2026-01-15T08:00:20.000Z',
      lastAt: '2026-01-15T08:00:40.000Z',
      withdrawnAt: null,
    },
    { id: right.body.importId, calls: 2 },
  ])
  const next = await ask(`${IMPORTS}?limit=2&cursor=${imports.body.nextCursor}`)
  t.match(next.body.items, [{ list: 'mixed' }, { list: 'mixed' }])

  const outcome = await withdraw(wrong.body.importId)
  t.match(outcome, { status: 200, body: { list: 'one', removed: 2, kept: 1 } })
  t.equal((await missing('one')).length, 2)
  const after = await ask(`/api/completeness?${PERIOD}`)
  t.equal(after.body.platform.calls, before.body.platform.calls - 2)
  t.equal(after.body.platform.missing, before.body.platform.missing - 2)

  t.match(
    await withdraw(wrong.body.importId),
    { status: 200, body: { ...outcome.body, removed: 0, kept: 0 } },
    'withdrawing it again changes nothing',
  )
  t.match((await ask(IMPORTS)).body.items[0], {
    id: wrong.body.importId,
    calls: 0,
    missing: 0,
    firstAt: null,
    withdrawnAt: outcome.body.withdrawnAt,
    withdrawnBy: 'admin-token',
  })
  t.match((await withdraw(right.body.importId)).body, { removed: 2, kept: 0 })
  t.same(await missing('one'), [])
  t.match((await take([listed(30)], 'list=one')).body, { taken: 1 }, 'it can be taken anew')
  const rows = await portal.pool.query(
    "SELECT details FROM audit_trail WHERE action = 'call_list_withdrawn' ORDER BY sequence LIMIT 1",
  )
  t.strictSame(JSON.parse(rows[0].details), {
    importId: wrong.body.importId,
    list: 'one',
    removed: 2,
    kept: 1,
  })
})

t.test('a long import goes in parts, and none follows what was withdrawn', async (t) => {
  const first = await take([listed(1)], 'list=parts')
  const part = `list=parts&import=${first.body.importId}`
  t.equal((await take([listed(2)], part)).body.importId, first.body.importId)
  t.match(await take([listed(3)], `import=${first.body.importId}`), {
    status: 400,
    body: { parameters: [{ parameter: 'import', expected: /this is one of parts/ }] },
  })
  t.match(await take([listed(3)], `list=parts&import=${newId()}`), { status: 404 })
  t.match((await withdraw(first.body.importId)).body, { removed: 2 })
  t.match(await take([listed(3)], part), { status: 409, body: { code: 'import_withdrawn' } })
  t.same(await missing('parts'), [])
})

t.test('more than a batch of calls is withdrawn', async (t) => {
  const calls = Array.from({ length: 2500 }, (_, n) => listed(n, { reference: `many-${n}` }))
  const { body } = await take(calls, 'list=many')
  t.match((await withdraw(body.importId)).body, { removed: 2500, kept: 0 })
})

t.test('a contact that a wrong import had taken is found by the right one', async (t) => {
  const caller = { raw: '+12025550111', e164: '+12025550111', display: '+12025550111' }
  const fields = { startedAtMs: AT, caller: { ...caller, isWithheld: false } }
  await portal.apply(wholeCall({ ...fields, platformReference: null }).entries)
  const own = { caller: '+12025550111' }
  const wrong = await take([listed(9, own)], 'list=contact')
  t.equal(wrong.body.matched, 1)
  t.equal((await take([listed(0, own)], 'list=contact')).body.matched, 0)
  await withdraw(wrong.body.importId)
  t.same(await missing('contact'), [])
})

t.test('a list that ends badly tells what of it was taken', async (t) => {
  const line = `${listed(1).startedAt},${'x'.repeat(200)}\n`
  const head = `start,reference\n${listed(1).startedAt},long\n`
  const body = new Blob([head, line.repeat(1200), 'x'.repeat(17 * 1_048_576)]).stream()
  const response = await portal.ask('/api/completeness/calls?list=long', {
    method: 'POST',
    headers: { 'content-type': 'text/csv' },
    body,
    duplex: 'half',
  } as RequestInit)
  const problem = JSON.parse(await response.text())
  t.match({ status: response.status, ...problem }, { status: 413, code: 'list_too_large' })
  t.match(problem.detail, new RegExp(`taken as import ${problem.importId}\\.$`))
  t.match((await withdraw(problem.importId)).body, { removed: 2 })
})

t.test('who may not import may not withdraw, and what is no import is told', async (t) => {
  const officer = { headers: { authorization: 'Bearer officer' } }
  const { body } = await take([listed(1)], 'list=officer')
  t.equal((await portal.ask(IMPORTS, officer)).status, 200)
  const url = `${IMPORTS}/${body.importId}`
  t.equal((await portal.ask(url, { ...officer, method: 'DELETE' })).status, 403)
  t.match(await withdraw(newId()), { status: 404, body: { code: 'import_unknown' } })
  t.match(await withdraw('x'), { status: 404, body: { code: 'import_unknown' } })
  t.match((await take([], 'list=officer')).body, { importId: null, read: 0 })
})
