import { once } from 'node:events'
import t, { type Test } from 'tap'
import { MediaStream } from '../../recorder/media-stream.ts'
import { PortPool } from '../../recorder/port-pool.ts'
import { readRtcp } from '../../recorder/rtcp-reader.ts'
import { bindSocketPair, type SocketPair } from '../../recorder/rtp-sockets.ts'
import { TimelineLeg } from '../../recorder/timeline-leg.ts'
import { ManualClock } from '../manual-clock.ts'
import { decoderProcesses, streamPlan } from './recording-rig.ts'
import { rtp } from './rtp.ts'

/** A bound pair of sockets on loopback. */
async function pair(t: Test, from: number): Promise<SocketPair> {
  const pool = new PortPool({ from, to: from + 99, restMs: 0, clock: new ManualClock() })
  const sockets = await bindSocketPair(pool, '127.0.0.1')
  if (sockets === undefined) throw new Error('no ports')
  t.teardown(() => {
    sockets.rtp.close()
    sockets.rtcp.close()
  })
  return sockets
}

/** A stream that has heard three packets of a peer, one of four having been lost. */
async function heardStream(t: Test, from: number) {
  const clock = new ManualClock()
  const peer = await pair(t, from)
  const own = await pair(t, from + 100)
  const stream = new MediaStream({
    plan: streamPlan('caller', { remote: { address: '127.0.0.1', port: peer.rtpPort } }),
    sockets: own,
    leg: new TimelineLeg(0, () => {}),
    clock,
    processes: decoderProcesses(clock),
    onCode: () => {},
    onFailed: (error) => t.error(error),
  })
  const send = async (datagram: Buffer) => {
    const come = once(own.rtp, 'message')
    peer.rtp.send(datagram, own.rtpPort, '127.0.0.1')
    await come
  }
  stream.reportIfDue(0)
  for (const sequenceNumber of [10, 11, 13]) {
    await send(rtp({ sequenceNumber, timestamp: sequenceNumber * 160, ssrc: 0xabcdef01 }))
  }
  return { clock, peer, own, stream, send }
}

t.test(
  'a sender is told what was received, from the port beside, some seconds after it began',
  async (t) => {
    const { clock, peer, own, stream } = await heardStream(t, 43_000)
    const report = once(peer.rtcp, 'message')
    stream.reportIfDue(clock.monotonicMs())
    clock.advance(7500)
    stream.reportIfDue(clock.monotonicMs())
    const [datagram, source] = await report
    t.equal(source.port, own.rtpPort + 1)
    t.equal(datagram.readUInt32BE(8), 0xabcdef01)
    t.equal(datagram.readIntBE(13, 3), 1, 'one packet lost')
    t.equal(datagram.readUInt32BE(16), 13)
    t.match(readRtcp(datagram), { isWhole: true, cname: /^[A-Za-z0-9+/]{16}$/ })
  },
)

t.test('a sender that puts RTCP on its RTP port is answered there', async (t) => {
  const { clock, peer, own, stream, send } = await heardStream(t, 43_200)
  await send(Buffer.from('80c9000100000001', 'hex'))
  const report = once(peer.rtp, 'message')
  stream.reportIfDue(clock.monotonicMs())
  clock.advance(7500)
  stream.reportIfDue(clock.monotonicMs())
  const [datagram, source] = await report
  t.equal(source.port, own.rtpPort)
  t.equal(readRtcp(datagram).isWhole, true)
  t.equal(stream.counters().rtcp, 1)
})
