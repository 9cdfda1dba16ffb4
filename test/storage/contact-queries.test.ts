import fc from 'fast-check'
import t from 'tap'
import { newId } from '../../base/uuid.ts'
import { linesOf } from '../../storage/contact-lines.ts'
import { findContact, findContacts, findRecording } from '../../storage/contact-queries.ts'
import { decodeCursor, encodeCursor, searchQuery } from '../../storage/contact-search.ts'
import { placeHold } from '../../storage/holds.ts'
import { migrate } from '../../storage/migrate.ts'
import type { ContactFilter, ContactView } from '../../storage/model.ts'
import { syncServiceLines } from '../../storage/service-lines.ts'
import { storeFileOf } from '../../storage/store-file.ts'
import { startMariadb } from '../mariadb.ts'
import { applyEntries } from './apply.ts'
import { testTrail } from './audit/test-trail.ts'
import { countReads } from './count-reads.ts'
import { contactStarted, number, STARTED_AT_MS, WITHHELD, wholeCall } from './journal-entries.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const pool = mariadb.pool()
const trail = testTrail(pool)
await migrate(pool)
const nowMs = Date.UTC(2026, 0, 20)
await syncServiceLines(
  pool,
  ['asiakastuki', 'puhelunvalitys'].map((name, index) => ({
    name,
    numbers: [],
    period: ['P2M', null][index] ?? null,
    timeZone: 'Europe/Helsinki',
    isCatchAll: false,
  })),
  { setBy: 'configuration', nowMs },
)

async function find(filter: Partial<ContactFilter>): Promise<readonly ContactView[]> {
  return (await findContacts(pool, { limit: 100, ...filter }, nowMs)).items
}

t.test('a contact has exactly the fields that are promised', async (t) => {
  const recordingId = newId()
  const call = wholeCall(
    { callId: 'shape@192.0.2.1' },
    {
      recordingId,
      file: storeFileOf(recordingId),
      state: 'partial',
      reasons: ['media_lost'],
      lostMs: 240,
    },
  )
  await applyEntries(mariadb.settings, call.entries)
  const expected: ContactView = {
    id: call.contactId,
    callId: 'shape@192.0.2.1',
    capture: 'siprec',
    direction: 'inbound',
    caller: '+12025550147',
    callerRaw: '+12025550147',
    callerWithheld: false,
    serviceNumber: '+12025550100',
    serviceLine: 'asiakastuki',
    agent: 'agent-7',
    platformReference: '0001183F5093914D',
    foundIn: {
      caller: { source: 'metadata', isGuess: false },
      serviceNumber: { source: 'to', isGuess: true },
      agent: null,
      platformReference: { source: 'oracle-ucid', isGuess: false },
    },
    startedAt: '2026-01-15T08:30:00.123Z',
    answeredAt: '2026-01-15T08:30:02.123Z',
    endedAt: '2026-01-15T08:31:02.123Z',
    endReason: 'bye',
    notes: {},
    segments: [
      {
        id: call.segmentId,
        agent: 'agent-7',
        startedAt: '2026-01-15T08:30:02.123Z',
        endedAt: '2026-01-15T08:31:02.123Z',
        spans: [{ recordingId, fromMs: 0, toMs: 60_000 }],
      },
    ],
    recordings: [
      {
        id: recordingId,
        state: 'partial',
        reasons: ['media_lost'],
        startedAt: '2026-01-15T08:30:02.123Z',
        durationMs: 60_000,
        channels: ['caller', 'agent'],
        codec: 'opus',
        bytes: 240_000,
        sha256: 'ab'.repeat(32),
        lostMs: 240,
        pauses: [],
        onHold: [],
        deleteAfter: '2026-03-15T08:31:02.123Z',
        held: false,
      },
    ],
    sessions: [],
  }
  t.strictSame(await findContact(pool, call.contactId, nowMs), expected)
  t.strictSame(await findContacts(pool, { callId: 'shape@192.0.2.1', limit: 1 }, nowMs), {
    items: [expected],
    nextCursor: null,
  })
  t.equal(await findContact(pool, newId(), nowMs), undefined)

  t.strictSame(await findRecording(pool, recordingId, nowMs), {
    view: expected.recordings[0],
    contactId: call.contactId,
    serviceLine: 'asiakastuki',
    file: storeFileOf(recordingId),
    stored: {
      bytes: expected.recordings[0]?.bytes,
      sha256: expected.recordings[0]?.sha256,
      encryption: 'none',
      keySet: null,
    },
    deletion: null,
  })
  t.equal(await findRecording(pool, newId(), nowMs), undefined)
})

