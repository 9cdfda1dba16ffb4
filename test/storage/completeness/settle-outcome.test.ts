import t from 'tap'
import { newId } from '../../../base/uuid.ts'
import { migrate } from '../../../storage/migrate.ts'
import type { JournalEntry } from '../../../storage/model.ts'
import { startMariadb } from '../../mariadb.ts'
import { applyEntries } from '../apply.ts'
import { contactStarted, recordingEnded, STARTED_AT_MS, wholeCall } from '../journal-entries.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const pool = mariadb.pool()
await migrate(pool)

const apply = async (entries: readonly JournalEntry[]) => {
  t.same(await applyEntries(mariadb.settings, entries), [])
}

async function outcomeOf(contactId: string): Promise<string> {
  const [row] = await pool.query(
    'SELECT outcome, outcome_reasons AS reasons FROM contacts WHERE id = ?',
    [contactId],
  )
  return `${row.outcome} ${row.reasons}`.trim()
}

t.test(
  'a call has the verdict of its recording once it has ended, in whatever order',
  async (t) => {
    const call = wholeCall({}, { state: 'partial', reasons: ['media_lost', 'paused'] })
    const verdict = call.entries.at(-1)
    await apply(call.entries.slice(0, -2))
    t.equal(await outcomeOf(call.contactId), 'null')
    if (verdict) await apply([verdict])
    t.equal(await outcomeOf(call.contactId), 'null media_lost,paused')
    await apply(call.entries)
    t.equal(await outcomeOf(call.contactId), 'partial media_lost,paused')
    const other = wholeCall()
    await apply(other.entries.slice(0, -1))
    t.equal(await outcomeOf(other.contactId), 'null', 'it awaits its verdict')
    await apply(other.entries)
    t.equal(await outcomeOf(other.contactId), 'complete')
  },
)

t.test('a verdict outlives its recording', async (t) => {
  const call = wholeCall({}, { state: 'silent', reasons: ['no_media'] })
  await apply(call.entries)
  await pool.query("UPDATE recordings SET state = 'deleted' WHERE id = ?", [call.recordingId])
  await apply([{ kind: 'contact.ended', contactId: call.contactId, endedAtMs: 0, endReason: 'x' }])
  t.equal(await outcomeOf(call.contactId), 'silent no_media')
})

t.test('a call whose recordings differ is partial, for the reasons of all', async (t) => {
  const call = wholeCall()
  const second = newId()
  await apply([
    ...call.entries.slice(0, -1),
    recordingEnded(call.contactId, call.recordingId, {
      state: 'failed',
      reasons: ['engine_failed'],
    }),
    recordingEnded(call.contactId, second, { reasons: ['paused'] }),
  ])
  t.match(await outcomeOf(call.contactId), /^partial (engine_failed,paused|paused,engine_failed)$/)
})

for (const [capture, endReason, outcome] of [
  ['siprec', 'refused_503', 'refused refused_503'],
  ['siprec', 'no_decodable_codec', 'refused no_decodable_codec'],
  ['siprec', 'cancelled', 'unanswered cancelled'],
  ['trunk', 'refused_486', 'unanswered refused_486'],
  ['trunk', 'refused_503', 'refused refused_503'],
  ['trunk', 'cancelled', 'unanswered cancelled'],
] as const) {
  t.test(`a ${capture} call that ended with ${endReason} before an answer`, async (t) => {
    const started = contactStarted({ capture })
    const { contactId } = started
    await apply([started])
    t.equal(await outcomeOf(contactId), 'null')
    await apply([{ kind: 'contact.ended', contactId, endedAtMs: STARTED_AT_MS, endReason }])
    t.equal(await outcomeOf(contactId), outcome)
  })
}

t.test(
  'a call that no route records is exempt, and one that should have been has none',
  async (t) => {
    const [exempt, lost] = [contactStarted({ capture: 'trunk' }), contactStarted()]
    for (const started of [exempt, lost]) {
      const { contactId } = started
      await apply([
        started,
        { kind: 'contact.answered', contactId, answeredAtMs: STARTED_AT_MS },
        ...(started === exempt ? [{ kind: 'contact.exempted', contactId } as const] : []),
        { kind: 'contact.ended', contactId, endedAtMs: STARTED_AT_MS + 1, endReason: 'bye' },
      ])
    }
    t.equal(await outcomeOf(exempt.contactId), 'exempt bye')
    t.equal(await outcomeOf(lost.contactId), 'null bye')
  },
)

t.test('sessions of one call are counted once, and the call ends with the last', async (t) => {
  const call = wholeCall()
  await apply(call.entries)
  const session = newId()
  const joined: JournalEntry = {
    kind: 'contact.joined',
    contactId: session,
    into: call.contactId,
    nodeId: 'node-2',
    callId: 'other',
    capture: 'siprec',
    startedAtMs: STARTED_AT_MS,
  }
  await apply([joined])
  t.equal(await outcomeOf(session), 'joined')
  t.equal(await outcomeOf(call.contactId), 'null', 'it goes on')
  await apply([
    recordingEnded(session, newId(), { state: 'partial', reasons: ['media_lost'] }),
    { kind: 'contact.ended', contactId: session, endedAtMs: STARTED_AT_MS, endReason: 'bye' },
  ])
  t.equal(await outcomeOf(session), 'joined')
  t.equal(await outcomeOf(call.contactId), 'partial media_lost')
})

t.test('two whole calls that turn out to be one have one outcome', async (t) => {
  const first = wholeCall()
  const second = wholeCall({ startedAtMs: STARTED_AT_MS + 10 }, { state: 'silent' })
  const key = { key: 'call-1', afterEndMs: 60_000 }
  await apply([...first.entries, ...second.entries])
  for (const { contactId } of [first, second]) {
    await apply([{ kind: 'contact.keyed', contactId, seenAtMs: STARTED_AT_MS, keys: [key] }])
  }
  t.equal(await outcomeOf(first.contactId), 'partial')
  t.equal(await outcomeOf(second.contactId), 'joined')
})
