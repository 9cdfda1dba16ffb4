import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { CallControl } from '../../../gateway/calls/call-control.ts'
import { repairOggOpus } from '../../../recorder/ogg-repair.ts'
import { spoolPathOf } from '../../../storage/recording-store.ts'
import { decodeOpus } from '../../recorder/opus-file.ts'
import { until } from '../../until.ts'
import { EDGE_MS, meanShare, peakOf, SILENT } from '../masked-audio.ts'
import { talkOn } from '../talk-on.ts'
import { Talker } from '../talker.ts'
import { MediaParty } from './media-party.ts'
import { audioPort, sdp, startTrunkNode, type TrunkNode } from './trunk-node.ts'

const PCMU = { formats: ['0 PCMU/8000', '101 telephone-event/8000'] }
const MASKING = { keys: { pause: '*71', resume: '*70' } }
const API = { by: 'api', reason: null } as const
const ALL = { fromMs: 0, toMs: 1e6 }
const hasFreeswitch =
  process.env['TALLENNE_TEST_FREESWITCH'] !== undefined &&
  process.env['TALLENNE_TEST_DRACHTIO'] !== undefined

/** A call whose parties both talk: the caller at 600 Hz, and hears the agent at 1500. */
async function startCall(t: Test, node: TrunkNode) {
  const caller = await MediaParty.open(t)
  const agent = await Talker.open(t, 1500)
  const { call, at, answer } = await node.talking(
    { body: sdp(caller.port, PCMU) },
    { body: sdp(agent.port, PCMU) },
  )
  caller.talk(audioPort(answer.body), 600)
  agent.talk(audioPort(at.invite.body))
  await caller.hears(10)
  const [control] = node.controls.find(call.callId)
  if (control === undefined) throw new Error('the call has no control')
  return { call, at, caller, agent, control }
}

async function pausedBy(control: CallControl, by: readonly string[]): Promise<void> {
  await until(() => `${control.pausedBy.map((cause) => cause.by)}` === `${by}`)
}

function channelsOf(node: TrunkNode, recordingId: string) {
  const { caller, agent } = decodeOpus(readFileSync(spoolPathOf(node.spool, recordingId)))
  return [caller, agent] as const
}

t.test(
  'keys that the agent’s client tells of in INFO pause the recording, and pass on',
  async (t) => {
    const node = await startTrunkNode(t, { masking: MASKING })
    const { call, at, control } = await startCall(t, node)
    const type = async (from: typeof call | typeof at, keys: string) => {
      for (const key of keys) {
        from.request('INFO', { headers: ['Content-Type: application/dtmf'], body: key })
        t.equal((await from.response('INFO')).status, 200)
      }
    }
    await type(call, '*71')
    t.same(control.pausedBy, [], 'the caller may not')
    await type(at, '*71')
    await pausedBy(control, ['dtmf'])
    await type(at, '*70')
    await pausedBy(control, [])
    await call.bye()
    t.match(await node.journaled('recording.ended'), { pauses: [{ by: 'dtmf' }] })
  },
)

