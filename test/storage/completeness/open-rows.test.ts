import t from 'tap'
import { newId } from '../../../base/uuid.ts'
import { findLostFiles } from '../../../storage/completeness/open-rows.ts'
import { migrate } from '../../../storage/migrate.ts'
import { markMissing } from '../../../storage/store-audit.ts'
import { storeFileOf } from '../../../storage/store-file.ts'
import { startMariadb } from '../../mariadb.ts'
import { applyEntries } from '../apply.ts'
import { countReads } from '../count-reads.ts'
import { wholeCall } from '../journal-entries.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const pool = mariadb.pool()
await migrate(pool)

t.test('a lost file is found without reading the recordings that have theirs', async (t) => {
  const recordingId = newId()
  const file = storeFileOf(recordingId)
  const lost = wholeCall({ nodeId: 'node-7' }, { recordingId, file })
  await applyEntries(mariadb.settings, lost.entries)
  await pool.query(
    `INSERT INTO recordings (id, contact_id, service_line, state, reasons, started_at)
     SELECT UUID(), ?, 'asiakastuki', IF(seq MOD 2, 'complete', 'partial'), '[]', '2024-01-01'
     FROM seq_1_to_5000`,
    [lost.contactId],
  )
  const connection = await pool.getConnection()
  t.teardown(() => connection.release())
  t.ok((await countReads(connection, () => findLostFiles(connection))) < 20)
  await markMissing(pool, [recordingId], Date.UTC(2026, 0, 20))
  const reads = await countReads(connection, async () => {
    t.same(await findLostFiles(connection), [{ id: recordingId, nodeId: 'node-7', file }])
  })
  t.ok(reads < 20, `${reads} reads`)
})
