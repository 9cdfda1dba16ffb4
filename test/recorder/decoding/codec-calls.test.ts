import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { PayloadFormat } from '../../../recorder/recording-plan.ts'
import { type DecodedFile, decodeOpus } from '../opus-file.ts'
import { RecordingRig, streamPlan } from '../recording-rig.ts'
import { rtp } from '../rtp.ts'
import { toneShare } from '../tones.ts'
import { TONES, type TonePayloads } from './tone-senders.ts'

/** Sends payloads at their pace, beside a party that speaks G.711, and gives what the file holds. */
async function recordCall(
  t: Test,
  format: PayloadFormat,
  { payloads, step, packetMs }: TonePayloads,
): Promise<DecodedFile & { readonly durationMs: number }> {
  const rig = new RecordingRig(t, [
    streamPlan('caller', { formats: [format] }),
    streamPlan('agent'),
  ])
  const agent = rig.sender('agent', 1000)
  const caller = rig.recording.stream('caller')
  rig.answer()
  let next = 0
  const lengthMs = payloads.length * packetMs
  for (let ms = 0; ms < lengthMs; ms += 20) {
    agent.send()
    const payload = payloads[next]
    if (ms % packetMs === 0 && payload !== undefined) {
      const timestamp = 1000 + next * step
      const { payloadType } = format
      rig.receive(
        'caller',
        rtp({ payloadType, sequenceNumber: 1 + next, timestamp, payload, ssrc: 9 }),
      )
      next++
    }
    rig.run(20)
    while (caller?.isDecoding) await wait(1)
  }
  const outcome = await rig.finish()
  t.same(
    outcome.streams.map(({ placed }) => placed),
    [payloads.length, lengthMs / 20],
  )
  // The last packet reaches beyond the end by what it is long, at most.
  t.ok(Math.abs(outcome.durationMs - lengthMs) <= packetMs, `${outcome.durationMs} ms`)
  t.equal(rig.processes.running, 0)
  return { ...decodeOpus(rig.sink.bytes), durationMs: outcome.durationMs }
}

const CALLS: readonly (readonly [
  keyof typeof TONES,
  Partial<PayloadFormat> & Pick<PayloadFormat, 'codec'>,
])[] = [
  ['G722', { codec: 'G722' }],
  ['L16', { codec: 'L16', clockRate: 16_000 }],
  ['L16_44100', { codec: 'L16', clockRate: 44_100, channels: 2 }],
  ['G726-32', { codec: 'G726-32' }],
  ['GSM', { codec: 'GSM' }],
  ['G729', { codec: 'G729' }],
  ['ILBC_20', { codec: 'ILBC' }],
  ['ILBC_30', { codec: 'ILBC' }],
  ['AMR', { codec: 'AMR' }],
  ['AMR_octets', { codec: 'AMR', isOctetAligned: true }],
  ['AMR-WB', { codec: 'AMR-WB', clockRate: 16_000 }],
  ['AMR-WB_octets', { codec: 'AMR-WB', clockRate: 16_000, isOctetAligned: true }],
]

for (const [name, fields] of CALLS) {
  t.test(`a call of ${name} with one of G.711 has each tone on its own channel`, async (t) => {
    const format = { payloadType: 96, clockRate: 8000, ...fields }
    const file = await recordCall(t, format, TONES[name]())
    t.equal(file.caller.length, file.durationMs * 48)
    const part = (channel: Int16Array) => channel.subarray(24_000, channel.length - 9600)
    const caller = toneShare(part(file.caller), 440, 48_000)
    const agent = toneShare(part(file.agent), 1000, 48_000)
    t.ok(caller > 0.9, `${caller}`)
    t.ok(agent > 0.95, `${agent}`)
    t.ok(toneShare(part(file.caller), 1000, 48_000) < 0.001)
    t.ok(toneShare(part(file.agent), 440, 48_000) < 0.001)
  })
}
