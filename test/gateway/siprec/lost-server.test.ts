import t from 'tap'
import { bothBodies, MULTIPART, metadata, offer } from '../recording-offer.ts'
import { startNode } from './start-node.ts'

const two = [
  { port: 40_000, label: '1' },
  { port: 40_002, label: '2' },
]
const invite = {
  to: 'sip:+12025550100@127.0.0.1',
  contentType: MULTIPART,
  body: bothBodies(offer(two), metadata()),
}

t.test('a session goes on when its SIP server comes back without its dialog', async (t) => {
  const node = await startNode(t)
  const call = node.peer.call({ callId: 'restarted', ...invite })
  const answer = await call.invite()
  await node.restartServer()
  const renewed = await call.received('INVITE')
  t.equal(renewed.body, answer.body, 'the peer is told what it has')
  t.match(renewed.headers.get('to'), `tag=${call.fromTag}`)
  t.match(renewed.headers.get('from'), answer.headers.get('to')?.split(';tag=')[1] ?? 'a tag')
  call.accept(renewed, offer(two))
  await call.received('ACK')
  const held = two.map((line) => ({ ...line, direction: 'inactive' as const }))
  const changed = await call.reinvite({ body: offer(held, 2) })
  t.equal(changed.status, 200)
  t.equal((await call.bye()).status, 200)
  t.match(await node.journaled('contact.ended'), { endReason: 'bye' })
  t.equal(node.sessions.count, 0)
})

t.test('a session that its peer has ended meanwhile gets its verdict at once', async (t) => {
  const node = await startNode(t)
  const call = node.peer.call({ callId: 'ended', ...invite })
  await call.invite()
  await node.restartServer()
  call.accept(await call.received('INVITE'), '', 481)
  t.match(await node.journaled('recording.ended'), { state: 'complete' })
  t.match(await node.journaled('contact.ended'), { endReason: 'sip_server_lost' })
})

t.test(
  'where the server only lost sight of us, the peer is asked whether it is there',
  async (t) => {
    const node = await startNode(t)
    const call = node.peer.call({ callId: 'cut', ...invite })
    await call.invite()
    await node.cutConnection()
    await call.received('OPTIONS')
    t.equal(node.sessions.count, 1)
    t.equal((await call.bye()).status, 481, 'the server knows nobody who would hear it')
    t.match(await node.journaled('contact.ended'), { endReason: 'sip_server_lost' })
  },
)

t.test('a session that cannot be renewed ends when its media has', async (t) => {
  const node = await startNode(t)
  const call = node.peer.call({ callId: 'silent', ...invite })
  await call.invite()
  await node.restartServer()
  await call.received('INVITE')
  t.match(await node.journaled('recording.ended'), { state: 'complete' })
  t.match(await node.journaled('contact.ended'), { endReason: 'sip_server_lost' })
  t.equal(node.sessions.count, 0)
})
