import { Registry } from 'prom-client'
import t from 'tap'
import { createSilentLog } from '../../base/log.ts'
import { newId } from '../../base/uuid.ts'
import { CompletenessMetrics } from '../../retention/completeness-metrics.ts'
import { Reconciler } from '../../retention/reconciler.ts'
import { takeListedCalls } from '../../storage/completeness/platform-calls.ts'
import { withdrawImport } from '../../storage/completeness/platform-imports.ts'
import { migrate } from '../../storage/migrate.ts'
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
    const registry = new Registry()
    const metrics = new CompletenessMetrics(registry)
    const reconciler = new Reconciler({ pool, metrics, clock, log: createSilentLog() })
    t.teardown(() => reconciler.close())
    const value = async (series: string) => metricValue(await registry.metrics(), series)
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

t.test('a verdict whose file is gone is told', async (t) => {
  const call = wholeCall()
  await applyEntries(mariadb.settings, call.entries)
  await pool.query('UPDATE recordings SET file_missing_since = NOW() WHERE id = ?', [
    call.recordingId,
  ])
  const registry = new Registry()
  const reconciler = new Reconciler({
    pool,
    metrics: new CompletenessMetrics(registry),
    clock: new ManualClock(ENDED_AT_MS),
    log: createSilentLog(),
  })
  reconciler.start()
  reconciler.start()
  await reconciler.reconcile()
  await reconciler.close()
  const gone = 'tallenne_discrepancies{kind="verdict_without_file"}'
  t.equal(metricValue(await registry.metrics(), gone), 1)
})

t.test('calls of a withdrawn import are missing no more', async (t) => {
  const clock = new ManualClock(ENDED_AT_MS)
  const registry = new Registry()
  const metrics = new CompletenessMetrics(registry)
  const reconciler = new Reconciler({ pool, metrics, clock, log: createSilentLog() })
  t.teardown(() => reconciler.close())
  const importId = await listCall('of another site@192.0.2.1')
  await reconciler.reconcile()
  t.equal(metricValue(await registry.metrics(), MISSING), 1)
  await withdrawImport(pool, importId, { withdrawnBy: 'test', nowMs: clock.epochMs() })
  clock.advance(60_000)
  await reconciler.reconcile()
  t.equal(metricValue(await registry.metrics(), MISSING), 0)
})
