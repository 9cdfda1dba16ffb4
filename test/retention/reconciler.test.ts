import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import type { Clock } from '../../base/clock.ts'
import { createSilentLog } from '../../base/log.ts'
import { newId } from '../../base/uuid.ts'
import { CompletenessMetrics } from '../../retention/completeness-metrics.ts'
import { Reconciler } from '../../retention/reconciler.ts'
import { keepDiscrepancies } from '../../storage/completeness/discrepancies.ts'
import { findLostFiles } from '../../storage/completeness/open-rows.ts'
import { takeListedCalls } from '../../storage/completeness/platform-calls.ts'
import { withdrawImport } from '../../storage/completeness/platform-imports.ts'
import { migrate } from '../../storage/migrate.ts'
import { RecordingStore } from '../../storage/recording-store.ts'
import { markMissing } from '../../storage/store-audit.ts'
import { storeFileOf } from '../../storage/store-file.ts'
import { ManualClock } from '../manual-clock.ts'
import { startMariadb } from '../mariadb.ts'
import { metricValue } from '../metrics-text.ts'
import { applyEntries } from '../storage/apply.ts'
import { STARTED_AT_MS, wholeCall } from '../storage/journal-entries.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const pool = mariadb.pool()
await migrate(pool)
const ENDED_AT_MS = STARTED_AT_MS + 62_000
const MISSING = 'tallenne_completeness_listed_calls{result="missing"}'

/** A reconciler with a store of its own. */
async function makeReconciler(t: Test, clock: Clock) {
  const folder = t.testdir()
  const storePath = join(folder, 'recordings')
  const store = new RecordingStore({ spoolPath: join(folder, 'spool'), storePath })
  await store.prepare()
  const registry = new Registry()
  const metrics = new CompletenessMetrics(registry)
  const reconciler = new Reconciler({ pool, store, metrics, clock, log: createSilentLog() })
  t.teardown(() => reconciler.close())
  const value = async (series: string) => metricValue(await registry.metrics(), series)
  return { reconciler, value, store, storePath }
}

/** An import of its own, and its id. */
async function listCall(callId: string): Promise<string> {
  const call = {
    reference: null,
    callId,
    startedAtMs: STARTED_AT_MS,
    isAmbiguous: false,
    durationS: null,
    wasAnswered: true,
    caller: null,
    callerE164: null,
    serviceNumber: null,
    serviceNumberE164: null,
    serviceLine: 'asiakastuki',
  }
  const importId = newId()
  const of = { importId, list: 'platform', importedBy: 'test', nowMs: ENDED_AT_MS }
  await takeListedCalls(pool, [call], { ...of, toleranceMs: 0 })
  return importId
}

t.test(
  'a call without a verdict is an alarm a minute after its end, until it has one',
  async (t) => {
    const clock = new ManualClock(ENDED_AT_MS + 59_000)
    const { reconciler, value } = await makeReconciler(t, clock)
    const overdue = 'tallenne_discrepancies{kind="no_verdict"}'

    const call = wholeCall()
    await applyEntries(mariadb.settings, call.entries.slice(0, -1))
    await listCall('later@192.0.2.1')
    await reconciler.reconcile()
    t.equal(await value(overdue), 0)
    t.equal(await value('tallenne_completeness_calls{outcome="open"}'), 1)
    t.equal(await value(MISSING), 1)

    clock.advance(2000)
    await reconciler.reconcile()
    t.equal(await value(overdue), 1)

    await applyEntries(mariadb.settings, call.entries)
    await applyEntries(mariadb.settings, wholeCall({ callId: 'later@192.0.2.1' }).entries)
    clock.advance(60_000)
    await reconciler.reconcile()
    t.equal(await value(overdue), 0)
    t.equal(await value('tallenne_completeness_calls{outcome="complete"}'), 2)
    t.equal(await value(MISSING), 0)
    const rows = await pool.query('SELECT kind, subject, node_id, cleared_at FROM discrepancies')
    t.match(rows, [
      {
        kind: 'no_verdict',
        subject: call.contactId,
        node_id: 'node-1',
        cleared_at: new Date(ENDED_AT_MS + 121_000),
      },
    ])
  },
)

t.test('a verdict whose file is gone is told, until the file is there again', async (t) => {
  const clock = new ManualClock(ENDED_AT_MS)
  const { reconciler, value, store } = await makeReconciler(t, clock)
  const recordingId = newId()
  writeFileSync(store.spoolPathOf(recordingId), 'audio')
  const file = await store.keep(recordingId)
  await applyEntries(mariadb.settings, wholeCall({}, { recordingId, file }).entries)
  const kept = store.pathOf(file)
  renameSync(kept, `${kept}.away`)
  await markMissing(pool, [recordingId], ENDED_AT_MS)
  const gone = 'tallenne_discrepancies{kind="verdict_without_file"}'
  reconciler.start()
  reconciler.start()
  await reconciler.reconcile()
  t.equal(await value(gone), 1)
  clock.advance(60_000)
  await reconciler.reconcile()
  t.equal(await value(gone), 1)
  renameSync(`${kept}.away`, kept)
  clock.advance(60_000)
  await reconciler.reconcile()
  t.equal(await value(gone), 0)
  t.same(await findLostFiles(pool), [])
})

t.test('a file without a row is told, until it has one or is gone', async (t) => {
  const clock = new ManualClock(ENDED_AT_MS)
  const { reconciler, value, store, storePath } = await makeReconciler(t, clock)
  const [owned, removed] = [newId(), newId()]
  for (const recordingId of [owned, removed]) {
    writeFileSync(store.spoolPathOf(recordingId), 'audio')
    await store.keep(recordingId)
  }
  const unknown = [owned, removed].map(
    (subject) => ({ kind: 'file_without_row', subject, nodeId: 'node-1' }) as const,
  )
  await keepDiscrepancies(pool, unknown, { kinds: ['file_without_row'], nowMs: ENDED_AT_MS })
  const series = 'tallenne_discrepancies{kind="file_without_row"}'
  await reconciler.reconcile()
  t.equal(await value(series), 2)

  renameSync(storePath, `${storePath}.away`)
  clock.advance(60_000)
  await reconciler.reconcile()
  t.equal(await value(series), 2, 'a store that is away mends nothing')
  renameSync(`${storePath}.away`, storePath)

  await store.erase(storeFileOf(removed))
  clock.advance(60_000)
  await reconciler.reconcile()
  t.equal(await value(series), 1)
  await applyEntries(
    mariadb.settings,
    wholeCall({}, { recordingId: owned, file: storeFileOf(owned) }).entries,
  )
  clock.advance(60_000)
  await reconciler.reconcile()
  t.equal(await value(series), 0)
})

t.test('calls of a withdrawn import are missing no more', async (t) => {
  const clock = new ManualClock(ENDED_AT_MS)
  const { reconciler, value } = await makeReconciler(t, clock)
  const importId = await listCall('of another site@192.0.2.1')
  await reconciler.reconcile()
  t.equal(await value(MISSING), 1)
  await withdrawImport(pool, importId, { withdrawnBy: 'test', nowMs: clock.epochMs() })
  clock.advance(60_000)
  await reconciler.reconcile()
  t.equal(await value(MISSING), 0)
})
