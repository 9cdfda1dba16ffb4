import t from 'tap'
import { sdp, startTrunkNode } from './trunk-node.ts'

const timer = { expiresS: 4, minS: 2 }
const isEmbedded = process.env['TALLENNE_TEST_DRACHTIO'] === undefined
// A server of somebody else's has limits of its own.
const skip = isEmbedded ? false : 'intervals of seconds are below its least'

t.test('a party without timers is asked whether it is there', { skip }, async (t) => {
  const node = await startTrunkNode(t, { timer })
  node.caller.answers.delete('OPTIONS')
  const { call, at } = await node.talking()
  const first = await call.received('OPTIONS')
  node.caller.respond(first, 200)
  const second = await call.received('OPTIONS')
  t.equal(node.trunks.count, 1)
  const bye = at.received('BYE')
  node.caller.respond(second, 481)
  await bye
  t.match(await node.journaled('contact.ended'), { endReason: 'session_expired' })
})

t.test('each side is refreshed by whom it agreed on', { skip }, async (t) => {
  const node = await startTrunkNode(t, { timer })
  // The caller wants us to refresh; the platform says that it refreshes by itself.
  const { call, at } = await node.talking(
    { headers: ['Session-Expires: 6;refresher=uas', 'Supported: timer'] },
    { headers: ['Session-Expires: 4;refresher=uas', 'Require: timer'] },
  )
  const refresh = await call.received('INVITE')
  t.match(refresh.headers.get('session-expires'), /^4;refresher=uac$/)
  const headers = [
    `Contact: <sip:client@127.0.0.1:${node.caller.port}>`,
    'Content-Type: application/sdp',
    'Session-Expires: 4;refresher=uac',
  ]
  node.caller.respond(refresh, 200, headers, sdp(40_000))
  await call.received('ACK')
  t.equal(node.trunks.count, 1)
  // The platform does not refresh as it said, and both sides are told that the session is over.
  const told = [call.received('BYE'), at.received('BYE')]
  await Promise.all(told)
  t.match(await node.journaled('contact.ended'), { endReason: 'session_expired' })
})
