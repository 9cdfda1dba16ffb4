import { setTimeout as delay } from 'node:timers/promises'
import { Registry } from 'prom-client'
import type { Test } from 'tap'
import { SystemClock } from '../../../base/clock.ts'
import { createSilentLog, type Log } from '../../../base/log.ts'
import { configSchema } from '../../../config/config.ts'
import type { Obstacle } from '../../../gateway/admission/admission.ts'
import { CallControls } from '../../../gateway/calls/call-controls.ts'
import { salvageLost } from '../../../gateway/crash-recovery.ts'
import { DirectPlane } from '../../../gateway/media/direct-plane.ts'
import { DirectTrunkPlane } from '../../../gateway/media/direct-trunk-plane.ts'
import { createFreeswitchPool } from '../../../gateway/media/freeswitch/freeswitch-pool.ts'
import { FreeswitchTrunkPlane } from '../../../gateway/media/freeswitch/freeswitch-trunk.ts'
import { answerOptions } from '../../../gateway/sip/answer-options.ts'
import type { CallMaker } from '../../../gateway/sip/call-maker.ts'
import { InviteRouter } from '../../../gateway/sip/invite-router.ts'
import { SipConnection } from '../../../gateway/sip/sip-connection.ts'
import { SipServer } from '../../../gateway/sip-server/sip-server.ts'
import { createIdentification } from '../../../gateway/siprec/identification.ts'
import { G711_CAPABILITIES } from '../../../gateway/siprec/media-capabilities.ts'
import { TrunkCalls } from '../../../gateway/trunk/trunk-calls.ts'
import { TrunkMetrics } from '../../../gateway/trunk/trunk-metrics.ts'
import { metricValue } from '../../metrics-text.ts'
import { cuttableLink } from '../cuttable-link.ts'
import { MemoryJournal } from '../memory-journal.ts'
import { admission } from '../open-admission.ts'
import { type PeerCall, SipPeer } from '../sip-peer.ts'
import { PlatformCall } from './platform-call.ts'
import { ownEngine, sharedEngine } from './recording-engine.ts'

const SUPPORT = { name: 'asiakastuki', numbers: ['+12025550100'], period: 'P2M' }

export interface TrunkNodeOptions {
  /** Without targets the route leads to the node's `platform`; in a target's URI `PLATFORM` stands for its port. */
  readonly route?: Readonly<Record<string, unknown>>
  /** Why nothing can be recorded. */
  readonly obstacle?: Partial<Obstacle>
  /** How many calls the engine has room for; 50 where not given. */
  readonly maxRecordings?: number
  /** `killEngine` will be called: the node has an engine of its own. */
  readonly engineMayDie?: boolean
  readonly keepAlive?: { readonly everyS: number; readonly failures: number }
  readonly timer?: { readonly expiresS: number; readonly minS: number }
  /** Of the line that is called. */
  readonly masking?: object
  /** Says nothing where not given. */
  readonly log?: Log
}

/**
 * Where the tests find their SIP server: `TALLENNE_TEST_DRACHTIO`, if set to `HOST:PORT:SECRET:SIP-PORT`, is a real
 * drachtio server, else an embedded one is started.
 */
async function sipServer(t: Test, clock: SystemClock) {
  const [host, port, secret, sipPort] = (process.env['TALLENNE_TEST_DRACHTIO'] ?? '').split(':')
  if (host && port && secret && sipPort) {
    // It hands requests to a client of the test before until it has noticed that this one is gone.
    t.teardown(() => delay(200))
    return {
      admin: { host, port: Number(port), secret },
      udp: { host, port: Number(sipPort) },
      restart: async () => {
        throw new Error('a server of somebody else’s is not restarted')
      },
      stop: async () => {
        throw new Error('a server of somebody else’s is not ended')
      },
    }
  }
  const log = createSilentLog()
  const listen = { transport: 'udp', host: '127.0.0.1', port: 0 } as const
  let server = new SipServer({ listen: [listen], clock, log })
  t.teardown(() => server.close())
  const { admin, sip } = await server.start()
  const [udp] = sip
  if (udp === undefined) throw new Error('the SIP server listens nowhere')
  return {
    admin,
    udp,
    /** Ends the server for good. */
    stop: () => server.close(),
    /** Ends the server and starts another in its place, which knows nothing of what was. */
    restart: async () => {
      await server.close()
      server = new SipServer({ listen: [udp], admin, clock, log })
      await server.start()
    },
  }
}

