import t, { type Test } from 'tap'
import { SystemClock } from '../../base/clock.ts'
import { createSilentLog } from '../../base/log.ts'
import { FileJournal, type FileJournalOptions } from '../../storage/contact-journal.ts'
import { connectDatabase, type DatabaseSettings } from '../../storage/database.ts'
import { migrate } from '../../storage/migrate.ts'
import type { JournalEntry } from '../../storage/model.ts'
import { startMariadb } from '../mariadb.ts'
import { until } from '../until.ts'
import { contactStarted, wholeCall } from './journal-entries.ts'

const ENTRIES_OF_A_CALL = 7

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const pool = mariadb.pool()
await migrate(pool)
await pool.query(`CREATE USER node@localhost IDENTIFIED BY 'secret'`)
await pool.query('GRANT ALL ON tallenne.* TO node@localhost')
/** As a node signs in: not as one whom --read-only does not bind. */
const asNode = { ...mariadb.settings, user: 'node', password: 'secret' }

function journal(
  t: Test,
  options: Partial<FileJournalOptions> & { readonly settings?: DatabaseSettings } = {},
): FileJournal {
  const made = new FileJournal({
    folder: t.testdir(),
    connect: (timing) => connectDatabase(options.settings ?? asNode, timing),
    clock: new SystemClock(),
    log: createSilentLog(),
    ...options,
  })
  t.teardown(() => made.close({ drainMs: 0 }))
  made.start()
  return made
}

/** The clock of a process does not keep it alive; its server would. */
const alive = setInterval(() => {}, 1000)
t.teardown(() => clearInterval(alive))

function appendCalls(to: FileJournal, serviceLine: string, calls: number): void {
  for (let call = 0; call < calls; call++) {
    for (const entry of wholeCall({ serviceLine }).entries) to.append(entry)
  }
}

async function recordingsOf(serviceLine: string): Promise<{ rows: number; judged: number }> {
  const [row] = await pool.query(
    `SELECT COUNT(*) AS n, CAST(SUM(state = 'complete') AS UNSIGNED) AS judged
     FROM recordings WHERE service_line = ?`,
    [serviceLine],
  )
  return { rows: row.n, judged: row.judged }
}

t.test('a server killed in mid-replay, twice, has every row once', async (t) => {
  const made = journal(t)
  appendCalls(made, 'killed', 1)
  await made.drained()
  await mariadb.stop('SIGKILL')
  appendCalls(made, 'killed', 600)
  await until(() => made.state.fault?.fault === 'unreachable')
  for (let kill = 0; kill < 2; kill++) {
    const { depth } = made.state
    await mariadb.start()
    await until(() => made.state.depth < depth)
    t.ok(made.state.depth > 0, 'the replay is under way')
    await mariadb.stop('SIGKILL')
  }
  await mariadb.start()
  await made.drained()
  t.same(await recordingsOf('killed'), { rows: 601, judged: 601 })
  t.match(made.state, { depth: 0, rejected: 0, fault: undefined })
})

t.test('a server that hangs is left, and has every row once it answers again', async (t) => {
  const made = journal(t, { answerWithinMs: 300 })
  appendCalls(made, 'hung', 1)
  await made.drained()
  mariadb.freeze()
  appendCalls(made, 'hung', 20)
  await until(() => made.state.fault?.fault === 'hung')
  t.match(made.state.fault?.reason, /socket timeout/)
  t.equal(made.state.depth, 20 * ENTRIES_OF_A_CALL)
  mariadb.thaw()
  await made.drained()
  t.same(await recordingsOf('hung'), { rows: 21, judged: 21 })
})

t.test('a read-only server is waited for, and nothing is set aside', async (t) => {
  const made = journal(t)
  await pool.query('SET GLOBAL read_only = 1')
  appendCalls(made, 'readonly', 20)
  await until(() => made.state.fault?.fault === 'read_only')
  t.match(made.state, { depth: 20 * ENTRIES_OF_A_CALL, rejected: 0 })
  await pool.query('SET GLOBAL read_only = 0')
  await made.drained()
  t.same(await recordingsOf('readonly'), { rows: 20, judged: 20 })
})

