import { parseArgs } from 'node:util'
import { type Clock, SystemClock } from '../base/clock.ts'
import { confineProcess, ROOT_WARNING } from '../base/confine-process.ts'
import { createHttpService } from '../base/http-service.ts'
import { createLog, type Log } from '../base/log.ts'
import { readPackageVersion } from '../base/package-version.ts'
import { createRegistry } from '../base/process-metrics.ts'
import { settledWithin } from '../base/settled-within.ts'
import { messageOf } from '../base/tallenne-error.ts'
import type { Config } from '../config/config.ts'
import { dataPaths } from '../config/data-paths.ts'
import { loadConfig } from '../config/load-config.ts'
import { createDatabasePool } from '../storage/database.ts'
import { watchDatabase } from '../storage/database-metrics.ts'
import { createAdmission } from './admission/create-admission.ts'
import { addCallControlRoute } from './calls/call-control-route.ts'
import { CallControls } from './calls/call-controls.ts'
import { ControlMetrics } from './calls/control-metrics.ts'
import { LateMoves } from './calls/late-moves.ts'
import { addLiveCallsRoute } from './calls/live-calls-route.ts'
import { type Closing, closeInReverse } from './close-in-reverse.ts'
import { salvageLost } from './crash-recovery.ts'
import { createGatewayMetrics } from './gateway-metrics.ts'
import { lookAfterCalls } from './look-after-calls.ts'
import { findDecodableCodecs } from './media/decodable-codecs.ts'
import { DirectPlane } from './media/direct-plane.ts'
import { DirectSessionPlane } from './media/direct-session-plane.ts'
import { DirectTrunkPlane } from './media/direct-trunk-plane.ts'
import { EnginePool } from './media/engine-pool.ts'
import { engineSettings } from './media/engine-settings.ts'
import { FreeswitchMetrics } from './media/freeswitch/freeswitch-metrics.ts'
import { createFreeswitchPool } from './media/freeswitch/freeswitch-pool.ts'
import { FreeswitchSessionPlane } from './media/freeswitch/freeswitch-session-plane.ts'
import { FreeswitchTrunkPlane } from './media/freeswitch/freeswitch-trunk.ts'
import { addMediaServersRoute } from './media/freeswitch/media-servers-route.ts'
import { NodeDisks } from './node-disks.ts'
import { openJournal } from './open-journal.ts'
import { readToken } from './read-token.ts'
import { readinessChecks } from './readiness-checks.ts'
import { repairLeft } from './repair-left.ts'
import { recordsUnmarked, routeCalls } from './route-calls.ts'
import type { InviteRouter } from './sip/invite-router.ts'
import { SipConnection } from './sip/sip-connection.ts'
import { addBansRoute } from './sip-door/bans-route.ts'
import { guardServer } from './sip-door/guarded-server.ts'
import { createIdentification } from './siprec/identification.ts'
import { createJoining } from './siprec/join-rules.ts'
import { mediaCapabilities } from './siprec/media-capabilities.ts'
import { PeerPlanes } from './siprec/peer-planes.ts'
import { RecordingSessions } from './siprec/recording-sessions.ts'
import { TrunkCalls } from './trunk/trunk-calls.ts'
import { TrunkMetrics } from './trunk/trunk-metrics.ts'
import { warmUp } from './warm-up.ts'

/** Everything is closed within this of SIGTERM: calls first, then what they need. `up` kills after six seconds. */
const CLOSE_MS = 5500
const DRAIN_MS = 3000
const HTTP_CLOSE_MS = 500
const ENGINE_CLOSE_MS = 800
const JOURNAL_CLOSE_MS = 1000
/** With the time to write what it has. */
const JOURNAL_KEPT_MS = 1500
/** A database that hangs lets no connection go. */
const DATABASE_CLOSE_MS = 250
/** A thread that hangs with its disk has half a second to end. */
const DISKS_KEPT_MS = 600
/** Longer than any hold music pauses, and well within the minute in which a call has its verdict. */
const ORPHAN_QUIET_MS = 20_000
/** 64 × T1 (RFC 3261 §13.3.1.4). */
const ACK_TIMEOUT_MS = 32_000
/** How long a start waits for FreeSWITCH servers before it takes calls without them. */
const MEDIA_SERVERS_MS = 5000

interface Gateway {
  /** Where its HTTP service listens. */
  readonly http: { readonly host: string; readonly port: number }
  /**
   * Ends live calls properly, then everything else in reverse. False where something hangs that nothing but the end of
   * the process ends. Idempotent.
   */
  close(): Promise<boolean>
}

/**
 * Makes a gateway of a configuration and starts it. Rejects with a `TallenneError` that says what is wrong, where,
 * and what to do; what was started until then is closed again.
 */
