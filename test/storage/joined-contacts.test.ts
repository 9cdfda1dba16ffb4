import t from 'tap'
import { forgetContactKeys } from '../../storage/contact-keys.ts'
import { findContact, findContacts, findRecording } from '../../storage/contact-queries.ts'
import { statementsOf } from '../../storage/journal-statements.ts'
import { migrate } from '../../storage/migrate.ts'
import type { ContactView, JournalEntry } from '../../storage/model.ts'
import { syncServiceLines } from '../../storage/service-lines.ts'
import { findUnfinishedContacts } from '../../storage/unfinished-contacts.ts'
import { startMariadb } from '../mariadb.ts'
import { applyEntries } from './apply.ts'
import { number, STARTED_AT_MS, wholeCall } from './journal-entries.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const pool = mariadb.pool()
await migrate(pool)
const line = { numbers: [], period: 'P2M', timeZone: 'Europe/Helsinki', isCatchAll: false }
await syncServiceLines(
  pool,
  [
    { ...line, name: 'asiakastuki' },
    { ...line, name: 'tunnistamaton', period: null, isCatchAll: true },
  ],
  { setBy: 'configuration', nowMs: STARTED_AT_MS },
)
const nowMs = STARTED_AT_MS + 3_600_000
const nobody = { raw: null, e164: null, display: null, isWithheld: false }

/** A whole call that a node brings, with a name of it. */
function session(
  key: string,
  options: {
    readonly callId: string
    readonly nodeId?: string
    readonly startsAfterMs?: number
    readonly afterEndMs?: number
    readonly knowsLittle?: boolean
    readonly caller?: string
  },
) {
  const { callId, nodeId = 'node-1', startsAfterMs = 0, afterEndMs = 10_000 } = options
  const call = wholeCall({
    callId,
    nodeId,
    startedAtMs: STARTED_AT_MS + startsAfterMs,
    ...(options.caller === undefined ? {} : { caller: number(options.caller) }),
    ...(options.knowsLittle
      ? { caller: nobody, serviceNumber: nobody, serviceLine: 'tunnistamaton' }
      : {}),
  })
  const keyed: JournalEntry = {
    kind: 'contact.keyed',
    contactId: call.contactId,
    seenAtMs: STARTED_AT_MS + startsAfterMs,
    keys: [{ key, afterEndMs }],
  }
  const [started, ...rest] = call.entries
  if (started === undefined) throw new Error('a call begins')
  return { ...call, entries: [started, keyed, ...rest] }
}

async function only(callId: string): Promise<ContactView> {
  const { items } = await findContacts(pool, { callId, limit: 10 }, nowMs)
  const [contact] = items
  if (contact === undefined || items.length > 1) throw new Error(`${items.length} contacts`)
  return contact
}

t.test(
  'two nodes that hear of one call make one contact, whichever is applied first and however often',
  async (t) => {
    for (const order of ['first', 'second'] as const) {
      const one = session(`two-${order}`, { callId: `${order}-1@192.0.2.1`, nodeId: 'node-1' })
      const two = session(`two-${order}`, {
        callId: `${order}-2@192.0.2.1`,
        nodeId: 'node-2',
        startsAfterMs: 40,
      })
      const entries = order === 'first' ? [one, two] : [two, one]
      for (const { entries: some } of [...entries, ...entries]) {
        t.strictSame(await applyEntries(mariadb.settings, some), [])
      }
      const contact = await only(`${order}-2@192.0.2.1`)
      t.strictSame(contact, await only(`${order}-1@192.0.2.1`))
      t.equal(contact.id, one.contactId, 'the earlier session is the contact')
      t.strictSame(
        contact.sessions.map(({ callId, node }) => [callId, node]),
        [
          [`${order}-1@192.0.2.1`, 'node-1'],
          [`${order}-2@192.0.2.1`, 'node-2'],
        ],
      )
      t.equal(contact.recordings.length, 2)
      t.equal(contact.segments.length, 2)
      t.equal(contact.endedAt, '2026-01-15T08:31:02.163Z', 'it ends with its last session')
      t.equal((await findContact(pool, two.contactId, nowMs))?.id, one.contactId)
      t.equal((await findRecording(pool, two.recordingId, nowMs))?.contactId, one.contactId)
      const { items } = await findContacts(pool, { agent: 'agent-7', limit: 500 }, nowMs)
      t.equal(items.filter(({ id }) => id === two.contactId).length, 0, 'never found as its own')
    }
  },
)

