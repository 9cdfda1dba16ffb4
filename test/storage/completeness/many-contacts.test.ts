import t from 'tap'
import { newId } from '../../../base/uuid.ts'
import { listCalls } from '../../../storage/completeness/list-calls.ts'
import { matchCalls } from '../../../storage/completeness/match-calls.ts'
import { migrate } from '../../../storage/migrate.ts'
import { startMariadb } from '../../mariadb.ts'
import { countReads } from '../count-reads.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const pool = mariadb.pool()
await migrate(pool)
const connection = await pool.getConnection()
t.teardown(() => connection.release())

const FROM_MS = Date.UTC(2025, 0, 1)
const CONTACTS = 20_000
const EVERY_MS = 30_000
// Half of the callers withheld their number, and the others are one; few contacts are of the rare line.
await pool.query(
  `INSERT INTO contacts (id, node_id, call_id, capture, direction, caller_e164, caller_withheld, service_number_e164,
     service_line, started_at, ended_at, outcome)
   SELECT UUID(), 'node-1', CONCAT('call-', seq), 'siprec', 'inbound', IF(seq MOD 2, NULL, '+12025550190'), seq MOD 2,
     '+12025550100', IF(seq <= 10, 'harva', 'asiakastuki'), ? + INTERVAL seq * ? MICROSECOND,
     ? + INTERVAL seq * ? MICROSECOND, 'complete'
   FROM seq_1_to_${CONTACTS}`,
  [new Date(FROM_MS), EVERY_MS * 1000, new Date(FROM_MS), EVERY_MS * 1000],
)
await pool.query('ANALYZE TABLE contacts')
const toMs = FROM_MS + (CONTACTS + 1) * EVERY_MS

/** Lists a call of the busy number, near the contact of this number, and tells its id. */
async function list(caller: string | null, number: number): Promise<string> {
  const id = newId()
  await pool.query(
    `INSERT INTO platform_calls (id, list, fingerprint, started_at, is_ambiguous, tolerance_ms, caller, caller_e164,
       service_number, service_number_e164, service_line, imported_at)
     VALUES (?, 'platform', ?, ?, FALSE, 10000, ?, ?, '+12025550100', '+12025550100', 'asiakastuki', ?)`,
    [id, id, new Date(FROM_MS + number * EVERY_MS + 2000), caller, caller, new Date(toMs)],
  )
  return id
}

t.test(
  'a listed call is looked for among those of its time, however busy its number',
  async (t) => {
    const ids: string[] = []
    for (const number of [1001, 3001, 5001]) ids.push(await list(null, number))
    for (const number of [1000, 3000, 5000]) ids.push(await list('+12025550190', number))
    const reads = await countReads(connection, async () => {
      t.equal(await matchCalls(connection, ids), 6)
    })
    t.ok(reads < 1000, `${reads} reads`)
  },
)

t.test('calls of a rare line are listed without those of the others', async (t) => {
  const reads = await countReads(connection, async () => {
    const period = { fromMs: FROM_MS, toMs, serviceLine: 'harva' }
    const { items } = await listCalls(connection, { ...period, limit: 50 }, toMs)
    t.equal(items.length, 10)
  })
  t.ok(reads < 500, `${reads} reads`)
})
