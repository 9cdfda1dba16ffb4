import { parseArgs } from 'node:util'
import { SystemClock } from '../base/clock.ts'
import { confineProcess, ROOT_WARNING } from '../base/confine-process.ts'
import { createHttpService } from '../base/http-service.ts'
import { createLog, type Log } from '../base/log.ts'
import { readPackageVersion } from '../base/package-version.ts'
import { createRegistry } from '../base/process-metrics.ts'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import { untilAborted } from '../base/until-aborted.ts'
import type { Config } from '../config/config.ts'
import { dataPaths } from '../config/data-paths.ts'
import { loadConfig } from '../config/load-config.ts'
import { createAudit } from '../storage/audit/create-audit.ts'
import { checkDatabase, createDatabasePool } from '../storage/database.ts'
import { watchDatabase } from '../storage/database-metrics.ts'
import { registerDiskDeaths } from '../storage/disk/disk-metrics.ts'
import { DiskThreads } from '../storage/disk/disk-threads.ts'
import { RecordingStore } from '../storage/recording-store.ts'
import { CompletenessMetrics } from './completeness-metrics.ts'
import { prepare, waitForStore } from './prepare.ts'
import { Reconciler } from './reconciler.ts'
import { RetentionMetrics } from './retention-metrics.ts'
import { Sweeper } from './sweeper.ts'

/** Files that are looked at or erased at once. */
const STORE_THREADS = 4

/** Runs the retention daemon until `stopped`. Rejects where it cannot start. */
async function run(config: Config, log: Log, stopped: AbortSignal): Promise<void> {
  const clock = new SystemClock()
  const registry = createRegistry('retention', readPackageVersion())
  const { spool, store: storePath, audit: auditPath } = dataPaths(config)
  const pool = createDatabasePool(config.database)
  const watch = watchDatabase(registry, { pool, limit: config.database.connections, clock })
  const disk = new DiskThreads({
    name: 'store',
    count: STORE_THREADS,
    clock,
    hungAfterMs: config.disks.hungAfterS * 1000,
    log,
  })
  registerDiskDeaths(registry, () => ({ store: disk.deaths }))
  const store = new RecordingStore({ spoolPath: spool, storePath, disk })
  const audit = createAudit({
    pool,
    folder: auditPath,
    process: 'retention',
    nodeId: config.node.id,
    registry,
    clock,
    log,
  })
  const sweeper = new Sweeper({
    nodeId: config.node.id,
    pool,
    store,
    trail: audit.trail,
    clock,
    log,
    metrics: new RetentionMetrics(registry),
    sweepEveryMs: config.retention.sweepEveryS * 1000,
  })
  const reconciler = new Reconciler({
    pool,
    store,
    metrics: new CompletenessMetrics(registry),
    clock,
    log,
  })
  const reasonOf = (check: Promise<void>) => check.then(() => undefined, messageOf)
  const http = createHttpService({
    ...config.http.retention,
    registry,
    clock,
    log,
    checks: [
      { name: 'database', check: () => reasonOf(checkDatabase(pool, config.database)) },
      { name: 'store', check: () => reasonOf(store.check()) },
    ],
  })
  try {
    watch.start()
    await audit.queue.start()
    const address = await http.start()
    log.info(address, 'retention listens')
    const waiting = { clock, log, signal: stopped }
    await prepare({ pool, audit, config, ...waiting })
    if (!stopped.aborted) reconciler.start()
    await waitForStore(store, waiting)
    if (!stopped.aborted) {
      sweeper.start()
      log.info({ sweepEveryS: config.retention.sweepEveryS }, 'retention is at work')
      await untilAborted(stopped)
      log.info('retention ends')
    }
  } finally {
    await reconciler.close()
    await sweeper.close()
    await http.close()
    await audit.trail.settled()
    await audit.queue.close()
    await watch.close()
    await pool.end()
    // A thread that hangs with its disk would hold up an ordinary end for ever.
    if (!(await disk.close())) process.kill(process.pid, 'SIGKILL')
  }
}

const stopping = new AbortController()
process.once('SIGTERM', () => stopping.abort())
process.once('SIGINT', () => stopping.abort())

let log = createLog('retention')
try {
  const { values } = parseArgs({ options: { config: { type: 'string' } } })
  const config = loadConfig(values.config, process.env)
  log = createLog('retention', config.log.level)
  if (confineProcess().isRoot) log.warn(ROOT_WARNING)
  await run(config, log, stopping.signal)
} catch (error) {
  const code = error instanceof TallenneError ? error.code : undefined
  log.fatal({ code, reason: messageOf(error) }, 'retention cannot start')
  process.exitCode = 1
}