for (const media of ['direct', 'freeswitch'] as const) {
  const skip = media === 'freeswitch' && !hasFreeswitch ? 'no FreeSWITCH is named' : false

  t.test(
    `the platform and its agent pause a trunk call's recording (${media})`,
    { skip },
    async (t) => {
      const node = await startTrunkNode(t, { route: { media }, masking: MASKING })
      const { call, caller, agent, control } = await startCall(t, node)
      await talkOn(500)
      await control.pause(API)
      const heard = caller.heard.length
      await talkOn(500)
      t.ok(caller.heardTone(1500, heard) > 20, 'the parties hear each other all the while')
      await control.resume('control')
      await talkOn(500)
      await agent.press('*71')
      await pausedBy(control, ['dtmf'])
      await talkOn(500)
      await agent.press('*70')
      await pausedBy(control, [])
      await talkOn(500)
      await call.bye()
      const ended = await node.journaled('recording.ended')
      t.match(ended.pauses, [{ by: 'api' }, { by: 'dtmf' }])
      t.equal(ended.state, 'complete')
      const edges = (ended.pauses ?? []).flatMap(({ fromMs, toMs }) => [fromMs, toMs ?? 0])
      for (const [channel, samples] of channelsOf(node, ended.recordingId).entries()) {
        const hertz = channel === 0 ? 600 : 1500
        const talks = [300, ...edges, ended.durationMs - 100]
        for (let at = 0; at < talks.length; at += 2) {
          const [from = 0, to = 0] = [talks[at], talks[at + 1]]
          const share = meanShare(samples, { fromMs: from + 60, toMs: to - 60, hertz })
          t.ok(share > 0.5, `channel ${channel} from ${from} to ${to}: ${share}`)
        }
        for (let at = 0; at < edges.length; at += 2) {
          const [from = 0, to = 0] = [edges[at], edges[at + 1]]
          t.ok(
            peakOf(samples, { fromMs: from + EDGE_MS, toMs: to - EDGE_MS }) < SILENT,
            `channel ${channel}: ${from}`,
          )
        }
      }
    },
  )

  t.test(`a call whose engine dies in a pause goes on paused (${media})`, { skip }, async (t) => {
    const node = await startTrunkNode(t, { route: { media }, engineMayDie: true })
    const { call, at, caller, agent, control } = await startCall(t, node)
    await talkOn(1200)
    await control.pause(API)
    const first = control.recordingId ?? ''
    const pausedFromMs = control.pauses[0]?.fromMs ?? 0
    await talkOn(1200)
    const moved = node.journaled('recording.started', 2)
    node.killEngine()
    const { recordingId } = await moved
    if (media === 'direct') {
      const [ours, theirs] = [await call.received('INVITE'), await at.received('INVITE')]
      call.accept(ours, sdp(caller.port, { ...PCMU, version: 2 }))
      at.respond(200, { body: sdp(agent.port, { ...PCMU, version: 2 }) }, theirs)
      caller.talk(audioPort(ours.body), 600)
      agent.talk(audioPort(theirs.body))
    }
    t.match(control.pausedBy, [{ by: 'api' }])
    await talkOn(500)
    await call.bye()
    const ended = await node.journaled('recording.ended', 2)
    t.match(ended, {
      recordingId,
      pauses: [{ fromMs: 0, toMs: Math.round(ended.durationMs), by: 'api' }],
    })
    for (const samples of channelsOf(node, recordingId)) t.ok(peakOf(samples, ALL) < 5)
    await repairOggOpus(spoolPathOf(node.spool, first))
    for (const samples of channelsOf(node, first)) {
      t.ok(samples.length / 48 > pausedFromMs + 200, 'the file reaches into the pause')
      t.ok(
        peakOf(samples, { ...ALL, fromMs: pausedFromMs + EDGE_MS }) < SILENT,
        'and holds nothing of it',
      )
    }
  })

  t.test(
    `a recording that is stopped ends, and the call goes on (${media})`,
    { skip },
    async (t) => {
      const node = await startTrunkNode(t, { route: { media } })
      const begunAtMs = Date.now()
      const { call, caller, control } = await startCall(t, node)
      await talkOn(1000)
      await control.stop()
      const stoppedAtMs = Date.now()
      const ended = await node.journaled('recording.ended')
      t.match(ended, { state: 'complete', file: `kept/${ended.recordingId}.opus` })
      const heard = caller.heard.length
      await caller.hears(20, heard)
      t.ok(caller.heardTone(1500, heard) > 15, 'the parties hear each other on')
      t.match(node.trunks.list(), [{ isStopped: true }])
      await call.bye()
      await node.journaled('contact.ended')
      t.equal(node.entries.filter(({ kind }) => kind === 'recording.ended').length, 1)
      const mostMs = stoppedAtMs - begunAtMs + 20
      t.ok(ended.durationMs > 900 && ended.durationMs <= mostMs, `${ended.durationMs} ms`)
    },
  )
}