t.test('two nodes that write of one call at the same moment make one contact', async (t) => {
  const pairs = Array.from({ length: 20 }, (_, at) =>
    ['a', 'b'].map((node, later) =>
      session(`moment-${at}`, {
        callId: `moment-${at}-${node}@192.0.2.1`,
        nodeId: node,
        startsAfterMs: later,
      }),
    ),
  )
  const write = async (entries: readonly JournalEntry[]) => {
    // A deadlock is the database’s fault, and then the same entries come again.
    for (let attempt = 0; attempt < 50; attempt++) {
      const failed = await applyEntries(mariadb.settings, entries).catch(() => undefined)
      if (failed !== undefined) return t.strictSame(failed, [])
    }
    return t.fail('the entries could not be applied')
  }
  await Promise.all(pairs.flat().map(({ entries }) => write(entries)))
  for (const [at] of pairs.entries()) {
    t.equal((await only(`moment-${at}-b@192.0.2.1`)).sessions.length, 2)
  }
})

t.test('a name that comes again long after the call has ended is another call', async (t) => {
  const one = session('again', { callId: 'again-1@192.0.2.1' })
  const two = session('again', { callId: 'again-2@192.0.2.1', startsAfterMs: 90_000 })
  const three = session('again', { callId: 'again-3@192.0.2.1', startsAfterMs: 90_050 })
  for (const { entries } of [one, two, three]) await applyEntries(mariadb.settings, entries)
  t.equal((await only('again-1@192.0.2.1')).recordings.length, 1)
  t.equal((await only('again-2@192.0.2.1')).id, two.contactId)
  t.equal((await only('again-3@192.0.2.1')).id, two.contactId, 'names lead to the newest contact')
})

t.test('a session that comes within seconds of the end goes on with the contact', async (t) => {
  const one = session('restart', { callId: 'restart-1@192.0.2.1' })
  const two = session('restart', { callId: 'restart-2@192.0.2.1', startsAfterMs: 70_000 })
  await applyEntries(mariadb.settings, one.entries)
  await applyEntries(mariadb.settings, two.entries.slice(0, 5))
  const during = await only('restart-1@192.0.2.1')
  t.equal(during.endedAt, null, 'it goes on')
  t.equal(during.recordings.length, 2)
  const [unfinished, ...others] = (
    await findUnfinishedContacts(pool, { nodeId: 'node-1', startedBeforeMs: nowMs })
  ).filter(({ recordings }) => recordings.length > 0)
  t.match(unfinished, { contactId: two.contactId, segmentIds: [two.segmentId] })
  t.equal(others.length, 0)
  await applyEntries(mariadb.settings, two.entries.slice(5))
  const after = await only('restart-1@192.0.2.1')
  t.equal(after.endedAt, '2026-01-15T08:32:12.123Z')
  t.ok(after.recordings.every(({ deleteAfter }) => deleteAfter === '2026-03-15T08:32:12.123Z'))
})

t.test('a name that holds no longer than the call does not reach over its end', async (t) => {
  const one = session('short', { callId: 'short-1@192.0.2.1', afterEndMs: 0 })
  const two = session('short', {
    callId: 'short-2@192.0.2.1',
    startsAfterMs: 62_500,
    afterEndMs: 0,
  })
  for (const { entries } of [one, two]) await applyEntries(mariadb.settings, entries)
  t.equal((await only('short-2@192.0.2.1')).id, two.contactId)
})

t.test(
  'calls of different callers are never one, whatever their platform names them',
  async (t) => {
    const one = session('reused', { callId: 'reused-1@192.0.2.1' })
    const two = session('reused', { callId: 'reused-2@192.0.2.1', caller: '+12025550148' })
    for (const { entries } of [one, two]) await applyEntries(mariadb.settings, entries)
    t.equal((await only('reused-1@192.0.2.1')).id, one.contactId)
    t.equal((await only('reused-2@192.0.2.1')).id, two.contactId)
  },
)

