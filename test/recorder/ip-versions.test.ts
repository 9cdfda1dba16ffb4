import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { SystemClock } from '../../base/clock.ts'
import { createSilentLog } from '../../base/log.ts'
import { Engine } from '../../recorder/engine.ts'
import type { EngineReply } from '../../recorder/engine-protocol.ts'
import type { StreamPlan } from '../../recorder/recording-plan.ts'
import { MemorySink } from './memory-sink.ts'
import { SETTINGS, streamPlan } from './recording-rig.ts'
import { rtp } from './rtp.ts'
import { toneBytes } from './tones.ts'

/** A client's pair of ports on one address. */
async function bindPair(t: Test, address: string): Promise<{ rtp: Socket; rtcp: Socket }> {
  for (let port = 43_000; port < 43_100; port += 2) {
    const pair = [port, port + 1].map((at) => {
      const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
      socket.bind(at, address)
      return socket
    })
    t.teardown(() => {
      for (const socket of pair) socket.close()
    })
    const [rtpSocket, rtcp] = pair
    const isBound = await Promise.all(pair.map((socket) => once(socket, 'listening'))).catch(
      () => undefined,
    )
    if (rtpSocket && rtcp && isBound) return { rtp: rtpSocket, rtcp }
  }
  throw new Error('no ports')
}

t.test('each stream is received, and reported on, by the IP version of its offer', async (t) => {
  const waiting = new Map<number, (reply: EngineReply) => void>()
  const engine = new Engine({
    settings: {
      ...SETTINGS,
      otherVersion: { bindAddress: '::1', advertisedAddress: '2001:db8::10' },
    },
    clock: new SystemClock(),
    openSink: () => new MemorySink(),
    log: createSilentLog(),
    reply: (message) => 'requestId' in message && waiting.get(message.requestId)?.(message),
  })
  engine.start()
  const ask = (request: Parameters<Engine['handle']>[0]) =>
    new Promise<EngineReply>((resolve) => {
      waiting.set(request.requestId, resolve)
      engine.handle(request)
    })
  t.teardown(() => ask({ kind: 'shutdown', requestId: 9 }))

  const six = await bindPair(t, '::1')
  const four = await bindPair(t, '127.0.0.1')
  const streams: readonly StreamPlan[] = [
    streamPlan('caller', {
      remote: { address: '0:0:0:0:0:0:0:1', port: six.rtp.address().port },
      ipVersion: 6,
    }),
    streamPlan('agent', {
      remote: { address: '127.0.0.1', port: four.rtp.address().port },
      ipVersion: 4,
    }),
  ]
  const plan = { recordingId: 'r1', callId: 'c1', streams }
  const opened = await ask({ kind: 'open', requestId: 1, plan })
  if (opened.kind !== 'opened') throw new Error(opened.kind)
  t.match(opened.ports, [
    { streamId: 'caller', address: '2001:db8::10' },
    { streamId: 'agent', address: '127.0.0.1' },
  ])
  await ask({ kind: 'answered', requestId: 2, recordingId: 'r1', answeredAtMs: Date.now() })

  const reports = [six, four].map(async ({ rtcp }) => {
    const [report, source] = await once(rtcp, 'message')
    return { type: report[1], port: source.port }
  })
  let sequenceNumber = 0
  const talking = setInterval(() => {
    for (const [at, { rtp: socket }] of [six, four].entries()) {
      const payload = toneBytes(600, sequenceNumber * 160, 160)
      const packet = rtp({ sequenceNumber, timestamp: sequenceNumber * 160, ssrc: at + 1, payload })
      socket.send(packet, opened.ports[at]?.rtpPort ?? 0, at === 0 ? '::1' : '127.0.0.1')
    }
    sequenceNumber += 1
  }, 20)
  t.teardown(() => clearInterval(talking))
  t.same(
    await Promise.all(reports),
    opened.ports.map(({ rtcpPort }) => ({ type: 201, port: rtcpPort })),
  )
  clearInterval(talking)
  const closed = await ask({
    kind: 'close',
    requestId: 3,
    recordingId: 'r1',
    endedAtMs: Date.now(),
    reasons: [],
  })
  if (closed.kind !== 'closed') throw new Error(closed.kind)
  t.equal(closed.outcome.reasons.includes('leg_silent'), false)
  t.notMatch(closed.outcome.verdict, /failed|silent/)
})
