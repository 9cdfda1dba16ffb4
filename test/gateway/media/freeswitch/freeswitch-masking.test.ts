import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { spoolPathOf } from '../../../../storage/recording-store.ts'
import { decodeOpus } from '../../../recorder/opus-file.ts'
import { until } from '../../../until.ts'
import { EDGE_MS, meanShare, peakOf, SILENT } from '../../masked-audio.ts'
import { answeredLines, offer } from '../../recording-offer.ts'
import { talkOn } from '../../talk-on.ts'
import { Talker } from '../../talker.ts'
import { realServers } from './media-node.ts'
import { invite } from './session-client.ts'
import { type SessionNode, startSessionNode } from './session-node.ts'

const TONES = [440, 1000] as const
const EVENTS = { payloadTypes: '0 101', attributes: ['a=rtpmap:101 telephone-event/8000'] }

/** A session on FreeSWITCH that is up, its parties talking. */
async function startCall(t: Test, node: SessionNode) {
  const [caller, agent] = [await Talker.open(t, TONES[0]), await Talker.open(t, TONES[1])]
  const lines = [
    { ...EVENTS, port: caller.port, label: '1' },
    { ...EVENTS, port: agent.port, label: '2' },
  ]
  const call = node.peer.call(invite(offer(lines), 'masked'))
  const { body } = await call.invite()
  const [first, second] = answeredLines(body)
  caller.talk(first?.port ?? 0)
  agent.talk(second?.port ?? 0)
  await talkOn(1000)
  const [control] = node.controls.find('masked')
  if (control === undefined) throw new Error('the call has no control')
  return { call, agent, control }
}

/** Asserts that the recording is silent in its pauses, and talks before and after them. */
async function assertMasked(t: Test, node: SessionNode): Promise<void> {
  const outcome = await node.judged()
  const { caller, agent } = decodeOpus(readFileSync(spoolPathOf(node.spool, outcome.recordingId)))
  const pauses = outcome.pauses ?? []
  t.ok(pauses.length > 0)
  for (const [channel, samples] of [caller, agent].entries()) {
    const hertz = TONES[channel] ?? 0
    for (const { fromMs, toMs } of pauses) {
      const until = toMs ?? 0
      const peak = peakOf(samples, { fromMs: fromMs + EDGE_MS, toMs: until - EDGE_MS })
      t.ok(peak < SILENT, `channel ${channel} is silent from ${fromMs}: ${peak}`)
      const before = meanShare(samples, { fromMs: fromMs - 400, toMs: fromMs - 40, hertz })
      const after = meanShare(samples, { fromMs: until + 400, toMs: until + 800, hertz })
      // FreeSWITCH's jitter buffer leaves gaps in audio that goes on beside events.
      t.ok(before > 0.5 && after > 0.2, `channel ${channel} talks around it: ${before} ${after}`)
    }
  }
}

function common(name: string, real: boolean, skip: string | false) {
  t.test(`the platform pauses a session (${name})`, { skip }, async (t) => {
    const node = await startSessionNode(t, { real })
    const { call, control } = await startCall(t, node)
    await control.pause({ by: 'api', reason: null })
    await talkOn(1000)
    await control.resume('control')
    await talkOn(1000)
    await call.bye()
    await assertMasked(t, node)
    await node.released()
  })
}

common('stand-in', false, false)
common('real servers', true, realServers() === undefined ? 'no servers are named' : false)

t.test(
  'the agent’s keys pause a session (real servers)',
  { skip: realServers() === undefined ? 'no servers are named' : false },
  async (t) => {
    const node = await startSessionNode(t, { real: true })
    const { call, agent, control } = await startCall(t, node)
    await agent.press('*71')
    await until(() => control.pausedBy.length === 1)
    t.match(control.pausedBy, [{ by: 'dtmf' }])
    await talkOn(1000)
    await agent.press('*70')
    await until(() => control.pausedBy.length === 0)
    await talkOn(1000)
    await call.bye()
    await assertMasked(t, node)
  },
)
