import { Registry } from 'prom-client'
import t from 'tap'
import { SystemClock } from '../../base/clock.ts'
import { createDatabasePool, type Queryable } from '../../storage/database.ts'
import { watchDatabase } from '../../storage/database-metrics.ts'
import { DatabaseWatch } from '../../storage/database-watch.ts'
import { startMariadb } from '../mariadb.ts'
import { metricValue } from '../metrics-text.ts'

const clock = new SystemClock()
const mariadb = await startMariadb()
t.teardown(() => mariadb.close())

t.test('a database is up, takes writes, and replicates nothing', async (t) => {
  const watch = new DatabaseWatch({ database: mariadb.pool(), clock })
  t.match(watch.state, { isUp: undefined, isReadOnly: undefined }, 'unknown before the first look')
  await watch.look()
  t.strictSame(watch.state, {
    isUp: true,
    isReadOnly: false,
    replicationLagS: undefined,
    reason: undefined,
  })
})

t.test('one that was made read-only is told apart from one that is away', async (t) => {
  const watch = new DatabaseWatch({ database: mariadb.pool(), clock })
  await mariadb.pool().query('SET GLOBAL read_only = 1')
  t.teardown(() => mariadb.pool().query('SET GLOBAL read_only = 0'))
  await watch.look()
  t.match(watch.state, { isUp: true, isReadOnly: true })
})

t.test('a database that does not answer is down, with the reason', async (t) => {
  const away = { ...mariadb.settings, socketPath: '/nonexistent/mariadb.sock' }
  const pool = createDatabasePool(away)
  t.teardown(() => pool.end())
  const watch = new DatabaseWatch({ database: pool, clock })
  await watch.look()
  t.match(watch.state, { isUp: false, isReadOnly: undefined, reason: /./ })
})

t.test('a user without the right to ask for replication is not asked again', async (t) => {
  await mariadb.pool().query("CREATE USER plain IDENTIFIED BY 'plain'")
  await mariadb.pool().query(`GRANT SELECT ON ${mariadb.settings.database}.* TO plain`)
  const pool = createDatabasePool({ ...mariadb.settings, user: 'plain', password: 'plain' })
  t.teardown(() => pool.end())
  const asked: string[] = []
  const database = {
    query: (sql: string) => {
      asked.push(sql)
      return pool.query(sql)
    },
  } as Queryable
  const watch = new DatabaseWatch({ database, clock })
  await watch.look()
  await watch.look()
  t.match(watch.state, { isUp: true, replicationLagS: undefined })
  t.equal(asked.filter((sql) => sql.startsWith('SHOW')).length, 1)
})

t.test(
  'the slowest source counts, and one that stands still is infinitely far behind',
  async (t) => {
    const replica = (lags: readonly (number | null)[]) =>
      ({
        query: async (sql: string) =>
          sql.startsWith('SHOW')
            ? lags.map((lagS) => ({ Seconds_Behind_Master: lagS }))
            : [{ isReadOnly: 1 }],
      }) as unknown as ReturnType<typeof mariadb.pool>
    for (const [lags, lagS] of [
      [[2, 7], 7],
      [[2, null], Number.POSITIVE_INFINITY],
    ] as const) {
      const watch = new DatabaseWatch({ database: replica(lags), clock })
      await watch.look()
      t.equal(watch.state.replicationLagS, lagS)
    }
  },
)

t.test('metrics tell the state, the pool and how long queries take', async (t) => {
  const pool = createDatabasePool({ ...mariadb.settings, connections: 3 })
  t.teardown(() => pool.end())
  const registry = new Registry()
  const watch = watchDatabase(registry, { pool, limit: 3, clock })
  t.equal(metricValue(await registry.metrics(), 'tallenne_database_up'), undefined, 'not known yet')
  watch.start()
  await watch.look()
  await pool.query('SELECT 1')
  await t.rejects(pool.query('SELECT nothing'))
  const told = await registry.metrics()
  t.equal(metricValue(told, 'tallenne_database_up'), 1)
  t.equal(metricValue(told, 'tallenne_database_read_only'), 0)
  t.equal(metricValue(told, 'tallenne_database_pool_limit'), 3)
  t.equal(metricValue(told, 'tallenne_database_pool_waiting'), 0)
  t.equal(metricValue(told, 'tallenne_database_query_seconds_count'), 4)
  t.equal(metricValue(told, 'tallenne_database_replication_lag_seconds'), undefined)
  await watch.close()
})
