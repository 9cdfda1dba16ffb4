import type { Test } from 'tap'
import type { z } from 'zod'
import { SystemClock } from '../../base/clock.ts'
import { createSilentLog } from '../../base/log.ts'
import { configSchema } from '../../config/config.ts'
import type { Obstacle } from '../../gateway/admission/admission.ts'
import { CallControls } from '../../gateway/calls/call-controls.ts'
import { salvageLost } from '../../gateway/crash-recovery.ts'
import { DirectPlane } from '../../gateway/media/direct-plane.ts'
import { DirectSessionPlane } from '../../gateway/media/direct-session-plane.ts'
import type { EnginePool } from '../../gateway/media/engine-pool.ts'
import { answerOptions } from '../../gateway/sip/answer-options.ts'
import { InviteRouter } from '../../gateway/sip/invite-router.ts'
import { refuseOtherMethods } from '../../gateway/sip/other-methods.ts'
import type { TimerLimits } from '../../gateway/sip/session-timer.ts'
import { SipConnection } from '../../gateway/sip/sip-connection.ts'
import { SipServer } from '../../gateway/sip-server/sip-server.ts'
import { createIdentification } from '../../gateway/siprec/identification.ts'
import { createJoining } from '../../gateway/siprec/join-rules.ts'
import {
  G711_CAPABILITIES,
  type MediaCapabilities,
} from '../../gateway/siprec/media-capabilities.ts'
import { PeerPlanes } from '../../gateway/siprec/peer-planes.ts'
import { RecordingSessions } from '../../gateway/siprec/recording-sessions.ts'
import type { SessionPlane } from '../../gateway/siprec/session-plane.ts'
import type { JournalEntry } from '../../storage/model.ts'
import { cuttableLink } from './cuttable-link.ts'
import { startEngines } from './media/start-engines.ts'
import { MemoryJournal } from './memory-journal.ts'
import { admission } from './open-admission.ts'
import { SipPeer } from './sip-peer.ts'

export interface SignallingNodeOptions {
  readonly timer?: TimerLimits
  readonly ackTimeoutMs?: number
  readonly unmarked?: 'record' | 'refuse'
  readonly maxRecordings?: number
  readonly obstacle?: Partial<Obstacle>
  readonly engines?: number
  /** Whose lifetime is not the node's; of its own where absent. */
  readonly pool?: EnginePool
  readonly identification?: z.input<typeof configSchema>['identification']
  /** G.711 where absent. */
  readonly capabilities?: MediaCapabilities
  /** Puts something around the media plane. */
  readonly watchPlane?: (plane: SessionPlane) => SessionPlane
  /** Looks at each entry before it is journaled, and may throw. */
  readonly beforeAppend?: (entry: JournalEntry) => void
}

/** Engines without media. */
export function startStandIns(
  t: Pick<Test, 'teardown'>,
  {
    engines = 1,
    maxRecordings = 100,
  }: Pick<SignallingNodeOptions, 'engines' | 'maxRecordings'> = {},
): Promise<EnginePool> {
  const entry = new URL('./media/stand-in-engine.js', import.meta.url)
  return startEngines(t, entry, { engines, maxRecordings })
}

/**
 * A gateway without files and database: the SIP server and framework are the real ones, the engines are stand-ins,
 * and the journal is what a test reads.
 */
export async function startSignallingNode(
  t: Pick<Test, 'teardown'>,
  options: SignallingNodeOptions = {},
) {
  const clock = new SystemClock()
  const log = createSilentLog()
  const config = configSchema.parse({ identification: options.identification })
  const recorded = new MemoryJournal()
  const journal = {
    append: (entry: JournalEntry) => {
      options.beforeAppend?.(entry)
      recorded.append(entry)
    },
    written: () => recorded.written(),
  }
  let server = new SipServer({
    listen: [
      { transport: 'udp', host: '127.0.0.1', port: 0 },
      { transport: 'tcp', host: '127.0.0.1', port: 0 },
    ],
    clock,
    log,
  })
  t.teardown(() => server.close())
  const { admin, sip } = await server.start()
  const link = await cuttableLink(t, admin)
  const engines = options.pool ?? (await startStandIns(t, options))
  const plane = new DirectPlane({
    engines,
    salvage: (lost) => salvageLost(lost, { repair: async () => undefined, log }),
    log,
  })
  const sessionPlane = new DirectSessionPlane({
    plane,
    capabilities: options.capabilities ?? G711_CAPABILITIES,
  })
  const heard: string[] = []
  const controls = new CallControls({
    orders: plane,
    lines: config,
    clock,
    log,
    events: { paused: () => {}, pauseOverdue: () => {}, stopped: () => {} },
  })
  const sessions = new RecordingSessions({
    nodeId: 'node-1',
    journal,
    controls,
    onStop: 'inactive',
    recordings: () => plane.live(),
    admission: admission(options.obstacle),
    planes: new PeerPlanes(
      { direct: options.watchPlane?.(sessionPlane) ?? sessionPlane },
      { peers: [], srtp: 'allow' },
    ),
    files: { keep: async (recordingId) => `kept/${recordingId}.opus` },
    timer: options.timer ?? { expiresS: 1800, minS: 90 },
    ackTimeoutMs: options.ackTimeoutMs ?? 32_000,
    orphanQuietMs: 3000,
    joining: createJoining(config.joining),
    identification: createIdentification(config.identification),
    lines: config,
    clock,
    log,
    events: {
      arrived: () => heard.push('arrived'),
      answered: () => heard.push('answered'),
      ended: (_source, endReason) => heard.push(endReason),
      judged: ({ verdict }) => heard.push(verdict),
    },
  })
  const connection = new SipConnection({ address: link.address, clock, log })
  const router = new InviteRouter({
    takers: [
      sessions.takerFor(connection),
      ...(options.unmarked === 'record' ? [sessions.plainTakerFor(connection)] : []),
    ],
    log,
    onUnrouted: () => heard.push('unrouted'),
  })
  connection.framework.invite((request, response) => router.route(request, response))
  connection.framework.options(answerOptions)
  refuseOtherMethods(connection.framework)
  t.teardown(() => connection.close())
  await connection.start()
  router.open()
  sessions.start()
  const [udp, tcp] = sip
  if (udp === undefined || tcp === undefined) throw new Error('the SIP server listens nowhere')
  const peer = await SipPeer.open(udp)
  t.teardown(async () => {
    await sessions.drain()
    await peer.close()
  })

  return {
    peer,
    udp,
    tcp,
    sessions,
    plane,
    engines,
    heard,
    journal: recorded,
    entries: recorded.entries,
    /** Of the SIP server. */
    counters: () => server.counters,
    /** Ends the SIP server and starts another in its place, which knows nothing of what was. */
    restartServer: async () => {
      await server.close()
      server = new SipServer({ listen: sip, admin, clock, log })
      await server.start()
    },
    /** Cuts the connection to the SIP server, which goes on with all that it has; the framework connects again. */
    cutConnection: async () => {
      const isBack = new Promise<void>((resolve) => {
        connection.framework.on('connect', () => resolve())
      })
      link.cut()
      await isBack
    },
    journaled: recorded.journaled.bind(recorded),
  }
}
