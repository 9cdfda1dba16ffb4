import t from 'tap'
import { createDatabasePool } from '../../storage/database.ts'
import { migrate } from '../../storage/migrate.ts'
import type { ServiceLine } from '../../storage/model.ts'
import { currentPolicies, syncServiceLines } from '../../storage/service-lines.ts'
import { startMariadb } from '../mariadb.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const pool = mariadb.pool()
await migrate(pool)

const support: ServiceLine = {
  name: 'asiakastuki',
  numbers: ['+12025550100', '+12025550102'],
  period: 'P2M',
  timeZone: 'Europe/Helsinki',
  isCatchAll: false,
}
const catchAll: ServiceLine = {
  name: 'tunnistamaton',
  numbers: [],
  period: null,
  timeZone: 'Europe/Helsinki',
  isCatchAll: true,
}
const nowMs = Date.UTC(2026, 0, 1)
const author = { setBy: 'configuration', nowMs }

t.test(
  'configured lines get their first policy, once for all programs that start at once',
  async (t) => {
    const other = createDatabasePool(mariadb.settings)
    t.teardown(() => other.end())
    const changes = await Promise.all(
      [pool, other, pool].map((one) => syncServiceLines(one, [support, catchAll], author)),
    )
    t.same(changes.flat(), [
      {
        serviceLine: 'asiakastuki',
        before: undefined,
        after: { period: 'P2M', timeZone: 'Europe/Helsinki' },
      },
      {
        serviceLine: 'tunnistamaton',
        before: undefined,
        after: { period: null, timeZone: 'Europe/Helsinki' },
      },
    ])
    const policies = await currentPolicies(pool)
    t.same(policies.get('asiakastuki'), {
      serviceLine: 'asiakastuki',
      version: 1,
      period: 'P2M',
      timeZone: 'Europe/Helsinki',
      validFromMs: nowMs,
      setBy: 'configuration',
      isCatchAll: false,
      isConfigured: true,
    })
    t.match(policies.get('tunnistamaton'), { period: null, isCatchAll: true })
  },
)

t.test('a changed period is a new version that says who set it and when', async (t) => {
  const later = { setBy: 'configuration of node-2', nowMs: nowMs + 1000 }
  t.same(await syncServiceLines(pool, [{ ...support, period: 'P1M' }, catchAll], later), [
    {
      serviceLine: 'asiakastuki',
      before: { period: 'P2M', timeZone: 'Europe/Helsinki' },
      after: { period: 'P1M', timeZone: 'Europe/Helsinki' },
    },
  ])
  t.match((await currentPolicies(pool)).get('asiakastuki'), {
    version: 2,
    period: 'P1M',
    validFromMs: nowMs + 1000,
    setBy: 'configuration of node-2',
  })
  t.same(
    await pool.query('SELECT version, period FROM service_line_policies WHERE service_line = ?', [
      'asiakastuki',
    ]),
    [
      { version: 1, period: 'P2M' },
      { version: 2, period: 'P1M' },
    ],
  )
})

t.test('a line that leaves the configuration keeps its policy', async (t) => {
  t.same(await syncServiceLines(pool, [catchAll], { ...author, nowMs: nowMs + 2000 }), [])
  t.match((await currentPolicies(pool)).get('asiakastuki'), { period: 'P1M', isConfigured: false })
})

t.test('a number’s lines are kept with their times', async (t) => {
  const moved: ServiceLine = { ...support, name: 'puhelunvalitys', numbers: ['+12025550100'] }
  await syncServiceLines(pool, [support, catchAll], { ...author, nowMs: nowMs + 3000 })
  await syncServiceLines(pool, [{ ...support, numbers: [] }, moved, catchAll], {
    ...author,
    nowMs: nowMs + 4000,
  })
  const rows = await pool.query(
    'SELECT service_line AS line, valid_to FROM service_numbers WHERE number = ? ORDER BY valid_from',
    ['+12025550100'],
  )
  t.equal(rows.length, 3)
  t.match(rows[1], { line: 'asiakastuki', valid_to: new Date(nowMs + 4000) })
  t.match(rows[2], { line: 'puhelunvalitys', valid_to: null })
})

t.test('a line with a period or a zone that is none changes nothing', async (t) => {
  const before = await currentPolicies(pool)
  for (const wrong of [{ timeZone: 'Europe/Nowhere' }, { period: 'P2X' }]) {
    await t.rejects(
      syncServiceLines(
        pool,
        [
          { ...support, period: 'P9M' },
          { ...catchAll, ...wrong },
        ],
        author,
      ),
      {
        code: 'bad_service_line',
        message: /tunnistamaton/,
      },
    )
  }
  t.same(await currentPolicies(pool), before)
})
