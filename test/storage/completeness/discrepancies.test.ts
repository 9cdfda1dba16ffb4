import t from 'tap'
import { newId } from '../../../base/uuid.ts'
import { type Discrepancy, keepDiscrepancies } from '../../../storage/completeness/discrepancies.ts'
import { migrate } from '../../../storage/migrate.ts'
import { startMariadb } from '../../mariadb.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const pool = mariadb.pool()
await migrate(pool)

t.test('what agrees again is cleared at once, each kind for itself', async (t) => {
  const contacts = Array.from({ length: 50 }, newId)
  const found = contacts.flatMap((subject): Discrepancy[] => [
    { kind: 'no_verdict', subject, nodeId: 'node-1' },
    { kind: 'row_without_dialog', subject, nodeId: 'node-1' },
  ])
  const scope = { kinds: ['no_verdict', 'row_without_dialog'] as const, nowMs: 1000 }
  t.same(await keepDiscrepancies(pool, found, scope), { found, cleared: [] })
  const left = found.filter(
    ({ kind, subject }) =>
      subject === contacts[0] || (kind === 'no_verdict' && subject === contacts[1]),
  )
  const connection = await pool.getConnection()
  t.teardown(() => connection.release())
  await connection.query('FLUSH STATUS')
  const { cleared } = await keepDiscrepancies(connection, left, { ...scope, nowMs: 2000 })
  t.equal(cleared.length, 97)
  const [updates] = await connection.query("SHOW SESSION STATUS LIKE 'Com_update'")
  t.equal(Number(updates.Value), 1)
  const open = await pool.query('SELECT kind, subject FROM discrepancies WHERE cleared_at IS NULL')
  const keyOf = ({ kind, subject }: Pick<Discrepancy, 'kind' | 'subject'>) => `${kind} ${subject}`
  t.same(open.map(keyOf).sort(), left.map(keyOf).sort())
  t.same(await keepDiscrepancies(pool, left, { ...scope, nowMs: 3000 }), { found: [], cleared: [] })
})