/** The FreeSWITCH that `TALLENNE_TEST_FREESWITCH` names, as `HOST:PORT:SECRET`; it needs a real drachtio server beside. */
function realFreeswitch(options: {
  readonly framework: () => CallMaker | undefined
  readonly clock: SystemClock
  readonly log: Log
}) {
  const [host, port, password] = (process.env['TALLENNE_TEST_FREESWITCH'] ?? '').split(':')
  if (!host || !port || !password) return undefined
  const server = {
    ...{
      name: 'one',
      profile: 'drachtio_mrf',
      weight: 1,
      listenAddress: '127.0.0.1',
      jitterBufferMs: 60,
    },
    ...{ host, port: Number(port), password },
  }
  return createFreeswitchPool([server], { nodeId: 'node-1', ...options })
}

/** A gateway that passes calls on: real SIP server, framework and engine; the journal is what a test reads. */
export async function startTrunkNode(t: Test, options: TrunkNodeOptions = {}) {
  const clock = new SystemClock()
  const log = options.log ?? createSilentLog()
  const { admin, udp, restart, stop } = await sipServer(t, clock)
  const link = await cuttableLink(t, admin)
  const caller = await SipPeer.open(udp)
  t.teardown(() => caller.close())
  const platform = await SipPeer.open(udp)
  t.teardown(() => platform.close())
  const placed: object = JSON.parse(
    JSON.stringify(options.route ?? {}).replaceAll('PLATFORM', String(platform.port)),
  )
  const config = configSchema.parse({
    trunk: {
      routes: [
        {
          name: 'support',
          numbers: ['+12025550100'],
          targets: [{ uri: `sip:127.0.0.1:${platform.port}` }],
          ...placed,
        },
      ],
      keepAlive: options.keepAlive ?? { everyS: 0 },
    },
    ...(options.masking && {
      serviceLines: [{ ...SUPPORT, masking: options.masking }],
    }),
  })
  const journal = new MemoryJournal()
  const hasOwn = options.engineMayDie === true || options.maxRecordings !== undefined
  const engine = hasOwn ? await ownEngine(t, options.maxRecordings) : await sharedEngine()
  const plane = new DirectPlane({
    engines: engine.pool,
    salvage: (lost) => salvageLost(lost, { repair: async () => undefined, log }),
    log,
  })
  const registry = new Registry()
  const pool = realFreeswitch({ framework: () => connection.framework, clock, log })
  const connection = new SipConnection({ address: link.address, clock, log })
  const controls = new CallControls({
    orders: plane,
    lines: config,
    clock,
    log,
    events: { paused: () => {}, pauseOverdue: () => {}, stopped: () => {} },
  })
  const trunks: TrunkCalls = new TrunkCalls({
    nodeId: 'node-1',
    trunk: config.trunk,
    lines: config,
    journal,
    planes: {
      direct: new DirectTrunkPlane({ plane, capabilities: G711_CAPABILITIES, clock }),
      ...(pool && {
        freeswitch: new FreeswitchTrunkPlane({
          pool,
          recordings: plane,
          forkHost: '127.0.0.1',
          clock,
          log,
          events: { forkFailed: () => {}, forkRetried: () => {} },
        }),
      }),
    },
    files: { keep: async (recordingId) => `kept/${recordingId}.opus` },
    controls,
    admission: admission(options.obstacle),
    recordings: () => plane.live(),
    orphanQuietMs: 3000,
    timer: options.timer ?? { expiresS: 1800, minS: 90 },
    identification: createIdentification(config.identification),
    clock,
    log,
    events: { arrived() {}, answered() {}, ended() {}, judged() {} },
    trunkEvents: new TrunkMetrics(registry, () => trunks.judgements),
  })
  const router = new InviteRouter({
    takers: [trunks.takerFor(connection)],
    log,
    onUnrouted: () => {},
  })
  connection.framework.invite((request, response) => router.route(request, response))
  connection.framework.options(answerOptions)
  t.teardown(() => connection.close())
  await connection.start()
  router.open()
  await routed(caller)
  t.teardown(() => pool?.close())
  await pool?.start()
  trunks.start()
  t.teardown(() => trunks.drain())

  const isBack = () =>
    new Promise<void>((resolve) => {
      connection.framework.on('connect', () => resolve())
    })
  let calls = 0
  const taken = new Set<string>()
  return {
    caller,
    platform,
    udp,
    trunks,
    controls,
    spool: engine.spool,
    journal,
    entries: journal.entries,
    /** The value of a metric, or of one of its series: `name{label="value"}`. */
    metric: async (series: string) => metricValue(await registry.metrics(), series),
    restartServer: async () => {
      const back = isBack()
      await restart()
      await back
    },
    stopServer: stop,
    /** Connects another SIP server, which calls can go on through. Tells its port. */
    addServer: async () => {
      const listen = { transport: 'udp', host: '127.0.0.1', port: 0 } as const
      const other = new SipServer({ listen: [listen], clock, log })
      t.teardown(() => other.close())
      const { admin, sip } = await other.start()
      const second = new SipConnection({ address: admin, clock, log })
      trunks.takerFor(second)
      t.teardown(() => second.close())
      await second.start()
      return sip[0]?.port
    },
    /** Cuts the connection to the SIP server, which goes on with all that it has; the framework connects again. */
    cutConnection: async () => {
      const back = isBack()
      link.cut()
      await back
    },
    killEngine: () => {
      if (!hasOwn) throw new Error('the engine is others’ as well')
      const plan = { recordingId: 'die', callId: 'die', streams: [] }
      engine.pool.open('die', { kind: 'open', plan }).catch(() => undefined)
    },
    /** A call that is not sent yet. */
    callTo: (headers: readonly string[] = [], body = sdp(40_000)): PeerCall =>
      caller.call({
        callId: `trunk-${process.pid}-${Date.now()}-${++calls}`,
        to: 'sip:+12025550100@127.0.0.1',
        isPlain: true,
        headers,
        body,
      }),
    /** The platform's side of a call that was sent. */
    arrived: () => PlatformCall.next(platform, taken),
    /** A call that is up: what each side was told is in `answer` and in the platform call's `invite`. */
    async talking(
      sent: { readonly headers?: readonly string[]; readonly body?: string } = {},
      answered: { readonly headers?: readonly string[]; readonly body?: string } = {},
    ) {
      const call = this.callTo(sent.headers, sent.body ?? sdp(40_000))
      call.sendInvite()
      const at = await PlatformCall.next(platform, taken)
      const acknowledged = at.answer(answered.body ?? sdp(50_000), answered.headers)
      const answer = await call.answered()
      await acknowledged
      return { call, at, answer }
    },
    journaled: journal.journaled.bind(journal),
  }
}