t.test(
  'a call that goes on has no end, no deletion time and a recording without figures',
  async (t) => {
    const { contactId, entries } = wholeCall()
    await applyEntries(mariadb.settings, entries.slice(0, 4))
    const contact = await findContact(pool, contactId, nowMs)
    t.match(contact, { endedAt: null, endReason: null })
    t.match(contact?.segments, [{ endedAt: null }])
    t.match(contact?.recordings, [
      { state: 'recording', reasons: [], durationMs: null, bytes: null, deleteAfter: null },
    ])
  },
)

t.test('a text in any script is searched for, in columns of ASCII too', async (t) => {
  const { contactId, entries } = wholeCall({
    caller: { raw: 'ääni-😀', e164: null, display: 'ääni-😀', isWithheld: false },
  })
  await applyEntries(mariadb.settings, entries)
  t.same(
    (await find({ caller: 'ääni-😀' })).map(({ id }) => id),
    [contactId],
  )
  for (const field of ['serviceNumber', 'serviceLine', 'agent', 'callId'] as const) {
    t.same(await find({ [field]: 'ääni-😀' }), [], field)
  }
})

t.test('a line without a period, and one nobody configured, tell no deletion time', async (t) => {
  for (const serviceLine of ['puhelunvalitys', 'muu']) {
    const { contactId, entries } = wholeCall({ serviceLine })
    await applyEntries(mariadb.settings, entries)
    t.equal((await findContact(pool, contactId, nowMs))?.recordings[0]?.deleteAfter, null)
  }
})

t.test('a held recording says so until the hold ends', async (t) => {
  const { contactId, recordingId, entries } = wholeCall()
  await applyEntries(mariadb.settings, entries)
  await placeHold(trail, {
    recordingId,
    reason: 'complaint',
    placedBy: 'officer',
    untilMs: nowMs + 1000,
    nowMs,
  })
  t.equal((await findContact(pool, contactId, nowMs))?.recordings[0]?.held, true)
  t.equal((await findContact(pool, contactId, nowMs + 1000))?.recordings[0]?.held, false)
})

t.test('a deleted recording tells by which policy and when', async (t) => {
  const { recordingId, entries } = wholeCall()
  await applyEntries(mariadb.settings, entries)
  await pool.query(
    "UPDATE recordings SET state = 'deleted', deleted_at = ?, deleted_by_policy = 1 WHERE id = ?",
    [new Date(nowMs), recordingId],
  )
  t.strictSame((await findRecording(pool, recordingId, nowMs))?.deletion, {
    deletedAt: '2026-01-20T00:00:00.000Z',
    period: 'P2M',
    policyVersion: 1,
  })
})

t.test('a caller is found by E.164 and by the number as it came', async (t) => {
  const known = contactStarted({
    caller: {
      raw: '020 2555 0133',
      e164: '+12025550133',
      display: '+12025550133',
      isWithheld: false,
    },
  })
  const internal = contactStarted({
    caller: { raw: '4711', e164: null, display: '4711', isWithheld: false },
  })
  const withheld = contactStarted({ caller: WITHHELD })
  await applyEntries(mariadb.settings, [known, internal, withheld])
  for (const caller of ['+12025550133', '020 2555 0133']) {
    t.same(
      (await find({ caller })).map(({ id }) => id),
      [known.contactId],
    )
  }
  t.match(await find({ caller: '4711' }), [{ id: internal.contactId, caller: '4711' }])
  t.match(await findContact(pool, withheld.contactId, nowMs), {
    caller: null,
    callerRaw: null,
    callerWithheld: true,
  })
})

