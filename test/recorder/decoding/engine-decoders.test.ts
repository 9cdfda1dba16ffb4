import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { SystemClock } from '../../../base/clock.ts'
import { createSilentLog } from '../../../base/log.ts'
import { Engine } from '../../../recorder/engine.ts'
import type { EngineNotice, EngineReply, EngineRequest } from '../../../recorder/engine-protocol.ts'
import type { StreamPlan } from '../../../recorder/recording-plan.ts'

import { MemorySink } from '../memory-sink.ts'
import { decodeOpus } from '../opus-file.ts'
import { SETTINGS, streamPlan } from '../recording-rig.ts'
import { rtp } from '../rtp.ts'
import { toneShare } from '../tones.ts'
import { decoderProcessIds } from './child-processes.ts'
import { ENCODED_TONES } from './encoded-tones.ts'

const G729 = [{ payloadType: 18, codec: 'G729', clockRate: 8000 }] as const
const TONE = Buffer.from(ENCODED_TONES.G729, 'base64')

/** An engine with room for so many decoders, which is shut down at the test's end. */
function startEngine(t: Test, maxDecoders: number) {
  const clock = new SystemClock()
  const sink = new MemorySink()
  const waiting = new Map<number, (reply: EngineReply) => void>()
  const engine = new Engine({
    settings: { ...SETTINGS, holdBackMs: 500, maxDecoders },
    clock,
    openSink: () => sink,
    log: createSilentLog(),
    reply: (message: EngineReply | EngineNotice) => {
      if ('requestId' in message) waiting.get(message.requestId)?.(message)
    },
  })
  engine.start()
  const ask = (request: EngineRequest) =>
    new Promise<EngineReply>((resolve) => {
      waiting.set(request.requestId, resolve)
      engine.handle(request)
    })
  t.teardown(() => ask({ kind: 'shutdown', requestId: 99 }))
  const open = (recordingId: string, streams: readonly StreamPlan[], requestId: number) =>
    ask({ kind: 'open', requestId, plan: { recordingId, callId: recordingId, streams } })
  return { ask, open, clock, sink }
}

t.test(
  'a call of G.729 over the network is heard whole, and its process ends with it',
  async (t) => {
    const { ask, open, clock, sink } = startEngine(t, 4)
    const caller = createSocket('udp4')
    t.teardown(() => caller.close())
    caller.bind(0, '127.0.0.1')
    await once(caller, 'listening')
    const remote = { address: '127.0.0.1', port: caller.address().port }
    const opened = await open(
      'r1',
      [streamPlan('caller', { formats: G729, remote }), streamPlan('agent')],
      1,
    )
    if (opened.kind !== 'opened') throw new Error(JSON.stringify(opened))
    await ask({ kind: 'answered', requestId: 2, recordingId: 'r1', answeredAtMs: clock.epochMs() })
    for (let index = 0; index < 50; index++) {
      const payload = TONE.subarray(index * 20, index * 20 + 20)
      const fields = { payloadType: 18, sequenceNumber: index, timestamp: index * 160 }
      caller.send(rtp({ ...fields, payload }), opened.ports[0]?.rtpPort ?? 0, '127.0.0.1')
      await sleep(20)
    }
    t.equal(decoderProcessIds().length, 1)
    const endedAtMs = clock.epochMs()
    const closed = await ask({
      kind: 'close',
      requestId: 3,
      recordingId: 'r1',
      endedAtMs,
      reasons: [],
    })
    t.match(closed, {
      kind: 'closed',
      outcome: { streams: [{ placed: 50, undecodable: 0 }] },
    })
    t.equal(decoderProcessIds().length, 0)
    const { caller: heard } = decodeOpus(sink.bytes)
    t.ok(
      toneShare(heard.subarray(14_400, 38_400), 440, 48_000) > 0.5,
      'on a machine that is busy too',
    )
  },
)

t.test('an engine shut down in mid-call leaves no process', async (t) => {
  const { ask, open, clock } = startEngine(t, 4)
  const caller = createSocket('udp4')
  t.teardown(() => caller.close())
  const opened = await open('r1', [streamPlan('caller', { formats: G729, remote: undefined })], 1)
  if (opened.kind !== 'opened') throw new Error(JSON.stringify(opened))
  await ask({ kind: 'answered', requestId: 2, recordingId: 'r1', answeredAtMs: clock.epochMs() })
  for (let index = 0; index < 20; index++) {
    const payload = TONE.subarray(0, 20)
    const fields = { payloadType: 18, sequenceNumber: index, timestamp: index * 160 }
    caller.send(rtp({ ...fields, payload }), opened.ports[0]?.rtpPort ?? 0, '127.0.0.1')
    await sleep(20)
  }
  t.equal(decoderProcessIds().length, 1)
  await ask({ kind: 'shutdown', requestId: 3 })
  t.equal(decoderProcessIds().length, 0)
})

t.test(
  'a call that only processes could decode is refused where there is no room for them',
  async (t) => {
    const { open } = startEngine(t, 1)
    const only = (role: 'caller' | 'agent') => streamPlan(role, { formats: G729 })
    t.match(await open('r1', [only('caller'), only('agent')], 1), { code: 'no_decoders' })
    t.match(await open('r2', [only('caller'), streamPlan('agent')], 2), { kind: 'opened' })
    t.match(await open('r3', [only('caller'), streamPlan('agent')], 3), { code: 'no_decoders' })
    t.match(await open('r4', [streamPlan('caller'), streamPlan('agent')], 4), { kind: 'opened' })
  },
)