t.test('a deadlock costs the journal a turn and no row', async (t) => {
  const made = journal(t)
  const [first, second] = [
    contactStarted({ serviceLine: 'dead' }),
    contactStarted({ serviceLine: 'dead' }),
  ]
  for (const entry of [first, second]) made.append(entry)
  await made.drained()
  const rival = await connectDatabase(mariadb.settings)
  await rival.beginTransaction()
  // The server ends the transaction that has changed less.
  for (let row = 0; row < 50; row++) {
    await rival.query(`INSERT INTO contact_keys VALUES (?, ?, NOW())`, [
      `rival-${row}`,
      second.contactId,
    ])
  }
  await rival.query('UPDATE contacts SET agent = ? WHERE id = ?', ['rival', second.contactId])
  const answered = (contactId: string): JournalEntry => ({
    kind: 'contact.answered',
    contactId,
    answeredAtMs: first.startedAtMs + 1000,
  })
  made.append(answered(first.contactId))
  made.append(answered(second.contactId))
  await until(async () => {
    const [row] = await pool.query(
      `SELECT COUNT(*) AS n FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'`,
    )
    return row.n === 1
    // The server makes that table anew when nobody has read it for a tenth of a second.
  }, 150)
  await rival.query('UPDATE contacts SET agent = ? WHERE id = ?', ['rival', first.contactId])
  await until(() => made.state.fault?.fault === 'locked')
  t.match(made.state.fault?.reason, /Deadlock/)
  await rival.commit()
  await rival.end()
  await made.drained()
  const rows = await pool.query('SELECT agent, answered_at FROM contacts WHERE service_line = ?', [
    'dead',
  ])
  const row = { agent: 'rival', answered_at: new Date(first.startedAtMs + 1000) }
  t.match(rows, [row, row])
  t.equal(made.state.rejected, 0)
})

t.test('rows that somebody else holds are waited for', async (t) => {
  const made = journal(t)
  const held = contactStarted({ serviceLine: 'held' })
  made.append(held)
  await made.drained()
  const rival = await connectDatabase(mariadb.settings)
  await rival.beginTransaction()
  await rival.query('SELECT id FROM contacts WHERE id = ? FOR UPDATE', [held.contactId])
  made.append({
    kind: 'contact.answered',
    contactId: held.contactId,
    answeredAtMs: held.startedAtMs,
  })
  appendCalls(made, 'held', 3)
  await until(() => made.state.fault?.fault === 'locked')
  t.match(made.state.fault?.reason, /Lock wait timeout/)
  await rival.rollback()
  await rival.end()
  await made.drained()
  t.same(await recordingsOf('held'), { rows: 3, judged: 3 })
})

t.test('a user who may not is waited for, as are tables that are not there', async (t) => {
  const made = journal(t)
  await pool.query('REVOKE ALL ON tallenne.* FROM node@localhost')
  appendCalls(made, 'denied', 2)
  await until(() => made.state.fault?.fault === 'denied')
  await pool.query('GRANT ALL ON tallenne.* TO node@localhost')
  await made.drained()
  await pool.query('RENAME TABLE metadata_documents TO elsewhere')
  appendCalls(made, 'denied', 2)
  await until(() => made.state.fault?.fault === 'schema')
  await pool.query('RENAME TABLE elsewhere TO metadata_documents')
  await made.drained()
  t.same(await recordingsOf('denied'), { rows: 4, judged: 4 })
  t.equal(made.state.rejected, 0)
})

t.test('an entry larger than the server takes is set aside alone', async (t) => {
  await pool.query('SET GLOBAL max_allowed_packet = 65536')
  const made = journal(t, { suspectAfterMs: 500 })
  appendCalls(made, 'packet', 1)
  made.append(contactStarted({ serviceLine: 'packet', metadata: 'x'.repeat(200_000) }))
  appendCalls(made, 'packet', 1)
  await made.drained()
  await pool.query('SET GLOBAL max_allowed_packet = DEFAULT')
  t.equal(made.state.rejected, 1)
  t.equal(made.countSetAside(), 1)
  t.same(await recordingsOf('packet'), { rows: 2, judged: 2 })
})

t.test('a full server is waited for', async (t) => {
  const full = await startMariadb({ mostMiB: 24 })
  t.teardown(() => full.close())
  await migrate(full.pool())
  await full.pool().query('CREATE TABLE ballast (bytes VARBINARY(3000))')
  const rows = Array.from({ length: 100 }, () => `(REPEAT('x', 3000))`).join()
  const fill = async () => {
    for (;;) await full.pool().query(`INSERT INTO ballast VALUES ${rows}`)
  }
  await t.rejects(fill(), /is full/)
  const made = journal(t, { settings: full.settings })
  appendCalls(made, 'full', 500)
  await until(() => made.state.fault?.fault === 'full')
  t.ok(made.state.depth > 0)
  t.equal(made.state.rejected, 0)
  await full.pool().query('DROP TABLE ballast')
  await made.drained()
  const [row] = await full.pool().query('SELECT COUNT(*) AS n FROM recordings')
  t.equal(row.n, 500)
})