t.test('an agent’s calls are those of any segment', async (t) => {
  const transferred = wholeCall({ agent: 'first' })
  const own = wholeCall({ agent: 'second', startedAtMs: STARTED_AT_MS + 1 })
  await applyEntries(mariadb.settings, [
    ...transferred.entries,
    ...own.entries,
    ...[1, 2].map((part) => ({
      kind: 'segment.started' as const,
      segmentId: newId(),
      contactId: transferred.contactId,
      agent: 'second',
      startedAtMs: STARTED_AT_MS + part * 10_000,
    })),
  ])
  t.same(
    (await find({ agent: 'second' })).map(({ id }) => id),
    [own.contactId, transferred.contactId],
  )
  t.equal((await find({ agent: 'second', serviceLine: 'muu' })).length, 0)
  t.equal((await find({ agent: 'second', caller: '+12025550147' })).length, 2)
})

t.test(
  'pages of any search, read to the end, are all that matches, newest first, each once',
  async (t) => {
    const contacts = Array.from({ length: 60 }, (_, index) =>
      contactStarted({
        nodeId: 'pages',
        // Many begin at the same moment.
        startedAtMs: Date.UTC(2025, 5, 1) + Math.floor(index / 7) * 1000,
        callId: `pages-${index % 4}`,
        caller: number(`+1202555018${index % 3}`),
        serviceNumber: number(`+1202555017${index % 2}`),
        serviceLine: `sivu-${index % 2}`,
        agent: `sivu-${index % 5}`,
      }),
    )
    await applyEntries(mariadb.settings, contacts)
    const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
    const filters = fc.record({
      callId: optional(fc.constantFrom('pages-0', 'pages-3')),
      caller: optional(fc.constantFrom('+12025550180', '+12025550182')),
      serviceNumber: optional(fc.constantFrom('+12025550170', '+12025550171')),
      serviceLine: optional(fc.constantFrom('sivu-0', 'sivu-1')),
      agent: optional(fc.constantFrom('sivu-0', 'sivu-4')),
      fromMs: fc.constantFrom(Date.UTC(2025, 5, 1), Date.UTC(2025, 5, 1) + 3000),
      toMs: fc.constantFrom(Date.UTC(2025, 5, 1) + 5000, Date.UTC(2025, 5, 2)),
      limit: fc.integer({ min: 1, max: 9 }),
    })
    await fc.assert(
      fc.asyncProperty(filters, async (wanted) => {
        const { limit, fromMs, toMs, ...fields } = wanted
        const filter = Object.fromEntries(
          Object.entries(fields).filter(([, value]) => value !== undefined),
        )
        const expected = contacts
          .filter(
            (contact) =>
              contact.startedAtMs >= fromMs &&
              contact.startedAtMs < toMs &&
              (wanted.callId ?? contact.callId) === contact.callId &&
              (wanted.caller ?? contact.caller.e164) === contact.caller.e164 &&
              (wanted.serviceNumber ?? contact.serviceNumber.e164) === contact.serviceNumber.e164 &&
              (wanted.serviceLine ?? contact.serviceLine) === contact.serviceLine &&
              (wanted.agent ?? contact.agent) === contact.agent,
          )
          .sort((a, b) => b.startedAtMs - a.startedAtMs || (a.contactId < b.contactId ? 1 : -1))
        const read: string[] = []
        let cursor: string | undefined
        do {
          const page = await findContacts(
            pool,
            { ...filter, fromMs, toMs, limit, ...(cursor !== undefined && { cursor }) },
            nowMs,
          )
          read.push(...page.items.map(({ id }) => id))
          cursor = page.nextCursor ?? undefined
        } while (cursor !== undefined)
        t.same(
          read,
          expected.map(({ contactId }) => contactId),
        )
      }),
      { numRuns: 60 },
    )
  },
)

