import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { SystemClock } from '../../../../base/clock.ts'
import { createSilentLog } from '../../../../base/log.ts'
import { newId } from '../../../../base/uuid.ts'
import { salvageLost } from '../../../../gateway/crash-recovery.ts'
import { DirectPlane } from '../../../../gateway/media/direct-plane.ts'
import { createFreeswitchPool } from '../../../../gateway/media/freeswitch/freeswitch-pool.ts'
import { FreeswitchTrunkPlane } from '../../../../gateway/media/freeswitch/freeswitch-trunk.ts'
import { SipConnection } from '../../../../gateway/sip/sip-connection.ts'
import type { RequestHandler } from '../../../../gateway/sip/sip-surface.ts'
import { SipServer } from '../../../../gateway/sip-server/sip-server.ts'
import { spoolPathOf } from '../../../../storage/recording-store.ts'
import { HastyClock } from '../../../hasty-clock.ts'
import { decodeOpus } from '../../../recorder/opus-file.ts'
import { toneShare } from '../../../recorder/tones.ts'
import { cuttableLink } from '../../cuttable-link.ts'
import { ownEngine, sharedEngine } from '../../trunk/recording-engine.ts'
import { StandInFreeswitch } from './stand-in-freeswitch.ts'

/** The real servers to run against, `HOST:PORT:SECRET` each; both or none. */
export function realServers() {
  const [dHost, dPort, secret] = (process.env['TALLENNE_TEST_DRACHTIO'] ?? '').split(':')
  const [host, port, password] = (process.env['TALLENNE_TEST_FREESWITCH'] ?? '').split(':')
  if (!dHost || !dPort || !secret || !host || !port || !password) return undefined
  return {
    drachtio: { host: dHost, port: Number(dPort), secret },
    freeswitch: { host, port: Number(port), password },
  }
}

/** A party's offer of G.711 at a port. */
export function partyOffer(port: number): string {
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${port} RTP/AVP 0 101`,
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    '',
  ].join('\r\n')
}

export function portOf(sdp: string): number {
  return Number(/^m=audio (\d+) /m.exec(sdp)?.[1] ?? 0)
}

/** How much of each channel's middle is a tone: of its party's, where nothing else is said. */
export function tonesOf(
  spoolPath: string,
  recordingId: string,
  [first, second]: readonly [number, number] = [440, 1000],
): readonly [number, number] {
  const { caller, agent } = decodeOpus(readFileSync(spoolPathOf(spoolPath, recordingId)), 8000)
  const middle = (channel: Int16Array) =>
    channel.subarray(channel.length * 0.4, channel.length * 0.6)
  return [toneShare(middle(caller), first), toneShare(middle(agent), second)]
}

/** The FreeSWITCH plane with an engine and a SIP server, on a stand-in or, where the test allows, on real servers. */
export async function startMediaNode(
  t: Test,
  options: {
    readonly real?: boolean
    readonly hasTwo?: boolean
    /** FreeSWITCH will not answer, and is given up soon. */
    readonly isInVain?: boolean
    /** A call whose Call-ID is `die` will be tried: the node has an engine of its own. */
    readonly engineMayDie?: boolean
  } = {},
) {
  const clock = new SystemClock()
  const waits = options.isInVain ? new HastyClock() : clock
  const log = createSilentLog()
  const real = options.real ? realServers() : undefined
  const standIn = await StandInFreeswitch.start()
  t.teardown(() => standIn.close())
  const spare = options.hasTwo ? await StandInFreeswitch.start() : undefined
  t.teardown(() => spare?.close())
  let server = new SipServer({
    listen: [{ transport: 'udp', host: '127.0.0.1', port: 0 }],
    clock,
    log,
  })
  t.teardown(() => server.close())
  const { admin, sip } = await server.start()
  const link = await cuttableLink(t, real?.drachtio ?? admin)
  const connection = new SipConnection({ address: link.address, clock, log })
  let sipAddress = sip[0] ?? { host: '', port: 0 }
  connection.framework.on('connect', (_failure, listening) => {
    // A drachtio server tells where it listens, each address as `udp/HOST:PORT`.
    const [, host, port] = /udp\/([\d.]+):(\d+)/.exec(listening ?? '') ?? []
    if (real !== undefined && host !== undefined) sipAddress = { host, port: Number(port) }
  })
  const isBack = () =>
    new Promise<void>((resolve) => {
      connection.framework.on('connect', () => resolve())
    })
  // Before the connection is there, so that the SIP server knows it before the first INVITE comes.
  let takeInvite: RequestHandler = (_request, response) => response.send(404, 'No Route', {})
  connection.framework.invite((request, response) => takeInvite(request, response))
  t.teardown(() => connection.close())
  await connection.start()
  const { pool: engines, spool } = options.engineMayDie ? await ownEngine(t) : await sharedEngine()
  const recordings = new DirectPlane({
    engines,
    salvage: (lost) => salvageLost(lost, { repair: async () => undefined, log }),
    log,
  })
  const pool = createFreeswitchPool(
    [
      {
        name: 'one',
        profile: 'drachtio_mrf',
        weight: 1,
        listenAddress: '127.0.0.1',
        jitterBufferMs: 60,
        ...(real?.freeswitch ?? standIn.address),
      },
      ...(spare === undefined
        ? []
        : [
            {
              name: 'spare',
              profile: 'drachtio_mrf',
              weight: 0.1,
              listenAddress: '127.0.0.1',
              jitterBufferMs: 60,
              ...spare.address,
            },
          ]),
    ],
    { nodeId: 'node-1', framework: () => connection.framework, clock: waits, log },
  )
  t.teardown(() => pool.close())
  await pool.start()
  const failures: string[] = []
  const plane = new FreeswitchTrunkPlane({
    pool,
    recordings,
    forkHost: '127.0.0.1',
    clock: waits,
    log,
    events: { forkFailed: (code) => failures.push(code), forkRetried: () => undefined },
  })
  const request = (changes: { readonly isRecordingRequired?: boolean } = {}) => ({
    recordingId: newId(),
    callId: `${newId()}@test`,
    callerOffer: partyOffer(49_000),
    isRecorded: true,
    isRecordingRequired: false,
    srtp: 'allow' as const,
    ...changes,
  })
  return {
    standIn,
    /** Takes a call only where the first cannot. */
    spare,
    sipAddress,
    spool,
    pool,
    plane,
    recordings,
    connection,
    failures,
    request,
    clock,
    log,
    framework: connection.framework,
    onInvite: (handler: RequestHandler) => {
      takeInvite = handler
    },
    /** Ends the SIP server and starts another in its place, which knows nothing of what was. */
    restartServer: async () => {
      const back = isBack()
      await server.close()
      server = new SipServer({ listen: sip, admin, clock, log })
      await server.start()
      await back
    },
    /** Cuts the connection to the SIP server, which goes on with all that it has; the framework connects again. */
    cutConnection: async () => {
      const back = isBack()
      link.cut()
      await back
    },
  }
}
