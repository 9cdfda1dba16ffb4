import { execFileSync } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import fc from 'fast-check'
import prism from 'prism-media'
import t, { type Test } from 'tap'
import type { PayloadFormat } from '../../../recorder/recording-plan.ts'
import { type DecodedFile, decodeOpus, opusInfo } from '../opus-file.ts'
import { RecordingRig, streamPlan } from '../recording-rig.ts'
import { rtp } from '../rtp.ts'
import { toneShare } from '../tones.ts'
import { encodeTone, TONES, type TonePayloads } from './tone-senders.ts'

/** Of `opus_encoder_ctl`. */
const SET_BITRATE = 4002

interface RecordedCall extends DecodedFile {
  readonly durationMs: number
  readonly bytes: Buffer
}

/** Sends payloads at their pace, beside a party that speaks G.711, and gives what the file holds. */
async function recordCall(
  t: Test,
  format: PayloadFormat,
  { payloads, step, packetMs }: TonePayloads,
): Promise<RecordedCall> {
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
  const { bytes } = rig.sink
  return { ...decodeOpus(bytes), durationMs: outcome.durationMs, bytes }
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

/** A tone as libopus codes it in packets of so many milliseconds, two channels of them where asked for. */
function opusTone(packetMs: number, channels: 1 | 2): TonePayloads {
  const frameSize = packetMs * 48
  const encoder = new prism.opus.Encoder({ rate: 48_000, channels, frameSize }).encoder
  encoder.applyEncoderCTL(SET_BITRATE, 32_000)
  const payloads = Array.from({ length: 2400 / packetMs }, (_, index) => {
    const samples = Int16Array.from({ length: frameSize * channels }, (_, at) => {
      const time = (index * frameSize + Math.floor(at / channels)) / 48_000
      return 8000 * Math.sin(2 * Math.PI * 440 * time)
    })
    return Buffer.from(encoder.encode(Buffer.from(samples.buffer)))
  })
  return { payloads, step: frameSize, packetMs }
}

/** The channels as ffmpeg's own decoder renders them. */
function decodeByFfmpeg(file: Buffer): Pick<DecodedFile, 'caller' | 'agent'> {
  const options = [
    '-loglevel',
    'error',
    '-c:a',
    'opus',
    '-i',
    '-',
    '-ar',
    '48000',
    '-f',
    's16le',
    '-',
  ]
  const raw = execFileSync('ffmpeg', options, { input: file, maxBuffer: 2 ** 26 })
  const all = new Int16Array(raw.buffer, raw.byteOffset, raw.byteLength / 2)
  return {
    caller: all.filter((_, index) => index % 2 === 0),
    agent: all.filter((_, index) => index % 2 === 1),
  }
}

/** How many of the payloads' frames stand in the file. */
function stored(file: Buffer, { payloads }: TonePayloads): number {
  return payloads.filter((payload) => file.includes(Buffer.from(payload.subarray(1)))).length
}

for (const channels of [1, 2] as const) {
  t.test(`Opus of ${channels} channels in packets of 20 ms is stored as it came`, async (t) => {
    const tone = opusTone(20, channels)
    const format = { payloadType: 107, codec: 'OPUS', clockRate: 48_000 } as const
    const file = await recordCall(t, format, tone)
    t.equal(stored(file.bytes, tone), tone.payloads.length)
    t.notMatch(opusInfo(file.bytes), /WARNING/)
    t.equal(file.caller.length, Math.round(file.durationMs * 48))
    for (const { caller, agent } of [file, decodeByFfmpeg(file.bytes)]) {
      t.ok(toneShare(caller.subarray(24_000, 96_000), 440, 48_000) > 0.95)
      t.ok(toneShare(agent.subarray(24_000, 96_000), 1000, 48_000) > 0.95)
    }
  })
}

t.test('Opus in packets of 60 ms is encoded anew', async (t) => {
  const tone = opusTone(60, 1)
  const format = { payloadType: 107, codec: 'OPUS', clockRate: 48_000 } as const
  const file = await recordCall(t, format, tone)
  t.ok(toneShare(file.caller.subarray(24_000, 96_000), 440, 48_000) > 0.95)
  t.ok(toneShare(file.agent.subarray(24_000, 96_000), 1000, 48_000) > 0.95)
})

t.test('a wideband leg keeps what G.711 beside it cannot have', async (t) => {
  const options = ['-c:a', 'g722', '-f', 'g722']
  const bytes = encodeTone(6000, 2, { rate: 16_000, options })
  const payloads = Array.from({ length: 100 }, (_, index) =>
    bytes.subarray(index * 160, index * 160 + 160),
  )
  const format = { payloadType: 9, codec: 'G722', clockRate: 8000 } as const
  const file = await recordCall(t, format, { payloads, step: 160, packetMs: 20 })
  t.ok(toneShare(file.caller.subarray(24_000, 84_000), 6000, 48_000) > 0.8)
  t.ok(toneShare(file.agent.subarray(24_000, 84_000), 1000, 48_000) > 0.95)
})

t.test('comfort noise and a byte alone are silence, whatever the codec', async (t) => {
  const formats: readonly PayloadFormat[] = [
    { payloadType: 9, codec: 'G722', clockRate: 8000 },
    { payloadType: 18, codec: 'G729', clockRate: 8000 },
    { payloadType: 96, codec: 'AMR', clockRate: 8000 },
    { payloadType: 107, codec: 'OPUS', clockRate: 48_000 },
  ]
  const plan = streamPlan('caller', { formats, comfortNoisePayloadTypes: [13, 19] })
  const rig = new RecordingRig(t, [plan, streamPlan('agent')])
  rig.answer()
  const silences = [
    ...[9, 13, 18, 19, 96, 107].map((payloadType) => ({ payloadType, payload: Buffer.of(60) })),
    { payloadType: 18, payload: Buffer.alloc(2) },
    { payloadType: 96, payload: Buffer.of(0xf4, 0x40, 0, 0, 0, 0, 0) },
  ]
  for (const [index, fields] of silences.entries()) {
    rig.receive(
      'caller',
      rtp({ ...fields, sequenceNumber: index, timestamp: index * 160, ssrc: 9 }),
    )
    rig.run(20)
  }
  const outcome = await rig.finish()
  t.match(outcome.streams[0], { placed: 0, comfortNoise: silences.length, undecodable: 0 })
  t.equal(rig.processes.counters.started, 0)
})

t.test('whatever comes as a payload is counted once, and breaks nothing', async (t) => {
  const codecs = [
    'G722',
    'G726-16',
    'G726-40',
    'L16',
    'OPUS',
    'G729',
    'GSM',
    'ILBC',
    'AMR',
  ] as const
  const formats = codecs.map((codec, index) => ({
    payloadType: 96 + index,
    codec,
    clockRate: 8000,
  }))
  const plan = streamPlan('caller', { formats, redundantPayloadTypes: [120] })
  const rig = new RecordingRig(t, [plan, streamPlan('agent')])
  rig.answer()
  let sequenceNumber = 0
  fc.assert(
    fc.property(
      fc.integer({ min: 96, max: 121 }),
      fc.uint8Array({ maxLength: 400 }),
      (payloadType, payload) => {
        const timestamp = sequenceNumber * 160
        rig.receive('caller', rtp({ payloadType, sequenceNumber, timestamp, payload, ssrc: 9 }))
        sequenceNumber++
        rig.run(20)
      },
    ),
    { numRuns: 400 },
  )
  const outcome = await rig.finish()
  const told = ['streamId', 'role', 'codec', 'jitterMs', 'concealedMs']
  const beside = ['lostPackets', 'ssrcChanges', 'reanchored', 'repaired', 'relayed', 'unrelayed']
  const counted = Object.entries(outcome.streams[0] ?? {}).filter(
    ([name]) => ![...told, ...beside].includes(name),
  )
  t.equal(
    counted.reduce((sum, [, count]) => sum + Number(count), 0),
    sequenceNumber,
  )
  t.notOk(outcome.reasons.includes('engine_failed'))
  t.equal(rig.processes.running, 0)
})