/** Waits until requests reach the gateway: a server learns of routes a moment after the connection is made. */
async function routed(peer: SipPeer): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const callId = `options-${process.pid}-${attempt}-${Math.random()}`
    peer.send(
      [
        'OPTIONS sip:127.0.0.1 SIP/2.0',
        `Via: SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bK${Math.random().toString(16).slice(2)};rport`,
        'Max-Forwards: 70',
        'From: <sip:client@127.0.0.1>;tag=1',
        'To: <sip:127.0.0.1>',
        `Call-ID: ${callId}`,
        'CSeq: 1 OPTIONS',
        'Content-Length: 0',
        '\r\n',
      ].join('\r\n'),
    )
    const { status } = await peer.next(({ headers }) => headers.get('call-id') === callId)
    if (status === 200) return
    if (attempt === 50) throw new Error(`the SIP server answers OPTIONS with ${status}`)
    await delay(50)
  }
}

export type TrunkNode = Awaited<ReturnType<typeof startTrunkNode>>

export interface SdpOptions {
  readonly formats?: readonly string[]
  readonly direction?: string
  readonly address?: string
  readonly version?: number
  readonly protocol?: string
  readonly extra?: readonly string[]
}

/** A party's description with PCMU, PCMA and telephone-event. */
export function sdp(port: number, options: SdpOptions = {}): string {
  const { formats = ['0 PCMU/8000', '8 PCMA/8000', '101 telephone-event/8000'] } = options
  const { direction = 'sendrecv', address = '127.0.0.1', version = 1, extra = [] } = options
  const { protocol = 'RTP/AVP' } = options
  const types = formats.map((format) => format.split(' ')[0]).join(' ')
  return [
    'v=0',
    `o=secret-host 4711 ${version} IN IP4 192.0.2.77`,
    's=Internal PBX',
    `c=IN IP4 ${address}`,
    't=0 0',
    `m=audio ${port} ${protocol} ${types}`,
    ...formats.map((format) => `a=rtpmap:${format}`),
    `a=${direction}`,
    ...extra,
    '',
  ].join('\r\n')
}

/** Where a description tells to send to. */
export function audioPort(description: string): number {
  return Number(/^m=audio (\d+)/m.exec(description)?.[1])
}
