import t from 'tap'
import { recordConfiguration } from '../../../storage/audit/record-configuration.ts'
import { migrate } from '../../../storage/migrate.ts'
import { ManualClock } from '../../manual-clock.ts'
import { startMariadb } from '../../mariadb.ts'
import { testTrail } from './test-trail.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const pool = mariadb.pool()
await migrate(pool)
const parts = { pool, trail: testTrail(pool), process: 'retention', clock: new ManualClock() }

async function changes() {
  const rows = await pool.query('SELECT details FROM audit_trail ORDER BY sequence')
  return rows.map(({ details }: { details: string }) => JSON.parse(details).changed)
}

t.test('a configuration is written down when it differs, with the paths that do', async (t) => {
  const first = { http: { port: 1 }, lines: [{ name: 'a', period: 'P2M' }], password: '(hidden)' }
  const id = 'node-1'
  await Promise.all([1, 2].map(() => recordConfiguration({ id, configuration: first }, parts)))
  await recordConfiguration({ id, configuration: first }, parts)
  t.strictSame(await changes(), [[]])
  const second = {
    http: { port: 2 },
    lines: [{ name: 'a', period: 'P3M' }, { name: 'b' }],
    password: '(hidden)',
  }
  await recordConfiguration({ id, configuration: second }, parts)
  t.strictSame((await changes())[1], ['http.port', 'lines[0].period', 'lines[1]'])
})
