import { rmSync } from 'node:fs'
import { Registry } from 'prom-client'
import t from 'tap'
import { createSilentLog } from '../../base/log.ts'
import { RetentionMetrics } from '../../retention/retention-metrics.ts'
import { Sweeper } from '../../retention/sweeper.ts'
import { placeHold } from '../../storage/holds.ts'
import { ManualClock } from '../manual-clock.ts'
import { startMariadb } from '../mariadb.ts'
import { metricValue } from '../metrics-text.ts'
import { testTrail } from '../storage/audit/test-trail.ts'
import { Archive } from './archive.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const pool = mariadb.pool()
const trail = testTrail(pool)
const CALL_END = Date.parse('2026-01-15T08:31:02.123Z')
const DUE = Date.parse('2026-03-15T08:31:02.123Z')
const from = await Archive.open(mariadb, t.testdir())

function sweeper(nowMs: number) {
  const registry = new Registry()
  const clock = new ManualClock(nowMs)
  const made = new Sweeper({
    nodeId: 'node-1',
    pool,
    store: from.store,
    trail,
    clock,
    log: createSilentLog(),
    metrics: new RetentionMetrics(registry),
    sweepEveryMs: 60_000,
  })
  return { sweeper: made, registry, clock }
}

t.test('a sweep comes at the start and at each interval, and joins one that runs', async (t) => {
  const { sweeper: made, registry, clock } = sweeper(DUE - 60_000)
  t.teardown(() => made.close())
  const [id = ''] = await from.add([{ endedAtMs: CALL_END }])
  made.start()
  made.start()
  const running = made.sweepNow()
  t.equal(made.sweepNow(), running)
  await running
  t.equal(await from.stateOf(id), 'complete')
  clock.advance(60_000)
  await made.sweepNow()
  t.equal(await from.stateOf(id), 'deleted')
  t.equal(
    metricValue(await registry.metrics(), 'tallenne_retention_sweeps_total{result="done"}'),
    2,
  )
})

t.test('metrics tell what was deleted, what is held and what is still due', async (t) => {
  const { sweeper: made, registry } = sweeper(DUE + 7_200_000)
  t.teardown(() => made.close())
  const [, held = '', stuck = ''] = await from.add(
    Array.from({ length: 3 }, () => ({ endedAtMs: CALL_END })),
  )
  await placeHold(trail, {
    recordingId: held,
    reason: 'x',
    placedBy: 'x',
    untilMs: null,
    nowMs: DUE,
  })
  await pool.query("UPDATE recordings SET file = '../escape' WHERE id = ?", [stuck])
  await made.sweepNow()
  const metrics = await registry.metrics()
  for (const [series, value] of [
    ['tallenne_retention_deleted_total{line="asiakastuki"}', 1],
    ['tallenne_retention_failed_total{line="asiakastuki"}', 1],
    ['tallenne_retention_held{line="asiakastuki"}', 1],
    ['tallenne_retention_due{line="asiakastuki"}', 1],
    ['tallenne_retention_overdue{line="asiakastuki"}', 0],
    ['tallenne_retention_last_sweep_timestamp_seconds', (DUE + 7_200_000) / 1000],
    ['tallenne_retention_orphans{kind="file_without_row"}', 0],
  ] as const) {
    t.equal(metricValue(metrics, series), value, series)
  }
  await pool.query('UPDATE recordings SET deleting_at = ? WHERE id = ?', [new Date(DUE), stuck])
  await made.sweepNow()
  const overdue = 'tallenne_retention_overdue{line="asiakastuki"}'
  t.equal(metricValue(await registry.metrics(), overdue), 1)
})

t.test('a sweep without its store fails, is counted, and the next one is well', async (t) => {
  const { sweeper: made, registry } = sweeper(DUE)
  t.teardown(() => made.close())
  rmSync(from.storePath, { recursive: true })
  await t.rejects(made.sweepNow(), { code: 'store_missing' })
  const failed = 'tallenne_retention_sweeps_total{result="failed"}'
  t.equal(metricValue(await registry.metrics(), failed), 1)
  await from.store.prepare()
  t.match(await made.sweepNow(), { kind: 'done' })
})

t.test('close waits for the sweep that runs, and starts no more', async (t) => {
  const { sweeper: made, clock } = sweeper(DUE)
  made.start()
  await Promise.all([made.close(), made.close()])
  t.equal(clock.timers, 0)
})
