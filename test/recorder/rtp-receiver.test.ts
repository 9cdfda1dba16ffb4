import t from 'tap'
import { payloadUses } from '../../recorder/payload-use.ts'
import { RtpPacket } from '../../recorder/rtp-packet.ts'
import { RtpReceiver } from '../../recorder/rtp-receiver.ts'
import { StreamTally } from '../../recorder/stream-tally.ts'
import { TimelineLeg } from '../../recorder/timeline-leg.ts'
import { ManualClock } from '../manual-clock.ts'
import { decoderProcesses, streamPlan } from './recording-rig.ts'
import { type RtpFields, rtp } from './rtp.ts'

/** A receiver of PCMU, PCMA, telephone-event 101 and comfort noise 13, and what it counts. */
function receiver() {
  const leg = new TimelineLeg(0, () => {})
  const tally = new StreamTally()
  const clock = new ManualClock()
  const processes = decoderProcesses(clock)
  const plan = streamPlan('caller', { relay: { toStreamId: 'agent', otherPayloadTypes: [9] } })
  const receiver = new RtpReceiver({ leg, tally, uses: payloadUses(plan), processes, clock })
  const packet = new RtpPacket()
  let arrivedAtMs = 0
  const receive = (fields: RtpFields) => {
    packet.read(rtp({ ssrc: 7, payload: new Uint8Array(160), ...fields }))
    receiver.receive(packet, arrivedAtMs)
    arrivedAtMs += 20
  }
  return { leg, tally, receiver, receive }
}

t.test('each packet ends in one counter, by what it carries', async (t) => {
  const { receive, tally } = receiver()
  receive({ sequenceNumber: 1, timestamp: 0 })
  receive({ sequenceNumber: 2, timestamp: 160, payloadType: 8 })
  receive({ sequenceNumber: 2, timestamp: 160 })
  receive({
    sequenceNumber: 3,
    timestamp: 320,
    payloadType: 101,
    payload: Buffer.of(5, 10, 0, 160),
  })
  receive({ sequenceNumber: 4, timestamp: 480, payloadType: 13, payload: Buffer.of(60) })
  receive({ sequenceNumber: 5, timestamp: 640, payload: Buffer.of(60) })
  receive({ sequenceNumber: 6, timestamp: 800, payload: Buffer.alloc(0) })
  receive({ sequenceNumber: 7, timestamp: 960, payload: Buffer.alloc(1601) })
  receive({ sequenceNumber: 8, timestamp: 1120, payloadType: 9 })
  const { jitterMs: _, ...counts } = tally
  t.same(
    Object.entries(counts).filter(([, count]) => count > 0),
    [
      ['placed', 2],
      ['duplicate', 1],
      ['events', 1],
      ['comfortNoise', 2],
      ['keepAlive', 1],
      ['notRtp', 1],
      ['unrecordable', 1],
    ],
  )
})

t.test('only what was agreed is accepted', async (t) => {
  const { receiver: under } = receiver()
  t.same(
    [0, 8, 9, 13, 101].map((type) => under.accepts(type)),
    Array(5).fill(true),
  )
  t.notOk(under.accepts(99))
  under.agree(new Map())
  t.notOk(under.accepts(0))
})

t.test('what is lost is counted over all SSRCs', async (t) => {
  const { receive, receiver: under, tally } = receiver()
  for (const sequenceNumber of [65_534, 65_535, 1]) {
    receive({ sequenceNumber, timestamp: 160 * ((sequenceNumber + 2) & 0xffff) })
  }
  t.equal(under.lostPackets, 1)
  for (const sequenceNumber of [500, 503]) {
    receive({ sequenceNumber, timestamp: sequenceNumber * 160, ssrc: 8 })
  }
  t.equal(under.lostPackets, 3)
  t.equal(under.reception?.ssrc, 8)
  t.equal(tally.ssrcChanges, 1)
  t.equal(tally.placed, 5)
})

t.test('jitter is told in milliseconds, and events do not count', async (t) => {
  const { receive, receiver: under } = receiver()
  for (let n = 0; n < 50; n++) receive({ sequenceNumber: n, timestamp: n * 160 })
  t.equal(under.jitterMs, 0)
  for (let n = 50; n < 60; n++) {
    receive({ sequenceNumber: n, timestamp: 50 * 160, payloadType: 101, payload: Buffer.alloc(4) })
  }
  t.equal(under.jitterMs, 0)
  for (let n = 60; n < 200; n++) receive({ sequenceNumber: n, timestamp: n * 240 })
  t.ok(Math.abs(under.jitterMs - 10) < 0.1, `${under.jitterMs} ms`)
})