t.test('a cursor that no page gave is refused', async (t) => {
  const cursor = encodeCursor({ startedAtMs: STARTED_AT_MS, id: newId() })
  t.match(decodeCursor(cursor), { startedAtMs: STARTED_AT_MS })
  for (const wrong of [
    '',
    'x',
    `${cursor}=`,
    cursor.slice(1),
    `${cursor}AA`,
    "'; DROP TABLE contacts",
  ]) {
    await t.rejects(findContacts(pool, { limit: 1, cursor: wrong }, nowMs), { code: 'bad_cursor' })
  }
  fc.assert(
    fc.property(fc.string(), (text) => {
      t.throws(() => decodeCursor(text), { code: 'bad_cursor' })
    }),
  )
})

async function queryFor(filter: ContactFilter) {
  return searchQuery(filter, await linesOf(pool, filter))
}

interface Explained {
  readonly select_type: string
  readonly table: string | null
  readonly key: string | null
  readonly Extra: string
}

t.test('every search reads its own index in order and sorts no table', async (t) => {
  const filters: Partial<ContactFilter>[] = [
    {},
    { callId: 'a' },
    { caller: '+12025550180' },
    { serviceNumber: '+12025550170' },
    { serviceLine: 'sivu-0' },
    { agent: 'sivu-0' },
    { agent: 'sivu-0', serviceLine: 'sivu-0' },
    { agent: 'sivu-0', serviceLine: 'sivu-0', caller: '+12025550180' },
  ]
  const cursor = encodeCursor({ startedAtMs: STARTED_AT_MS, id: newId() })
  for (const filter of filters) {
    const { sql, values } = await queryFor({ ...filter, fromMs: 0, cursor, limit: 50 })
    const rows: Explained[] = await pool.query(`EXPLAIN ${sql}`, [...values])
    const searched = rows.filter(({ table }) => table === 'c' || table === 's')
    t.ok(searched.length > 0, JSON.stringify(rows))
    for (const row of searched) {
      t.notMatch(
        row.Extra,
        /filesort|temporary/,
        `${JSON.stringify(filter)}: ${JSON.stringify(row)}`,
      )
      t.match(row.key, /by_|PRIMARY/)
    }
    // An agent's segments are many, a contact's few.
    for (const row of rows.filter(({ select_type }) => select_type === 'DEPENDENT SUBQUERY')) {
      t.equal(row.key, 'by_contact')
    }
  }
})

t.test('a page reads a few rows for each of its own, however many match', async (t) => {
  await pool.query(
    `INSERT INTO contacts (id, node_id, call_id, capture, direction, caller_raw, caller_e164,
       caller_withheld, service_number_raw, service_number_e164, service_line, agent, started_at)
     SELECT UUID(), 'many', 'many', 'siprec', 'inbound', '+12025550190', '+12025550190', FALSE,
       '+12025550191', '+12025550191', IF(seq MOD 2, 'monta', 'muu'), 'monta',
       '2024-01-01' + INTERVAL seq SECOND
     FROM seq_1_to_20000`,
  )
  await pool.query(
    `INSERT INTO segments (id, contact_id, contact_started_at, agent, service_line, started_at, ended_at)
     SELECT UUID(), id, started_at, agent, service_line, started_at, ended_at FROM contacts WHERE node_id = 'many'`,
  )
  await pool.query('ANALYZE TABLE contacts, segments')
  const filters: Partial<ContactFilter>[] = [
    {},
    { callId: 'many' },
    { caller: '+12025550190' },
    { serviceNumber: '+12025550191' },
    { serviceLine: 'monta' },
    { agent: 'monta' },
    { agent: 'monta', serviceLine: 'monta' },
    { agent: 'monta', caller: '+12025550190' },
    { serviceNumber: '+12025550191', serviceLine: 'monta' },
  ]
  const connection = await pool.getConnection()
  t.teardown(() => connection.release())
  for (const filter of filters) {
    const cursor = encodeCursor({ startedAtMs: Date.UTC(2024, 0, 1, 3), id: newId() })
    const { sql, values } = await queryFor({ ...filter, cursor, limit: 50 })
    const reads = await countReads(connection, async () => {
      t.equal((await connection.query(sql, [...values])).length, 51)
    })
    t.ok(reads < 1000, `${JSON.stringify(filter)}: ${reads} reads`)
  }
})

