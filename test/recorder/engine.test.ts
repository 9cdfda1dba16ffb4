import { createSocket, type Socket } from 'node:dgram'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { SystemClock } from '../../base/clock.ts'
import { createSilentLog } from '../../base/log.ts'
import { Engine } from '../../recorder/engine.ts'
import type { EngineNotice, EngineReply, EngineRequest } from '../../recorder/engine-protocol.ts'
import type { RecordingPlan, StreamPlan } from '../../recorder/recording-plan.ts'
import { MemorySink } from './memory-sink.ts'
import { decodeOpus, opusInfo } from './opus-file.ts'
import { rtp } from './rtp.ts'
import { toneBytes, toneShare } from './tones.ts'

function bind(t: Test): Promise<Socket> {
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  return new Promise((resolve) => socket.bind(0, '127.0.0.1', () => resolve(socket)))
}

function stream(role: StreamPlan['role'], port: number): StreamPlan {
  return {
    streamId: role,
    role,
    isReceiving: true,
    formats: [
      { payloadType: 0, codec: 'PCMU', clockRate: 8000 },
      { payloadType: 8, codec: 'PCMA', clockRate: 8000 },
    ],
    eventPayloadTypes: [101],
    comfortNoisePayloadTypes: [13],
    remote: { address: '127.0.0.1', port },
  }
}

t.test('a call becomes a file of its length, each party on its own channel', async (t) => {
  const sink = new MemorySink()
  const waiting = new Map<number, (reply: EngineReply) => void>()
  const clock = new SystemClock()
  const engine = new Engine({
    settings: {
      engineIndex: 0,
      bindAddress: '127.0.0.1',
      advertisedAddress: '127.0.0.1',
      portFrom: 42_000,
      portTo: 42_099,
      portRestMs: 1000,
      maxRecordings: 10,
      holdBackMs: 200,
      opus: { complexity: 3, bitrateBps: 16_000 },
      skipsQuiet: true,
      quietDb: -55,
      spoolPath: '/nowhere',
    },
    clock,
    openSink: () => sink,
    log: createSilentLog(),
    reply: (message: EngineReply | EngineNotice) => {
      if ('requestId' in message) waiting.get(message.requestId)?.(message)
    },
  })
  engine.start()
  const ask = (request: EngineRequest): Promise<EngineReply> =>
    new Promise((resolve) => {
      waiting.set(request.requestId, resolve)
      engine.handle(request)
    })
  const caller = await bind(t)
  const agent = await bind(t)
  const plan: RecordingPlan = {
    recordingId: 'r1',
    callId: 'c1',
    streams: [stream('caller', caller.address().port), stream('agent', agent.address().port)],
  }
  const opened = await ask({ kind: 'open', requestId: 1, plan })
  if (opened.kind !== 'opened') throw new Error(JSON.stringify(opened))
  const answeredAtMs = clock.epochMs()
  await ask({ kind: 'answered', requestId: 2, recordingId: 'r1', answeredAtMs })
  for (let n = 0; n < 75; n++) {
    for (const [index, socket] of [caller, agent].entries()) {
      const packet = rtp({
        sequenceNumber: 65_500 + n,
        timestamp: 2 ** 32 - 1000 + n * 160,
        ssrc: index,
        payload: toneBytes(index === 0 ? 600 : 1500, n * 160, 160),
      })
      socket.send(packet, opened.ports[index]?.rtpPort ?? 0, '127.0.0.1')
    }
    await sleep(20)
  }
  const endedAtMs = clock.epochMs()
  const closed = await ask({
    kind: 'close',
    requestId: 3,
    recordingId: 'r1',
    endedAtMs,
    reasons: [],
  })
  if (closed.kind !== 'closed') throw new Error(JSON.stringify(closed))
  const { outcome } = closed
  t.comment(JSON.stringify(outcome))
  t.equal(outcome.verdict, 'complete')
  const decoded = decodeOpus(sink.bytes)
  t.equal(decoded.caller.length, Math.round(outcome.durationMs * 48))
  const middle = (samples: Int16Array) => samples.subarray(24_000, 28_800)
  t.ok(toneShare(middle(decoded.caller), 600, 48_000) > 0.9)
  t.ok(toneShare(middle(decoded.agent), 1500, 48_000) > 0.9)
  t.match(opusInfo(sink.bytes), /Playback length/)
  t.comment(opusInfo(sink.bytes))
  const done = await ask({ kind: 'shutdown', requestId: 4 })
  t.equal(done.kind, 'done')
})
