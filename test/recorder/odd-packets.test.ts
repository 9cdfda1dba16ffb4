import t, { type Test } from 'tap'
import type { StreamCounters } from '../../recorder/recording-plan.ts'
import { decodeOpus } from './opus-file.ts'
import { RecordingRig, streamPlan } from './recording-rig.ts'
import { type RtpFields, rtp } from './rtp.ts'
import { toneBytes } from './tones.ts'

const PACKETS = 500
const SOURCE = { address: '192.0.2.1', port: 4000 }

/** Where a stream stands: numbers of the next packet. */
interface Numbers {
  sequenceNumber: number
  timestamp: number
  readonly ssrc: number
}

type Send = (datagram: Buffer) => void

interface Oddity {
  readonly first?: Partial<Numbers>
  /** How each packet of audio differs from a plain one. */
  readonly fields?: (index: number) => RtpFields
  /** What comes besides, after each packet of audio; it moves the numbers on where it takes any. */
  readonly besides?: (index: number, numbers: Numbers, send: Send, audio: Buffer) => void
}

/** Records ten seconds of a tone with something odd about it, and tells how each packet was counted. */
async function record(t: Test, { first, fields, besides }: Oddity) {
  const rig = new RecordingRig(t, [streamPlan('caller', { remote: SOURCE }), streamPlan('agent')])
  const agent = rig.sender('agent', 1000)
  const numbers = { sequenceNumber: 100, timestamp: 16_000, ssrc: 7, ...first }
  const send: Send = (datagram) => rig.receive('caller', datagram)
  let index = 0
  rig.answer()
  rig.run(PACKETS * 20, () => {
    agent.send()
    const payload = toneBytes(440 + index, 0, 160)
    const audio = rtp({ ...numbers, payload, ...fields?.(index) })
    send(audio)
    numbers.sequenceNumber++
    numbers.timestamp += 160
    besides?.(index, numbers, send, audio)
    index++
  })
  const outcome = await rig.finish()
  const { caller } = decodeOpus(rig.sink.bytes)
  return { outcome, caller, counted: outcome.streams[0] }
}

/** Datagrams that are to come once more. */
const held: Buffer[] = []

const ODDITIES: readonly (readonly [string, Oddity, Partial<StreamCounters>])[] = [
  ['an SSRC of 0', { first: { ssrc: 0 } }, { ssrcChanges: 0 }],
  [
    'numbers that wrap at once, both together',
    { first: { sequenceNumber: 65_535, timestamp: 2 ** 32 - 160 } },
    { lostPackets: 0, reanchored: 0 },
  ],
  [
    'numbers that wrap later, each for itself',
    { first: { sequenceNumber: 65_300, timestamp: 2 ** 32 - 50_000 } },
    { lostPackets: 0, reanchored: 0 },
  ],
  [
    'padding, extensions and contributing sources',
    {
      fields: (index) => ({
        padding: index % 5,
        csrcs: Array.from({ length: index % 16 }, (_, at) => at),
        ...(index % 3 > 0 && { extension: Array.from({ length: index % 7 }, () => index) }),
        marker: index % 2 === 0,
      }),
    },
    {},
  ],
  [
    'packets that come twice, at once or later',
    {
      besides: (index, _numbers, send, audio) => {
        if (index >= 470) return
        held.push(audio)
        if (index % 2 === 0 || held.length > 3) send(held.shift() ?? audio)
        if (index === 469) for (const late of held.splice(0)) send(late)
      },
    },
    { duplicate: 470, lostPackets: 0 },
  ],
  [
    'audio that goes on between the packets of a key, so that timestamps run backwards',
    {
      besides: (index, numbers, send) => {
        const inPress = index % 25
        if (inPress >= 10) return
        const timestamp = numbers.timestamp - 160 * (inPress + 1) - 8
        const end = inPress >= 7 ? 0x8a : 0x0a
        const payload = Buffer.of(5, end, 0, 0)
        payload.writeUInt16BE(160 * Math.min(8, inPress + 1), 2)
        send(rtp({ ...numbers, payloadType: 101, timestamp, payload, marker: inPress === 0 }))
        numbers.sequenceNumber++
      },
    },
    { events: 200, lostPackets: 0, reanchored: 0 },
  ],
  [
    'packets without a payload, and with a byte alone',
    {
      besides: (index, numbers, send) => {
        const payload = Buffer.alloc(index % 2)
        send(rtp({ ...numbers, timestamp: numbers.timestamp - 160, payload }))
        numbers.sequenceNumber++
      },
    },
    { keepAlive: 250, comfortNoise: 250, lostPackets: 0 },
  ],
  [
    'comfort noise of its own type, though nobody paused',
    {
      besides: (_index, numbers, send) => {
        send(rtp({ ...numbers, payloadType: 13, payload: Buffer.of(60) }))
        numbers.sequenceNumber++
      },
    },
    { comfortNoise: PACKETS, lostPackets: 0, reanchored: 0 },
  ],
  [
    'keep-alives of every kind, and other protocols on the port',
    {
      besides: (index, numbers, send) => {
        const kinds = [
          Buffer.alloc(0),
          Buffer.alloc(12),
          rtp({ ...numbers, payloadType: 99, payload: Buffer.alloc(0) }),
          Buffer.from('000100002112a442000102030405060708090a0b', 'hex'),
          Buffer.from('10000000 5a525450 00000000'.replaceAll(' ', ''), 'hex'),
          Buffer.from('16fefd0000000000000000002a', 'hex'),
          Buffer.from('80c80006000000070000000000000000000000000000000000000000', 'hex'),
        ]
        send(kinds[index % kinds.length] ?? Buffer.alloc(0))
      },
    },
    { stun: 71, zrtp: 71, dtls: 71, wrongPayloadType: 72, rtcp: 71, lostPackets: 0 },
  ],
]
t.test('what comes besides audio, or around it, changes no sample', async (t) => {
  const plain = await record(t, {})
  t.match(plain.outcome, { verdict: 'complete', reasons: [], lostMs: 0 })
  for (const [name, oddity, counted] of ODDITIES) {
    const odd = await record(t, oddity)
    t.match(odd.outcome, { verdict: 'complete', reasons: [], lostMs: 0 }, name)
    t.match(odd.counted, { placed: PACKETS, late: 0, ...counted }, name)
    t.equal(odd.outcome.durationMs, plain.outcome.durationMs, name)
    t.ok(
      odd.caller.every((sample, at) => sample === plain.caller[at]),
      name,
    )
    t.equal(odd.caller.length, plain.caller.length, name)
  }
})