t.test(
  'what never meets is found missing by a few rows, however many there are of each',
  async (t) => {
    const filters: Partial<ContactFilter>[] = [
      { agent: 'monta', serviceLine: 'sivu-0' },
      { agent: 'monta', serviceNumber: '+12025550170' },
      { serviceNumber: '+12025550191', serviceLine: 'sivu-0' },
      { serviceNumber: '+12025550191', agent: 'sivu-0' },
      { caller: '+12025550190', serviceNumber: '+12025550170' },
      { caller: '+12025550190', agent: 'sivu-0' },
      { caller: '+12025550190', agent: 'nobody' },
    ]
    const connection = await pool.getConnection()
    t.teardown(() => connection.release())
    for (const filter of filters) {
      const reads = await countReads(connection, async () => {
        t.same((await findContacts(connection, { ...filter, limit: 50 }, nowMs)).items, [])
      })
      t.ok(reads < 100, `${JSON.stringify(filter)}: ${reads} reads`)
    }
  },
)

t.test('a contact that goes to another line is found there by each of its agents', async (t) => {
  const { contactId, entries } = wholeCall({ agent: 'ennen', serviceLine: 'ennen' })
  await applyEntries(mariadb.settings, [
    ...entries,
    {
      kind: 'segment.started',
      segmentId: newId(),
      contactId,
      agent: 'jälkeen',
      startedAtMs: STARTED_AT_MS + 10_000,
    },
  ])
  for (const agent of ['ennen', 'jälkeen']) {
    t.match(await find({ agent, serviceLine: 'ennen' }), [{ id: contactId }])
  }
  await applyEntries(mariadb.settings, [
    { kind: 'contact.changed', contactId, serviceLine: 'toinen' },
  ])
  for (const agent of ['ennen', 'jälkeen']) {
    t.same(await find({ agent, serviceLine: 'ennen' }), [])
    t.match(await find({ agent, serviceLine: 'toinen' }), [{ id: contactId }])
    t.match(await find({ agent }), [{ id: contactId }])
  }
})

t.test('a page is loaded by its own contacts, however many others there are', async (t) => {
  await pool.query(
    `INSERT INTO contact_notes (contact_id, name, value, annotated_at)
     SELECT id, 'topic', 'invoice', started_at FROM contacts WHERE node_id = 'many' ORDER BY id LIMIT 10000`,
  )
  await pool.query('ANALYZE TABLE contact_notes')
  const connection = await pool.getConnection()
  t.teardown(() => connection.release())
  const reads = await countReads(connection, async () => {
    const { items } = await findContacts(connection, { serviceLine: 'monta', limit: 50 }, nowMs)
    t.equal(items.length, 50)
  })
  t.ok(reads < 1000, `${reads} reads`)
})

t.test(
  'of an encrypted recording the view is of the audio, and the file is told apart',
  async (t) => {
    const encryption = {
      form: 'age',
      keySet: '0123456789abcdef',
      audioBytes: 170_000,
      audioSha256: 'cd'.repeat(32),
    } as const
    const file = storeFileOf(newId(), 'age')
    const call = wholeCall({}, { encryption, bytes: 170_400, sha256: 'ab'.repeat(32), file })
    await applyEntries(mariadb.settings, call.entries)
    const found = await findRecording(pool, call.recordingId, nowMs)
    t.match(found?.view, { bytes: 170_000, sha256: 'cd'.repeat(32) })
    t.strictSame(found?.stored, {
      bytes: 170_400,
      sha256: 'ab'.repeat(32),
      encryption: 'age',
      keySet: '0123456789abcdef',
    })
  },
)
