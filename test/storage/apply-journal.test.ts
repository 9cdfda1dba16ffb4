import fc from 'fast-check'
import t from 'tap'
import { newId } from '../../base/uuid.ts'
import { findMetadata } from '../../storage/metadata-documents.ts'
import { migrate } from '../../storage/migrate.ts'
import type { JournalEntry } from '../../storage/model.ts'
import { startMariadb } from '../mariadb.ts'
import { applyEntries } from './apply.ts'
import {
  contactStarted,
  number,
  recordingEnded,
  STARTED_AT_MS,
  WITHHELD,
  wholeCall,
} from './journal-entries.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const pool = mariadb.pool()
await migrate(pool)

const TABLES = ['contacts', 'contact_metadata', 'metadata_documents', 'segments', 'recordings']

async function rowsOf(contactId: string): Promise<unknown> {
  const rows: unknown[] = []
  for (const table of TABLES) {
    const key = table === 'contacts' ? 'id' : 'contact_id'
    rows.push(await pool.query(`SELECT * FROM ${table} WHERE ${key} = ? ORDER BY 1`, [contactId]))
  }
  return rows
}

t.test('entries applied again, from any of them on, change nothing', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      callOfAnyKind(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (call, at) => {
        const { contactId, entries } = call
        await applyEntries(mariadb.settings, entries)
        const once = await rowsOf(contactId)
        await applyEntries(mariadb.settings, entries.slice(Math.floor(at * entries.length)))
        t.strictSame(await rowsOf(contactId), once)
      },
    ),
    { numRuns: 60 },
  )
})

t.test('a change sets what it names and leaves the rest', async (t) => {
  const call = wholeCall()
  const foundIn = {
    caller: null,
    serviceNumber: null,
    agent: { source: 'x', isGuess: false },
    platformReference: null,
  }
  await applyEntries(mariadb.settings, [
    ...call.entries,
    {
      kind: 'contact.changed',
      contactId: call.contactId,
      caller: WITHHELD,
      serviceLine: 'puhelunvalitys',
      agent: null,
    },
    { kind: 'contact.changed', contactId: call.contactId, foundIn },
    { kind: 'contact.changed', contactId: call.contactId },
  ])
  const [contact] = await pool.query('SELECT * FROM contacts WHERE id = ?', [call.contactId])
  t.match(contact, {
    caller_e164: null,
    caller_display: null,
    caller_withheld: 1,
    service_number_e164: '+12025550100',
    service_line: 'puhelunvalitys',
    agent: null,
  })
  const [details] = await pool.query('SELECT * FROM contact_metadata WHERE contact_id = ?', [
    call.contactId,
  ])
  t.strictSame(details.found_in, foundIn)
  const [recording] = await pool.query('SELECT service_line FROM recordings WHERE id = ?', [
    call.recordingId,
  ])
  t.equal(recording.service_line, 'puhelunvalitys')
})

t.test('the first verdict and the first end stand', async (t) => {
  const call = wholeCall()
  await applyEntries(mariadb.settings, [
    ...call.entries,
    recordingEnded(call.contactId, call.recordingId, { state: 'failed', bytes: 0 }),
    {
      kind: 'contact.ended',
      contactId: call.contactId,
      endedAtMs: STARTED_AT_MS + 999_000,
      endReason: 'crash',
    },
  ])
  const [row] = await pool.query(
    `SELECT c.end_reason, c.ended_at, r.call_ended_at, r.state FROM contacts c
     JOIN recordings r ON r.contact_id = c.id WHERE c.id = ?`,
    [call.contactId],
  )
  t.match(row, { end_reason: 'bye', state: 'complete', ended_at: row.call_ended_at })
})

t.test('a verdict without a start makes the row, from the answer on', async (t) => {
  const started = contactStarted()
  const { contactId } = started
  const recordingId = newId()
  await applyEntries(mariadb.settings, [
    started,
    { kind: 'contact.answered', contactId, answeredAtMs: STARTED_AT_MS + 5000 },
    recordingEnded(contactId, recordingId, {
      state: 'failed',
      reasons: ['no_media'],
      callDurationMs: 7000,
      file: null,
      sha256: null,
    }),
  ])
  const [row] = await pool.query('SELECT * FROM recordings WHERE id = ?', [recordingId])
  t.match(row, {
    state: 'failed',
    reasons: ['no_media'],
    started_at: new Date(STARTED_AT_MS + 5000),
    // The contact has not ended yet: what the recorder saw stands in.
    call_ended_at: new Date(STARTED_AT_MS + 12_000),
  })
})

