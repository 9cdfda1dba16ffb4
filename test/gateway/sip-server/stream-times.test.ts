import t, { type Test } from 'tap'
import type { SipServerLimits } from '../../../gateway/sip-server/limits.ts'
import { ManualClock } from '../../manual-clock.ts'
import { until } from '../../until.ts'
import { messageOf } from './raw-client.ts'
import { bodyOf, headerOf, sipRequest } from './sip-text.ts'
import { StreamPeer } from './stream-peer.ts'
import { startServer } from './test-server.ts'

const SDP_PART = '--edge\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n'
const XML_PART = '--edge\r\nContent-Type: application/rs-metadata+xml\r\n\r\n<recording/>\r\n'
const OPTIONS = sipRequest({ method: 'OPTIONS', transport: 'TCP' })

/** An INVITE whose Content-Length counts so many bytes more than its body has. */
function miscounted(body: string, excess: number): string {
  const headers = ['Content-Type: multipart/mixed;boundary=edge']
  const text = sipRequest({ transport: 'TCP', headers, body })
  return text.replace(/Content-Length: \d+/, `Content-Length: ${body.length + excess}`)
}

async function start(
  t: Test,
  limits: Partial<SipServerLimits> = {},
  methods: readonly string[] = [],
) {
  const clock = new ManualClock()
  const node = await startServer(t, { clock, limits, methods })
  const peer = await StreamPeer.open(node.tcpPort)
  t.teardown(() => peer.close())
  await until(() => node.server.counters.connections === 1)
  return {
    ...node,
    clock,
    peer,
    cut: () => node.server.counters.connectionsCut['tcp'] ?? {},
    /** Sends, and waits until the server has read it. */
    sendAndSettle: async (text: string) => {
      peer.send(text)
      await peer.isRead()
    },
  }
}

t.test('a multipart body that stays short is taken after a second', async (t) => {
  const { client, clock, peer, sendAndSettle } = await start(t, {}, ['invite', 'options'])
  const body = SDP_PART + XML_PART
  await sendAndSettle(miscounted(body, 299))
  clock.advance(1_000)
  t.same(client.unread, [])
  clock.advance(500)
  const invite = messageOf(await client.next())
  t.equal(bodyOf(invite), body)
  t.equal(headerOf(invite, 'Content-Length'), String(body.length))
  t.match(await peer.next(), / 100 /)
  peer.send(OPTIONS)
  t.match(messageOf(await client.next()), /^OPTIONS /, 'the connection is followed on')
})

t.test('a body of one part, or of none that is whole, is waited for and refused', async (t) => {
  for (const body of [SDP_PART, 'v=0']) {
    const { client, clock, peer, sendAndSettle, cut } = await start(t, {}, ['invite'])
    await sendAndSettle(miscounted(body, 299))
    clock.advance(10_000)
    t.same(cut(), {})
    clock.advance(500)
    t.match(await peer.next(), /^SIP\/2\.0 400 Body Shorter Than Content-Length\r\n/)
    await peer.closed()
    t.same(cut(), { slow_message: 1 })
    t.same(client.unread, [])
  }
})

t.test('a sender that drips bytes is cut off all the same', async (t) => {
  const { clock, peer, sendAndSettle, cut } = await start(t)
  for (const piece of OPTIONS.slice(0, 12)) {
    await sendAndSettle(piece)
    clock.advance(1_000)
  }
  await peer.closed()
  t.same(cut(), { slow_message: 1 })
})

t.test('a peer that says nothing is cut off after a minute, one that pings is not', async (t) => {
  const { clock, peer, cut, tcpPort, server } = await start(t)
  const pinging = await StreamPeer.open(tcpPort)
  t.teardown(() => pinging.close())
  await until(() => server.counters.connections === 2)
  pinging.send('\r\n\r\n')
  t.equal(await pinging.bytes(2), '\r\n')
  clock.advance(60_500)
  await peer.closed()
  t.same(cut(), { silent: 1 })
  t.equal(server.counters.connections, 1)
})

t.test('a connection that carries nothing any more is closed', async (t) => {
  const { clock, peer, cut } = await start(t, { maxIdleMs: 100_000 })
  peer.send(OPTIONS)
  await peer.next()
  clock.advance(100_000)
  t.same(cut(), {})
  clock.advance(500)
  await peer.closed()
  t.same(cut(), { idle: 1 })
})

t.test('connections beyond the limit are not let in', async (t) => {
  const { tcpPort, cut } = await start(t, { maxConnections: 1 })
  const second = await StreamPeer.open(tcpPort)
  await second.closed()
  await until(() => cut()['too_many'] === 1)
  t.same(cut(), { too_many: 1 })
})