t.test('what only the later session knows of the parties is the contact’s', async (t) => {
  const one = session('little', { callId: 'little-1@192.0.2.1', knowsLittle: true })
  const two = session('little', { callId: 'little-2@192.0.2.1', startsAfterMs: 20 })
  for (const { entries } of [one, two]) await applyEntries(mariadb.settings, entries)
  t.match(await only('little-1@192.0.2.1'), {
    caller: '+12025550147',
    serviceNumber: '+12025550100',
    serviceLine: 'asiakastuki',
    recordings: [{ deleteAfter: String }, { deleteAfter: String }],
  })
  const lines: { line: string }[] = await pool.query(
    'SELECT DISTINCT service_line AS line FROM segments WHERE contact_id = ?',
    [one.contactId],
  )
  t.same(lines, [{ line: 'asiakastuki' }], 'an agent’s search finds it in this line alone')
})

t.test('a session that turns out to be a further one takes all that it had with it', async (t) => {
  const one = session('absorbed-a', { callId: 'absorbed-1@192.0.2.1' })
  const two = session('absorbed-b', { callId: 'absorbed-2@192.0.2.1', startsAfterMs: 1000 })
  const before: JournalEntry = {
    kind: 'contact.annotated',
    contactId: two.contactId,
    notes: { before: 'x' },
    annotatedAtMs: nowMs,
  }
  const joined: JournalEntry = {
    kind: 'contact.joined',
    contactId: two.contactId,
    into: one.contactId,
    nodeId: 'node-1',
    callId: 'absorbed-2@192.0.2.1',
    capture: 'siprec',
    startedAtMs: STARTED_AT_MS + 1000,
  }
  await applyEntries(mariadb.settings, [
    ...one.entries,
    ...two.entries.slice(0, 5),
    before,
    joined,
    joined,
  ])
  await applyEntries(mariadb.settings, two.entries.slice(5))
  await applyEntries(mariadb.settings, [{ ...before, notes: { after: 'x' } }])
  const contact = await only('absorbed-2@192.0.2.1')
  t.match(contact.notes, { before: 'x', after: 'x' })
  t.equal(contact.id, one.contactId)
  t.equal(contact.recordings.length, 2)
  t.equal(contact.segments.length, 2)
})

t.test(
  'what a name does to the tables reads few rows, however many contacts there are',
  async (t) => {
    const many = session('many', { callId: 'many@192.0.2.1' })
    await pool.query(
      `INSERT INTO contacts (id, node_id, call_id, capture, direction, caller_withheld, service_line, started_at)
     SELECT UUID(), 'many', UUID(), 'siprec', 'inbound', FALSE, 'asiakastuki', '2024-01-01' + INTERVAL seq SECOND
     FROM seq_1_to_20000`,
    )
    await applyEntries(mariadb.settings, many.entries)
    const connection = await pool.getConnection()
    t.teardown(() => connection.release())
    await connection.query('FLUSH STATUS')
    for (const entry of many.entries) {
      for (const { sql, values } of statementsOf(entry)) await connection.query(sql, [...values])
    }
    const counts: { Value: string }[] = await connection.query(
      "SHOW SESSION STATUS LIKE 'Handler_read%'",
    )
    const reads = counts.reduce((sum, { Value }) => sum + Number(Value), 0)
    t.ok(reads < 300, `${reads} reads`)
  },
)

t.test('names that join nothing any more are forgotten, and no others', async (t) => {
  const day = 86_400_000
  const key = async (name: string, seenAtMs: number) =>
    pool.query('INSERT INTO contact_keys VALUES (?, UUID(), ?)', [name, new Date(seenAtMs)])
  await key('old', nowMs - 3 * day)
  await key('new', nowMs - day)
  await forgetContactKeys(pool, nowMs)
  const left: { join_key: string }[] = await pool.query(
    "SELECT join_key FROM contact_keys WHERE join_key IN ('old', 'new')",
  )
  t.strictSame(
    left.map(({ join_key }) => join_key),
    ['new'],
  )
})
