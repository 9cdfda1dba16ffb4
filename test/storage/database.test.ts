import t from 'tap'
import {
  checkDatabase,
  connectDatabase,
  createDatabasePool,
  databaseMessage,
  describeDatabase,
  inTransaction,
} from '../../storage/database.ts'
import { isDataError } from '../../storage/database-fault.ts'
import { startMariadb } from '../mariadb.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const pool = mariadb.pool()

t.test('a session counts in UTC, with milliseconds, in both directions', async (t) => {
  const at = new Date('2026-03-29T01:30:00.123Z')
  const [row] = await pool.query(
    "SELECT CAST(? AS DATETIME(3)) AS back, DATE_FORMAT(CAST(? AS DATETIME(3)), '%H:%i:%s.%f') AS text, @@time_zone AS zone",
    [at, at],
  )
  t.same(row.back, at)
  t.equal(row.text, '01:30:00.123000')
  t.equal(row.zone, '+00:00')
})

t.test('big integers come back as numbers', async (t) => {
  const [row] = await pool.query(
    'SELECT CAST(9007199254740991 AS UNSIGNED) AS bytes, COUNT(*) AS n',
  )
  t.equal(row.bytes, Number.MAX_SAFE_INTEGER)
  t.equal(row.n, 1)
})

t.test(
  'a value that does not fit is refused, as a data error, without its statement',
  async (t) => {
    await pool.query('CREATE TABLE short (word VARCHAR(3) NOT NULL PRIMARY KEY)')
    for (const value of ['long', null]) {
      const error = await pool.query('INSERT INTO short VALUES (?)', [value]).then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      t.equal(isDataError(error), true)
    }
    await pool.query("INSERT INTO short VALUES ('a')")
    const twice = await pool
      .query("INSERT INTO short VALUES ('a')")
      .catch((thrown: unknown) => thrown)
    t.equal(isDataError(twice), true)
    const missing = await pool.query('SELECT 1 FROM nothing').catch((thrown: unknown) => thrown)
    t.equal(isDataError(missing), false)
  },
)

t.test('what is told of an error holds no number that was sent', async (t) => {
  const fails = (sql: string, value: string) =>
    pool.query(sql, [value]).then(
      () => t.fail(`${sql} passes`),
      (error: unknown) => error,
    )
  await pool.query('CREATE TABLE callers (number VARCHAR(20) NOT NULL PRIMARY KEY)')
  await pool.query("INSERT INTO callers VALUES ('+12025550147')")
  const unknown = await fails('INSERT INTO nowhere VALUES (?)', '+12025550147')
  t.notMatch(String(unknown), /2025550147/)
  const twice = await fails('INSERT INTO callers VALUES (?)', '+12025550147')
  t.match(databaseMessage(twice), /^Duplicate entry '…47'/)
})

t.test('a transaction that rejects leaves nothing', async (t) => {
  await pool.query('CREATE TABLE kept (n INT)')
  await t.rejects(
    inTransaction(pool, async (connection) => {
      await connection.query('INSERT INTO kept VALUES (1)')
      throw new Error('no')
    }),
    { message: 'no' },
  )
  t.same(await pool.query('SELECT n FROM kept'), [])
  await inTransaction(pool, (connection) => connection.query('INSERT INTO kept VALUES (2)'))
  t.same(await pool.query('SELECT n FROM kept'), [{ n: 2 }])
})

t.test('an unreachable database is told with the place, the cause and what to do', async (t) => {
  const nowhere = {
    ...mariadb.settings,
    socketPath: '/nonexistent/mariadb.sock',
    password: 'secret',
  }
  const away = createDatabasePool(nowhere)
  t.teardown(() => away.end())
  for (const attempt of [connectDatabase(nowhere), checkDatabase(away, nowhere)]) {
    const error = await attempt.then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    t.match(error, {
      code: 'database_unreachable',
      message: /tallenne as root at \/nonexistent\/mariadb.sock: .*ENOENT.*Check that it runs/s,
    })
    t.notMatch(String(error), /secret/)
  }
  t.equal(
    describeDatabase({ ...nowhere, socketPath: undefined, host: '192.0.2.7' }),
    'tallenne as root at 192.0.2.7:3306',
  )
})
