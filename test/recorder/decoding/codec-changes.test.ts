import { setTimeout as wait } from 'node:timers/promises'
import prism from 'prism-media'
import t from 'tap'
import type { PayloadFormat } from '../../../recorder/recording-plan.ts'
import { decodeOpus, opusInfo } from '../opus-file.ts'
import { RecordingRig, streamPlan } from '../recording-rig.ts'
import { rtp } from '../rtp.ts'
import { toneBytes, toneShare } from '../tones.ts'
import { decoderProcessIds } from './child-processes.ts'
import { ENCODED_TONES } from './encoded-tones.ts'
import { encodeTone } from './tone-senders.ts'

const FORMATS: readonly PayloadFormat[] = [
  { payloadType: 0, codec: 'PCMU', clockRate: 8000 },
  { payloadType: 9, codec: 'G722', clockRate: 8000 },
  { payloadType: 18, codec: 'G729', clockRate: 8000 },
  { payloadType: 107, codec: 'OPUS', clockRate: 48_000 },
]
/** Packets of 20 ms in a row, and how much each adds to the timestamp. */
const PHASES = [
  { payloadType: 0, step: 160 },
  { payloadType: 9, step: 160 },
  { payloadType: 107, step: 960 },
  { payloadType: 18, step: 160 },
  { payloadType: 0, step: 160 },
] as const
const PACKETS = 40

function payloads(): ReadonlyMap<number, (index: number) => Uint8Array> {
  const g722 = encodeTone(440, 1, { rate: 16_000, options: ['-c:a', 'g722', '-f', 'g722'] })
  const g729 = Buffer.from(ENCODED_TONES.G729, 'base64')
  const encoder = new prism.opus.Encoder({ rate: 48_000, channels: 1, frameSize: 960 }).encoder
  const opus = (index: number) => {
    const samples = Int16Array.from(
      { length: 960 },
      (_, at) => 8000 * Math.sin((2 * Math.PI * 440 * (index * 960 + at)) / 48_000),
    )
    return Buffer.from(encoder.encode(Buffer.from(samples.buffer)))
  }
  return new Map<number, (index: number) => Uint8Array>([
    [0, (index) => toneBytes(440, index * 160, 160)],
    [9, (index) => g722.subarray(index * 160, index * 160 + 160)],
    [18, (index) => g729.subarray(index * 20, index * 20 + 20)],
    [107, opus],
  ])
}

t.test('a call that changes its codec again and again is one file on one timeline', async (t) => {
  const rig = new RecordingRig(t, [streamPlan('caller', { formats: FORMATS }), streamPlan('agent')])
  const agent = rig.sender('agent', 1000)
  const stream = rig.recording.stream('caller')
  const payloadOf = payloads()
  rig.answer()
  let sequenceNumber = 10
  let timestamp = 2 ** 32 - 20_000
  for (const { payloadType, step } of PHASES) {
    for (let index = 0; index < PACKETS; index++) {
      agent.send()
      const payload = payloadOf.get(payloadType)?.(index) ?? new Uint8Array(0)
      rig.receive('caller', rtp({ payloadType, sequenceNumber, timestamp, payload, ssrc: 9 }))
      sequenceNumber++
      timestamp += step
      rig.run(20)
      while (stream?.isDecoding) await wait(1)
    }
  }
  const outcome = await rig.finish()
  const lengthMs = PHASES.length * PACKETS * 20
  t.match(outcome, { verdict: 'complete', reasons: [], lostMs: 0 })
  t.ok(Math.abs(outcome.durationMs - lengthMs) <= 20, `${outcome.durationMs} ms`)
  t.equal(outcome.streams[0]?.placed, PHASES.length * PACKETS)
  const { bytes } = rig.sink
  t.notMatch(opusInfo(bytes), /WARNING/)
  const { caller, agent: other } = decodeOpus(bytes)
  t.equal(caller.length, Math.round(outcome.durationMs * 48))
  for (let at = 0; at + 9600 <= caller.length; at += 9600) {
    t.ok(toneShare(caller.subarray(at + 2400, at + 9600), 440, 48_000) > 0.8, `at ${at / 48} ms`)
    t.ok(toneShare(other.subarray(at + 2400, at + 9600), 1000, 48_000) > 0.9, `at ${at / 48} ms`)
  }
  t.same(decoderProcessIds(), [])
})
