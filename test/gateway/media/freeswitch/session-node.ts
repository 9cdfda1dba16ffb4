import type { Test } from 'tap'
import { configSchema } from '../../../../config/config.ts'
import { CallControls } from '../../../../gateway/calls/call-controls.ts'
import { DirectSessionPlane } from '../../../../gateway/media/direct-session-plane.ts'
import { FreeswitchSessionPlane } from '../../../../gateway/media/freeswitch/freeswitch-session-plane.ts'
import type { TimerLimits } from '../../../../gateway/sip/session-timer.ts'
import { createIdentification } from '../../../../gateway/siprec/identification.ts'
import { createJoining } from '../../../../gateway/siprec/join-rules.ts'
import { G711_CAPABILITIES } from '../../../../gateway/siprec/media-capabilities.ts'
import { PeerPlanes } from '../../../../gateway/siprec/peer-planes.ts'
import { RecordingSessions } from '../../../../gateway/siprec/recording-sessions.ts'
import type { RecordingOutcome } from '../../../../recorder/recording-plan.ts'
import type { JournalEntry } from '../../../../storage/model.ts'
import { until } from '../../../until.ts'
import { MemoryJournal } from '../../memory-journal.ts'
import { admission } from '../../open-admission.ts'
import { SipPeer } from '../../sip-peer.ts'
import { startMediaNode, tonesOf } from './media-node.ts'

/** A gateway that takes recording sessions, all of them on FreeSWITCH, and a recording client beside it. */
export async function startSessionNode(
  t: Test,
  options: {
    readonly real?: boolean
    readonly timer?: TimerLimits
    readonly engineMayDie?: boolean
  } = {},
) {
  const node = await startMediaNode(t, options)
  const { pool, recordings, connection, clock, log, failures } = node
  const masking = { keys: { pause: '*71', resume: '*70' } }
  const config = configSchema.parse({
    siprec: { peers: [{ name: 'all', media: 'freeswitch' }] },
    serviceLines: [{ name: 'support', numbers: ['+12025550100'], period: 'P2M', masking }],
  })
  const entries: JournalEntry[] = []
  const outcomes: RecordingOutcome[] = []
  const planes = {
    direct: new DirectSessionPlane({ plane: recordings, capabilities: G711_CAPABILITIES }),
    freeswitch: new FreeswitchSessionPlane({
      pool,
      recordings,
      forkHost: '127.0.0.1',
      clock,
      log,
      events: { forkFailed: (code) => failures.push(code), forkRetried: () => undefined },
    }),
  }
  const controls = new CallControls({
    orders: recordings,
    lines: config,
    clock,
    log,
    events: { paused: () => {}, pauseOverdue: () => {}, stopped: () => {} },
  })
  const sessions = new RecordingSessions({
    nodeId: 'node-1',
    journal: new MemoryJournal(entries),
    controls,
    onStop: 'inactive',
    planes: new PeerPlanes(planes, config.siprec),
    files: { keep: async (recordingId) => `kept/${recordingId}.opus` },
    admission: admission(),
    timer: options.timer ?? config.sip.sessionTimer,
    ackTimeoutMs: 32_000,
    orphanQuietMs: 20_000,
    recordings: () => recordings.live(),
    identification: createIdentification(config.identification),
    joining: createJoining(config.joining),
    lines: config,
    clock,
    log,
    events: {
      arrived: () => undefined,
      answered: () => undefined,
      ended: () => undefined,
      judged: (outcome) => outcomes.push(outcome),
    },
  })
  const taker = sessions.takerFor(connection)
  node.onInvite((request, response) => void taker.take(request, response))
  const peer = await SipPeer.open(node.sipAddress)
  t.teardown(async () => {
    await sessions.drain()
    await peer.close()
  })
  return {
    ...node,
    sessions,
    controls,
    peer,
    entries,
    outcomes,
    /** The verdict of the session's recording, once it has one. */
    async judged(count = 1): Promise<RecordingOutcome> {
      await until(() => outcomes.length >= count)
      const outcome = outcomes[count - 1]
      if (outcome === undefined) throw new Error('no verdict')
      return outcome
    },
    endReasons: () =>
      entries.flatMap((entry) => (entry.kind === 'contact.ended' ? entry.endReason : [])),
    /** How much of each channel's middle is the tone of its party. */
    tonesOf: (recordingId: string, hertz?: readonly [number, number]) =>
      tonesOf(node.spool, recordingId, hertz),
    /** Resolves when nothing of any call is left, on the stand-in and here. */
    async released(): Promise<void> {
      await until(() => node.standIn.channels.size === 0)
      await until(() => pool.servers[0]?.endpoints === 0)
    },
  }
}

export type SessionNode = Awaited<ReturnType<typeof startSessionNode>>
