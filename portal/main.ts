import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { localUrl } from '../base/address.ts'
import { ensureAdminToken } from '../base/admin-token.ts'
import { SystemClock } from '../base/clock.ts'
import { confineProcess, ROOT_WARNING } from '../base/confine-process.ts'
import { createHttpService } from '../base/http-service.ts'
import { createLog } from '../base/log.ts'
import { readPackageVersion } from '../base/package-version.ts'
import { createRegistry } from '../base/process-metrics.ts'
import { messageOf } from '../base/tallenne-error.ts'
import type { Config } from '../config/config.ts'
import { dataPaths } from '../config/data-paths.ts'
import { loadConfig } from '../config/load-config.ts'
import { checkDatabase, createDatabasePool } from '../storage/database.ts'
import { watchDatabase } from '../storage/database-metrics.ts'
import { registerDiskDeaths } from '../storage/disk/disk-metrics.ts'
import { DiskThreads } from '../storage/disk/disk-threads.ts'
import { readIdentities } from '../storage/encryption/identities.ts'
import { RecordingStore } from '../storage/recording-store.ts'
import { Archive } from './archive.ts'
import { openPortalAudit } from './audit/open-portal-audit.ts'
import { identifyByAdminToken } from './identity.ts'
import { addPortal } from './portal-app.ts'
import { PortalMetrics } from './portal-metrics.ts'
import { Transcoder } from './transcode.ts'

// An hour of call takes ffmpeg well under a minute; the rest is for slow clients.
const LONGEST_TRANSCODE_S = 900

/** Starts the portal and gives the function that ends it, last things first. */
async function startPortal(config: Config): Promise<() => Promise<void>> {
  const log = createLog('portal', config.log.level)
  if (confineProcess().isRoot) log.warn(ROOT_WARNING)
  const clock = new SystemClock()
  const paths = dataPaths(config)
  const token = await ensureAdminToken(paths.adminToken)
  const version = readPackageVersion()
  const registry = createRegistry('portal', version)
  const { identityFile } = config.encryption
  const identities = identityFile === undefined ? undefined : await readIdentities(identityFile)
  const metrics = new PortalMetrics(registry)
  const pool = createDatabasePool(config.database)
  const watch = watchDatabase(registry, { pool, limit: config.database.connections, clock })
  const disk = new DiskThreads({
    name: 'store',
    count: 1,
    clock,
    hungAfterMs: config.disks.hungAfterS * 1000,
    log,
  })
  registerDiskDeaths(registry, () => ({ store: disk.deaths }))
  const store = new RecordingStore({ spoolPath: paths.spool, storePath: paths.store, disk })
  const service = createHttpService({
    ...config.http.portal,
    checks: [
      { name: 'database', check: () => checkDatabase(pool, config.database).then(() => undefined) },
      { name: 'store', check: () => store.check().then(() => undefined) },
    ],
    registry,
    clock,
    log,
  })
  const audit = await openPortalAudit(config, { pool, registry, clock, log })
  const transcoder = new Transcoder({
    maxRunning: availableParallelism(),
    longestS: LONGEST_TRANSCODE_S,
    onRunning: (running) => metrics.transcodesRunning.set(running),
  })
  addPortal(service.app, {
    archive: new Archive({ pool, store, clock, identities }),
    audit: audit.portal,
    listenings: audit.listenings,
    transcoder,
    lines: config,
    pool,
    region: config.identification.region,
    identify: identifyByAdminToken(token),
    gateway: { url: localUrl(config.http.gateway), token },
    version,
    metrics,
    clock,
    log,
  })

  const address = await service.start().catch(async (error: unknown) => {
    await audit.close()
    await pool.end()
    await disk.close()
    throw error
  })
  watch.start()
  log.info(address, 'portal listens')
  return async () => {
    log.info('portal stops')
    await service.close()
    await audit.close()
    await watch.close()
    await pool.end()
    log.info('portal stopped')
    // A thread that hangs with its disk would hold up an ordinary end for ever.
    if (!(await disk.close())) process.kill(process.pid, 'SIGKILL')
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { config: { type: 'string' } } })
  const stop = await startPortal(loadConfig(values.config, process.env))
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
  await stop()
}

try {
  await main()
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}