async function startGateway(
  config: Config,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<Gateway> {
  const startedAtMs = clock.epochMs()
  const closing: Closing[] = []
  let closed: Promise<boolean> | undefined
  const close = () => {
    closed ??= closeInReverse(closing, { withinMs: CLOSE_MS, clock, log })
    return closed
  }
  try {
    return { http: await composeGateway(config, { clock, log, startedAtMs, closing }), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function composeGateway(
  config: Config,
  process: {
    readonly clock: Clock
    readonly log: Log
    readonly startedAtMs: number
    /** Takes how to close what is started, in the order of starting. */
    readonly closing: Closing[]
  },
): Promise<Gateway['http']> {
  const { clock, log, startedAtMs, closing } = process
  const paths = dataPaths(config)
  const settings = engineSettings(config, paths)
  const disks = new NodeDisks({
    paths,
    disks: config.disks,
    engines: settings.length,
    openRecordings: () => engines.openRecordings,
    clock,
    log,
  })
  closing.push({ name: 'disks', close: () => disks.close(), keptMs: DISKS_KEPT_MS })
  await disks.prepare()
  const spooled = await disks.files.spooled()

  const registry = createRegistry('gateway', readPackageVersion())
  const pool = createDatabasePool(config.database)
  const watch = watchDatabase(registry, { pool, limit: config.database.connections, clock })
  closing.push({
    name: 'database',
    close: async () => {
      const ended = watch.close().then(() => pool.end())
      await settledWithin(ended, { clock, limitMs: DATABASE_CLOSE_MS })
    },
    keptMs: DATABASE_CLOSE_MS,
  })
  watch.start()
  const opened = await openJournal({ config, pool, clock, log, closeWithinMs: JOURNAL_CLOSE_MS })
  closing.push({ name: 'journal', close: opened.close, keptMs: JOURNAL_KEPT_MS })
  const { journal } = opened
  const files = new LateMoves({ files: disks.files, journal, clock, log })
  closing.push({ name: 'moves', close: () => files.close() })

  const { server, door, identityOf, mayCall } = guardServer(config, { clock, log, registry })
  const connections: SipConnection[] = []
  const routers: InviteRouter[] = []
  let isStarting = true

  const engines = new EnginePool({
    settings,
    entry: new URL('./engine-thread.js', import.meta.url),
    connectDisk: (engineIndex) => disks.connectEngine(engineIndex),
    clock,
    log,
    mostLoad: config.admission.mostEngineLoad,
    onReport: (engineIndex, report) => {
      metrics.media.reported(engineIndex, report)
      admission.reported(engineIndex, report)
    },
    onDeath: () => metrics.engineDied(),
  })
  closing.push({ name: 'engines', close: () => engines.close(ENGINE_CLOSE_MS) })
  const keySet = settings[0]?.encryption?.atStart.keySet
  const repair = (recordingId: string) =>
    repairLeft({ ...paths, files: disks.files, keySet }, recordingId)
  const plane = new DirectPlane({
    engines,
    salvage: (lost) => salvageLost(lost, { repair, log }),
    log,
  })
  const metrics = createGatewayMetrics(registry, config, {
    liveCalls: () => ({ siprec: sessions.count, trunk: trunks.count }),
    engines: () => engines.health,
    engineReports: () => engines.reports,
    journal: () => journal.state,
    journalSetAside: () => journal.setAside,
    sipConnections: () => connections,
    sipServer: () => server?.counters,
  })
  const admission = createAdmission({
    config,
    registry,
    engines,
    disks,
    files,
    journal,
    clock,
    log,
  })
  closing.push({ name: 'admission', close: () => admission.close() })
  const identification = createIdentification(config.identification)
  const { freeswitch } = config.media
  const mediaServers = createFreeswitchPool(freeswitch?.servers ?? [], {
    nodeId: config.node.id,
    framework: () => connections.find(({ isConnected }) => isConnected)?.framework,
    clock,
    log,
  })
  const forkEvents = new FreeswitchMetrics(registry, () => mediaServers.servers)
  const forked = freeswitch && {
    pool: mediaServers,
    recordings: plane,
    forkHost: freeswitch.forks.advertisedAddress ?? freeswitch.forks.host,
    clock,
    log,
    events: forkEvents,
  }
  const capabilities = mediaCapabilities(
    await findDecodableCodecs(config.media.codecs, { clock, log, registry }),
  )
  const sessionPlanes = {
    direct: new DirectSessionPlane({ plane, capabilities }),
    ...(forked && { freeswitch: new FreeswitchSessionPlane(forked) }),
  }
  const controls = new CallControls({
    orders: plane,
    lines: config,
    clock,
    log,
    events: new ControlMetrics(registry),
  })
  const sessions = new RecordingSessions({
    nodeId: config.node.id,
    journal,
    controls,
    onStop: config.siprec.onStop,
    planes: new PeerPlanes(sessionPlanes, config.siprec),
    identityOf,
    admission: admission.calls,
    recordings: () => plane.live(),
    files,
    timer: config.sip.sessionTimer,
    ackTimeoutMs: ACK_TIMEOUT_MS,
    orphanQuietMs: ORPHAN_QUIET_MS,
    identification,
    joining: createJoining(config.joining),
    lines: config,
    clock,
    log,
    events: metrics.calls,
  })
  const trunks = new TrunkCalls({
    nodeId: config.node.id,
    trunk: config.trunk,
    identityOf,
    lines: config,
    journal,
    planes: {
      direct: new DirectTrunkPlane({ plane, capabilities, clock }),
      ...(forked && { freeswitch: new FreeswitchTrunkPlane(forked) }),
    },
    files,
    controls,
    recordings: () => plane.live(),
    admission: admission.calls,
    orphanQuietMs: ORPHAN_QUIET_MS,
    timer: config.sip.sessionTimer,
    identification,
    clock,
    log,
    events: metrics.calls,
    trunkEvents: new TrunkMetrics(registry, () => trunks.judgements),
  })
  await engines.start()
  await disks.start()
  files.start()

  const http = createHttpService({
    ...config.http.gateway,
    closeAfterMs: HTTP_CLOSE_MS,
    checks: readinessChecks({
      connections,
      engines,
      admission: admission.calls,
      journal,
      disks,
      isStarting: () => isStarting,
      isDraining: () => sessions.isDraining,
    }),
    registry,
    clock,
    log,
  })
  const liveCalls = () => [...sessions.list(), ...trunks.list()]
  addLiveCallsRoute(http.app, {
    calls: liveCalls,
    recordings: () => plane.live(),
    token: () => readToken(paths.adminToken),
  })
  addCallControlRoute(http.app, {
    controls,
    token: () => readToken(paths.adminToken),
    clock,
    log,
  })
  addMediaServersRoute(http.app, { pool: mediaServers, token: () => readToken(paths.adminToken) })
  addBansRoute(http.app, { door, token: () => readToken(paths.adminToken) })
  closing.push({ name: 'http', close: () => http.close() })
  const address = await http.start()

  warmUp(capabilities, { identification, lines: config })
  if (server !== undefined) closing.push({ name: 'sip server', close: () => server.close() })
  const addresses = server === undefined ? config.sip.drachtio : [(await server.start()).admin]
  for (const sip of addresses ?? []) {
    const connection = new SipConnection({ address: sip, clock, log })
    connections.push(connection)
    closing.push({ name: 'sip connection', close: () => connection.close() })
    const parts = {
      sessions,
      trunks,
      metrics,
      log,
      recordsUnmarked: recordsUnmarked(config),
      mayCall,
    }
    routers.push(routeCalls(connection, parts))
    await connection.start()
  }
  closing.push({ name: 'media servers', close: () => mediaServers.close() })
  await settledWithin(mediaServers.start(), { clock, limitMs: MEDIA_SERVERS_MS })
  sessions.start()
  trunks.start()
  isStarting = false
  for (const router of routers) router.open()
  admission.start()
  const drain = () => Promise.all([sessions.drain(), trunks.drain()])
  closing.push({
    name: 'calls',
    close: async () => void (await settledWithin(drain(), { clock, limitMs: DRAIN_MS })),
  })

  const left = { spooled, inSpool: () => disks.files.spooled(), repair, files, startedAtMs }
  const live = { calls: liveCalls, recordings: () => plane.live() }
  const parts = { pool, journal, registry, clock, log }
  closing.push({
    name: 'comparison',
    close: lookAfterCalls(config, { ...left, ...live, ...parts }),
  })
  return address
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { config: { type: 'string' } } })
  const config = loadConfig(values.config, process.env)
  const log = createLog('gateway', config.log.level)
  if (confineProcess().isRoot) log.warn(ROOT_WARNING)
  // A recorder that dies costs every call of the node; one that lives on after an error outside any call costs
  // at most what was under way in that turn. The media lies in threads of its own.
  process.on('uncaughtException', (error) => log.fatal({ err: error }, 'uncaught exception'))
  process.on('unhandledRejection', (error) => log.fatal({ err: error }, 'unhandled rejection'))
  const gateway = await startGateway(config, { clock: new SystemClock(), log })
  log.info({ http: gateway.http }, 'gateway ready')

  let isEnding = false
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isEnding) process.exit(1)
      isEnding = true
      log.info({ signal }, 'gateway ends')
      void gateway.close().then((isWhole) => {
        // A thread that hangs with its disk would hold up an ordinary end for ever.
        if (isWhole) process.exit(0)
        process.kill(process.pid, 'SIGKILL')
      })
    })
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exit(1)
})
