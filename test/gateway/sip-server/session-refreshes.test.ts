import t, { type Test } from 'tap'
import { ManualClock } from '../../manual-clock.ts'
import { messageOf, shapeOf, transactionIn } from './raw-client.ts'
import { headerOf, SDP, sipRequest, sipResponse, tagIn } from './sip-text.ts'
import { startServer } from './test-server.ts'

const ID = 'call-1@127.0.0.1;from-tag=from-1'

/** A call of the peer's, answered with these headers and acknowledged. */
async function answeredCall(
  t: Test,
  headers: readonly string[],
  answerHeaders: readonly string[] = [],
) {
  const clock = new ManualClock()
  const context = await startServer(t, { clock, methods: ['invite'] })
  const { peer, client, send } = context
  const { port } = peer
  send(sipRequest({ port, body: SDP, headers: [...headers] }))
  const offered = await client.next()
  const lines = answerHeaders.map((line) => `${line}\r\n`).join('')
  client.send(`sip|${transactionIn(offered)}|\r\nSIP/2.0 200 OK\r\n${lines}\r\n${SDP}`)
  await client.next()
  const ok = await peer.nextThat(/ 200 /)
  const toTag = tagIn(headerOf(ok, 'To'))
  send(sipRequest({ method: 'ACK', port, toTag, branch: 'z9hG4bK-ack' }))
  await client.next()
  return { ...context, clock, ok, toTag, port }
}

t.test('a peer that does not refresh loses the call', async (t) => {
  const { clock, ok, client, peer, server } = await answeredCall(t, [
    'Session-Expires: 300;refresher=uac',
  ])
  t.equal(headerOf(ok, 'Session-Expires'), '300;refresher=uac')
  clock.advance(299_000)
  t.same(client.unread, [])
  clock.advance(1_000)
  const bye = await peer.nextThat(/^BYE/)
  t.equal(headerOf(bye, 'Reason'), 'SIP ;cause=200 ;text="Session timer expired"')
  const told = await client.next()
  t.match(shapeOf(told), `|unsolicited|${ID}|`)
  t.equal(messageOf(told), bye)
  t.equal(server.counters.dialogs, 0)
})

t.test('a refresh by the peer begins the interval anew', async (t) => {
  const { clock, send, client, peer, toTag, port, server } = await answeredCall(t, [
    'Session-Expires: 300;refresher=uac',
  ])
  clock.advance(200_000)
  const headers = ['Session-Expires: 300;refresher=uac']
  send(sipRequest({ method: 'UPDATE', port, toTag, sequence: 2, headers }))
  const frame = await client.next()
  client.send(`sip|${transactionIn(frame)}|\r\nSIP/2.0 200 OK\r\n\r\n`)
  await peer.nextThat(/ 200 /)
  clock.advance(299_000)
  t.equal(server.counters.dialogs, 1)
  clock.advance(1_000)
  t.equal(server.counters.dialogs, 0)
})

t.test('an interval below 90 s is refused', async (t) => {
  const { send, client, peer, toTag, port } = await answeredCall(t, [])
  const headers = ['Session-Expires: 60']
  send(sipRequest({ method: 'UPDATE', port, toTag, sequence: 2, headers }))
  const refused = await peer.nextThat(/^SIP/)
  t.match(refused, /^SIP\/2\.0 422 Session Interval Too Small\r\n/)
  t.equal(headerOf(refused, 'Min-SE'), '90')
  t.same(client.unread, [])
})

t.test('no refresher asked for: no timer, unless the client says so', async (t) => {
  const { ok, clock } = await answeredCall(t, ['Session-Expires: 300'])
  t.equal(headerOf(ok, 'Session-Expires'), undefined)
  clock.advance(40_000)
  t.equal(clock.timers, 1, 'the connection sweep alone')
})

t.test('this side refreshes at half of the interval, with the session as it is', async (t) => {
  const { clock, peer, client, send, server } = await answeredCall(
    t,
    ['Supported: timer'],
    ['Session-Expires: 1800;refresher=uas'],
  )
  clock.advance(905_000)
  const refresh = await peer.nextThat(/^INVITE/)
  t.match(refresh, `INVITE sip:platform@127.0.0.1:${peer.port} SIP/2.0`)
  t.equal(headerOf(refresh, 'Session-Expires'), '1800;refresher=uac')
  t.equal(headerOf(refresh, 'Content-Type'), 'application/sdp')
  t.match(refresh, SDP)
  const headers = [
    `Contact: <sip:platform@127.0.0.1:${peer.port}>`,
    'Session-Expires: 1800;refresher=uac',
  ]
  send(sipResponse(refresh, { status: 200, reason: 'OK', headers, body: SDP }))
  t.equal(
    headerOf(await peer.nextThat(/^ACK/), 'CSeq'),
    `${Number.parseInt(headerOf(refresh, 'CSeq') ?? '', 10)} ACK`,
  )
  t.same(client.unread, [], 'the client hears nothing of it')
  clock.advance(905_000)
  const again = await peer.nextThat(/^INVITE/)
  send(sipResponse(again, { status: 491, reason: 'Request Pending' }))
  await peer.nextThat(/^ACK/)
  t.equal(server.counters.dialogs, 1, "one that meets the peer's own changes nothing")
  clock.advance(905_000)
  const last = await peer.nextThat(/^INVITE/)
  send(sipResponse(last, { status: 481, reason: 'Gone' }))
  await peer.nextThat(/^BYE/)
  t.match(shapeOf(await client.next()), `|unsolicited|${ID}|`)
})
