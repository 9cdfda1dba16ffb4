import t from 'tap'
import { createSilentLog } from '../../base/log.ts'
import { newId } from '../../base/uuid.ts'
import type { LiveCall } from '../../gateway/calls/live-call.ts'
import { CallComparison } from '../../gateway/compare-calls.ts'
import { listDiscrepancies } from '../../storage/completeness/discrepancies.ts'
import { migrate } from '../../storage/migrate.ts'
import { ManualClock } from '../manual-clock.ts'
import { startMariadb } from '../mariadb.ts'
import { applyEntries } from '../storage/apply.ts'
import { STARTED_AT_MS, wholeCall } from '../storage/journal-entries.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const pool = mariadb.pool()
await migrate(pool)

function liveCall(contactId: string, recordingId: string): LiveCall {
  return {
    contactId,
    recordingId,
    callId: 'a@192.0.2.1',
    state: 'established',
    isHeld: false,
    isPaused: false,
    isStopped: false,
    startedAtMs: STARTED_AT_MS,
    answeredAtMs: STARTED_AT_MS,
    caller: null,
    serviceNumber: null,
    serviceLine: 'asiakastuki',
    agent: null,
  }
}

function node() {
  const state = {
    calls: [] as LiveCall[],
    recordings: [] as string[],
    spooled: [] as string[],
    isCaughtUp: true,
  }
  const clock = new ManualClock(STARTED_AT_MS + 120_000)
  const comparison = new CallComparison({
    pool,
    nodeId: 'node-1',
    calls: () => state.calls,
    recordings: async () => state.recordings,
    spooled: async () => state.spooled,
    isCaughtUp: () => state.isCaughtUp,
    clock,
    log: createSilentLog(),
  })
  const open = async () =>
    (await listDiscrepancies(pool, 100)).map(({ kind, subject }) => `${kind} ${subject}`).sort()
  return { state, clock, comparison, open }
}

/** A call that goes on, by its rows. */
async function openCall() {
  const { contactId, recordingId, entries } = wholeCall()
  await applyEntries(mariadb.settings, entries.slice(0, 4))
  return { contactId, recordingId, rest: entries.slice(4) }
}

t.test('a call that is in all places agrees', async (t) => {
  const { state, comparison, open } = node()
  const { contactId, recordingId, rest } = await openCall()
  state.calls = [liveCall(contactId, recordingId)]
  state.recordings = [recordingId]
  state.spooled = [recordingId]
  await comparison.compare()
  await comparison.compare()
  t.strictSame(await open(), [])
  await applyEntries(mariadb.settings, rest)
})

t.test('what is missing in any place is found at the second look, and cleared', async (t) => {
  const { state, comparison, open } = node()
  const forgotten = await openCall()
  const rowless = newId()
  const orphan = newId()
  state.calls = [liveCall(rowless, newId())]
  state.spooled = [orphan]
  await comparison.compare()
  t.strictSame(await open(), [], 'it may be on its way')
  await comparison.compare()
  t.strictSame(await open(), [
    `dialog_without_row ${rowless}`,
    `recording_without_dialog ${forgotten.recordingId}`,
    `row_without_dialog ${forgotten.contactId}`,
    `spool_without_dialog ${orphan}`,
  ])
  state.calls = []
  state.spooled = []
  await applyEntries(mariadb.settings, forgotten.rest)
  await comparison.compare()
  t.strictSame(await open(), [])
})

t.test('nothing is compared while the journal waits or the database is away', async (t) => {
  const { state, comparison, open, clock } = node()
  state.spooled = [newId()]
  state.isCaughtUp = false
  await comparison.compare()
  await comparison.compare()
  t.strictSame(await open(), [])
  comparison.start()
  comparison.start()
  t.equal(clock.timers, 1)
  await comparison.close()
})