t.test(
  'metadata is kept as each message brought it, by the session that received it',
  async (t) => {
    const first = contactStarted({ callId: 'first@192.0.2.1', metadata: '<first/>' })
    const second = contactStarted({ callId: 'second@192.0.2.1', metadata: null })
    const received = (contactId: string, document: string, afterMs: number): JournalEntry => ({
      kind: 'metadata.received',
      documentId: newId(),
      contactId,
      receivedAtMs: STARTED_AT_MS + afterMs,
      document,
    })
    const entries: JournalEntry[] = [
      first,
      {
        kind: 'contact.joined',
        contactId: second.contactId,
        into: first.contactId,
        nodeId: 'node-2',
        callId: 'second@192.0.2.1',
        capture: 'siprec',
        startedAtMs: STARTED_AT_MS + 100,
      },
      received(second.contactId, '<second/>', 100),
      received(first.contactId, '<third/>', 5000),
    ]
    await applyEntries(mariadb.settings, entries)
    await applyEntries(mariadb.settings, entries)
    const documents = [
      { callId: 'first@192.0.2.1', receivedAt: '2026-01-15T08:30:00.123Z', document: '<first/>' },
      { callId: 'second@192.0.2.1', receivedAt: '2026-01-15T08:30:00.223Z', document: '<second/>' },
      { callId: 'first@192.0.2.1', receivedAt: '2026-01-15T08:30:05.123Z', document: '<third/>' },
    ]
    t.strictSame(await findMetadata(pool, first.contactId), documents)
    t.strictSame(await findMetadata(pool, second.contactId), documents, 'by any of its sessions')
    const silent = contactStarted({ metadata: null })
    await applyEntries(mariadb.settings, [silent])
    t.strictSame(await findMetadata(pool, silent.contactId), [])
    t.equal(await findMetadata(pool, newId()), undefined)
  },
)

t.test('no segment outlives its contact', async (t) => {
  const { entries, segmentId } = wholeCall()
  await applyEntries(
    mariadb.settings,
    entries.filter((entry) => entry.kind !== 'segment.ended'),
  )
  const [row] = await pool.query('SELECT ended_at FROM segments WHERE id = ?', [segmentId])
  t.same(row.ended_at, new Date(STARTED_AT_MS + 62_000))
})

t.test('the bad ones among many are found and the others applied', async (t) => {
  const good = Array.from({ length: 40 }, () => contactStarted({ serviceLine: 'many' }))
  const bad: JournalEntry = { kind: 'segment.ended', segmentId: newId(), endedAtMs: 0 }
  const entries = [...good.slice(0, 7), bad, ...good.slice(7, 30), bad, ...good.slice(30)]
  const rejected = await applyEntries(mariadb.settings, entries)
  t.same(
    rejected.map(({ record }) => record.sequence),
    [8, 32],
  )
  const [{ n }] = await pool.query("SELECT COUNT(*) AS n FROM contacts WHERE service_line = 'many'")
  t.equal(n, 40)
})

/** A call's entries in an order that can happen, with changes in between and some of them missing. */
function callOfAnyKind(): fc.Arbitrary<{ contactId: string; entries: JournalEntry[] }> {
  const change = fc.record(
    {
      caller: fc.constantFrom(number('+12025550111'), WITHHELD),
      serviceNumber: fc.constantFrom(number('+12025550101'), WITHHELD),
      serviceLine: fc.constantFrom('asiakastuki', 'puhelunvalitys'),
      agent: fc.constantFrom('agent-1', null),
    },
    { requiredKeys: [] },
  )
  const state = fc.constantFrom('complete', 'partial', 'silent', 'failed')
  return fc
    .record({
      changes: fc.array(fc.record({ at: fc.nat(20), change }), { maxLength: 4 }),
      keeps: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
      isEndFirst: fc.boolean(),
      state,
    })
    .map(({ changes, keeps, isEndFirst, state: verdict }) => {
      const { contactId, entries } = wholeCall({}, { state: verdict, lostMs: 20 })
      const [started, ...rest] = entries
      const ended = rest.filter((entry) => entry.kind.endsWith('.ended'))
      const begun = rest.filter((entry) => !entry.kind.endsWith('.ended'))
      const order = [...begun, ...(isEndFirst ? ended : ended.reverse())].filter(
        (entry, index) =>
          // A segment that ends has begun; the rest may be missing.
          keeps[index] || entry.kind.startsWith('segment'),
      )
      for (const { at, change: fields } of changes) {
        order.splice(at % (order.length + 1), 0, { kind: 'contact.changed', contactId, ...fields })
      }
      return { contactId, entries: started ? [started, ...order] : order }
    })
}
