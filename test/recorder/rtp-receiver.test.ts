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
  let lost = 0
  const leg = new TimelineLeg(0, (_position, length) => {
    lost += length
  })
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
  const wait = (ms: number) => {
    arrivedAtMs += ms
  }
  /** Milliseconds lost of all that has come. */
  const lostMs = () => {
    while (leg.end > leg.base) leg.take()
    return lost / 8
  }
  return { leg, tally, receiver, receive, wait, lostMs }
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

t.test('audio that is lost beside events is lost, not a pause', async (t) => {
  const { receive, lostMs } = receiver()
  const event = { payloadType: 101, timestamp: 0, payload: Buffer.of(5, 10, 0, 160) }
  receive({ sequenceNumber: 1, timestamp: 0 })
  // Of numbers 2 to 4 the audio at 2 is missing, and 3 is an event.
  receive({ ...event, sequenceNumber: 3 })
  receive({ sequenceNumber: 4, timestamp: 320 })
  receive({ ...event, sequenceNumber: 5 })
  receive({ sequenceNumber: 6, timestamp: 480 })
  t.equal(lostMs(), 20)
})

t.test(
  'keep-alives of a type that was not agreed are no loss, however they are numbered',
  async (t) => {
    const { receive, receiver: under, wait, lostMs } = receiver()
    receive({ sequenceNumber: 1, timestamp: 0 })
    for (let count = 0; count < 3; count++) {
      wait(100)
      under.passOver(7)
    }
    receive({ sequenceNumber: 5, timestamp: 160 * 17 })
    under.passOver(7)
    under.passOver(8)
    receive({ sequenceNumber: 6, timestamp: 160 * 18 })
    t.equal(lostMs(), 0)
    t.equal(under.lostPackets, 0)
  },
)

t.test('what came while nothing was to be recorded is no loss', async (t) => {
  const { receive, receiver: under, wait, lostMs } = receiver()
  receive({ sequenceNumber: 1, timestamp: 0 })
  under.excuseMissing()
  wait(1000)
  receive({ sequenceNumber: 52, timestamp: 160 * 51 })
  t.equal(lostMs(), 0)
  receive({ sequenceNumber: 54, timestamp: 160 * 53 })
  t.equal(lostMs(), 20)
})

t.test(
  'a sender that counts anew loses nothing, and a packet from long ago counts once',
  async (t) => {
    const { receive, tally } = receiver()
    for (let n = 0; n < 10; n++) receive({ sequenceNumber: 5000 + n, timestamp: n * 160 })
    receive({ sequenceNumber: 4000, timestamp: 0 })
    receive({ sequenceNumber: 5010, timestamp: 1600 })
    receive({ sequenceNumber: 4001, timestamp: 160 })
    t.equal(tally.late, 2)
    for (let n = 11; n < 20; n++) receive({ sequenceNumber: 100 + n, timestamp: n * 160 })
    t.equal(tally.placed, 20)
    t.equal(tally.late, 2)
    t.equal(tally.duplicate, 0)
  },
)

t.test('what is read after the call’s end and should have stood before it is lost', async (t) => {
  const { receive, leg, wait, lostMs } = receiver()
  for (let n = 0; n < 50; n++) receive({ sequenceNumber: n, timestamp: n * 160 })
  t.equal(lostMs(), 0)
  while (leg.base < 2000 * 8) leg.take()
  leg.endAt(2000 * 8)
  wait(3000)
  for (let n = 50; n < 60; n++) receive({ sequenceNumber: n, timestamp: n * 160 })
  t.equal(lostMs(), 200)
})
