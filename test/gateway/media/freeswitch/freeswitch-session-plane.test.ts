import t from 'tap'
import { until } from '../../../until.ts'
import { answeredLines, offer } from '../../recording-offer.ts'
import { talkOn } from '../../talk-on.ts'
import { invite, linesOf, openParties, talk } from './session-client.ts'
import { startSessionNode } from './session-node.ts'

t.test('each stream has a fork and a token of its own', async (t) => {
  const node = await startSessionNode(t)
  const { call } = await talk(t, node, 'tokens')
  const [a = '', b = ''] = node.standIn.urls
  t.match(a, /^ws:\/\/127\.0\.0\.1:\d+\/[A-Za-z0-9_-]{20}$/)
  t.not(a, b)
  await call.bye()
})

t.test('FreeSWITCH is told that the client only sends, and not of a hold', async (t) => {
  const node = await startSessionNode(t)
  const { call, parties } = await talk(t, node, 'told')
  await call.reinvite({ body: offer(linesOf(parties, { direction: 'inactive' }), 2) })
  const ports = parties.map(({ port }) => port)
  const told = [...node.standIn.channels.values()].map(({ remoteSdp }) => remoteSdp)
  t.equal(told.length, 2)
  for (const [at, sdp] of told.entries()) {
    t.match(sdp, new RegExp(`^m=audio (${ports.join('|')}) RTP/AVP 0\\r$`, 'm'), `line ${at}`)
    t.match(sdp, /^a=sendonly\r$/m)
    t.match(sdp, /^o=- 1 1 /m)
  }
  await call.bye()
})

t.test('no server at all is a 503 that may be tried again, whatever the codec', async (t) => {
  const node = await startSessionNode(t)
  node.pool.find('one')?.drain(true)
  const parties = await openParties(t)
  const refusal = await node.peer.call(invite(offer(linesOf(parties)), 'nowhere')).invite()
  t.equal(refusal.status, 503)
  t.equal(refusal.headers.get('retry-after'), '5')
})

t.test('a session whose audio does not reach the recorder is refused', async (t) => {
  const node = await startSessionNode(t)
  node.standIn.faults.push('none', 'refused')
  const parties = await openParties(t)
  const refusal = await node.peer.call(invite(offer(linesOf(parties)), 'forkless')).invite()
  t.equal(refusal.status, 503)
  t.same(node.failures, ['fork_failed'])
  await node.released()
})

t.test('a FreeSWITCH that dies ends the session, which may be called again', async (t) => {
  const node = await startSessionNode(t)
  const { call } = await talk(t, node, 'dead')
  await talkOn(600)
  node.standIn.die()
  await call.received('BYE')
  const outcome = await node.judged()
  t.match(outcome, { verdict: 'partial', reasons: ['engine_failed'] })
  t.ok(outcome.durationMs > 400, 'what was recorded until then stays')
  await until(() => node.endReasons().length === 1)
  t.equal(node.pool.servers[0]?.endpoints, 0)
  t.equal(node.sessions.count, 0)
})

t.test('an endpoint that FreeSWITCH hangs up moves the session to others', async (t) => {
  const node = await startSessionNode(t)
  node.peer.answers.delete('INVITE')
  const { call, parties } = await talk(t, node, 'moved')
  await talkOn(500)
  node.standIn.hangUp()
  const reinvite = await call.received('INVITE')
  t.equal(answeredLines(reinvite.body).length, 2)
  node.peer.respond(
    reinvite,
    200,
    [`Contact: <sip:client@127.0.0.1:${node.peer.port}>;+sip.src`, 'Content-Type: application/sdp'],
    offer(linesOf(parties), 2),
  )
  t.match(await node.judged(), { verdict: 'partial', reasons: ['engine_failed'] })
  await talkOn(500)
  await call.bye()
  t.match(await node.judged(2), { verdict: 'complete' })
  await node.released()
})

t.test('an engine that dies leaves the client’s media where it is', async (t) => {
  const node = await startSessionNode(t, { engineMayDie: true })
  const { call } = await talk(t, node, 'engine')
  await talkOn(300)
  const before = node.standIn.urls.length
  await t.rejects(node.plane.open({ ...node.request(), callId: 'die', isRecordingRequired: true }))
  t.match(await node.judged(), { reasons: ['engine_failed'] })
  await until(() => node.standIn.urls.length >= before + 2)
  await talkOn(500)
  t.equal(node.standIn.channels.size, 2)
  await call.bye()
  t.match(await node.judged(2), { verdict: 'complete' })
  await node.released()
})
