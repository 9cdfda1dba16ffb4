import t from 'tap'
import { createDatabasePool } from '../../storage/database.ts'
import { MIGRATIONS, migrate } from '../../storage/migrate.ts'
import type { Migration } from '../../storage/migrations/migration.ts'
import { startMariadb } from '../mariadb.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const pool = mariadb.pool()

const next: Migration = {
  version: MIGRATIONS.length + 1,
  name: 'one more',
  statements: ['CREATE TABLE IF NOT EXISTS one_more (n INT)'],
}

t.test('steps are numbered from 1 without gaps', (t) => {
  t.same(
    MIGRATIONS.map((migration) => migration.version),
    MIGRATIONS.map((_, index) => index + 1),
  )
  t.end()
})

t.test('several programs that start at once migrate once', async (t) => {
  const other = createDatabasePool(mariadb.settings)
  t.teardown(() => other.end())
  const applied = await Promise.all([migrate(pool), migrate(other), migrate(other)])
  t.same(applied.flat().sort(), MIGRATIONS.map((migration) => migration.name).sort())
})

t.test(
  'calls that were listed before imports were told apart become imports of their own',
  async (t) => {
    await pool.query(
      `INSERT INTO platform_calls (id, list, fingerprint, started_at, is_ambiguous, tolerance_ms, service_line, imported_at)
     SELECT UUID(), IF(seq = 1, 'other', 'platform'), LPAD(seq, 64, '0'), '2026-01-15', FALSE, 0, 'asiakastuki',
       '2026-01-15 08:00:00' + INTERVAL seq * 20 SECOND + INTERVAL IF(seq > 5, 1, 0) HOUR
     FROM seq_1_to_10`,
    )
    for (const statement of MIGRATIONS[10]?.statements ?? []) await pool.query(statement)
    const imports = await pool.query(
      `SELECT i.list, i.imported_at AS at, COUNT(*) AS calls FROM platform_imports i
     JOIN platform_call_imports l ON l.import_id = i.id GROUP BY i.id ORDER BY at`,
    )
    t.same(imports, [
      { list: 'other', at: new Date('2026-01-15T08:00:20Z'), calls: 1 },
      { list: 'platform', at: new Date('2026-01-15T08:00:40Z'), calls: 4 },
      { list: 'platform', at: new Date('2026-01-15T09:02:00Z'), calls: 5 },
    ])
  },
)

t.test('a database that is up to date is left alone', async (t) => {
  t.same(await migrate(pool), [])
})

t.test('a step that was cut short is finished by the next start', async (t) => {
  const broken: Migration = { ...next, statements: [...next.statements, 'CREATE NONSENSE'] }
  await t.rejects(migrate(pool, [...MIGRATIONS, broken]))
  t.same(await migrate(pool, [...MIGRATIONS, next]), ['one more'])
})

t.test('a database newer than the program is refused', async (t) => {
  await t.rejects(migrate(pool), { code: 'schema_newer', message: /step \d+ \(one more\)/ })
})

t.test('a changed past step is refused', async (t) => {
  const changed = { ...next, statements: ['CREATE TABLE IF NOT EXISTS one_more (n BIGINT)'] }
  await t.rejects(migrate(pool, [...MIGRATIONS, changed]), { code: 'schema_changed' })
})

t.test('every step can be run twice', async (t) => {
  for (const migration of MIGRATIONS) {
    for (const statement of migration.statements) await pool.query(statement)
  }
  t.pass('no statement failed')
})
