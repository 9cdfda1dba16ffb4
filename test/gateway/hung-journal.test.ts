import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { until } from '../until.ts'
import { bothBodies, MULTIPART, metadata, offer } from './recording-offer.ts'
import { startSignallingNode } from './signalling-node.ts'
import { sdp, startTrunkNode } from './trunk/trunk-node.ts'

const invite = {
  to: 'sip:+12025550100@127.0.0.1',
  contentType: MULTIPART,
  body: bothBodies(
    offer([
      { port: 40_000, label: '1' },
      { port: 40_002, label: '2' },
    ]),
    metadata(),
  ),
}

/** Whether it comes while the journal hangs, which it is given a moment for. */
function comes(work: Promise<unknown>): Promise<boolean> {
  return Promise.race([work.then(() => true), delay(150).then(() => false)])
}

t.test('a session is answered, and its verdict told, when the journal has them', async (t) => {
  const { peer, journal, journaled, heard } = await startSignallingNode(t)
  journal.hang()
  const call = peer.call({ callId: 'held', ...invite })
  const answer = call.invite()
  await journaled('contact.started')
  t.notOk(await comes(answer))
  journal.thaw()
  t.equal((await answer).status, 200)
  journal.hang()
  t.equal((await call.bye()).status, 200)
  await journaled('contact.ended')
  t.strictSame(heard, ['arrived', 'answered', 'bye'])
  journal.thaw()
  await until(() => heard.includes('complete'))
})

t.test('a session that the journal cannot take in time is refused', async (t) => {
  const { peer, journal, journaled, entries } = await startSignallingNode(t)
  journal.hang()
  const { status, headers } = await peer.call({ callId: 'late', ...invite }).invite()
  t.equal(status, 503)
  t.equal(headers.get('retry-after'), '5')
  t.match(await journaled('contact.ended'), { endReason: 'refused_503' })
  t.notOk(entries.some(({ kind }) => kind.startsWith('recording')))
})

t.test('a caller who gives up meanwhile is not answered', async (t) => {
  const { peer, journal, journaled } = await startSignallingNode(t)
  journal.hang()
  const call = peer.call({ callId: 'gone', ...invite })
  call.sendInvite()
  await journaled('contact.started')
  call.cancel()
  t.equal((await call.answered()).status, 487)
  t.match(await journaled('contact.ended'), { endReason: 'cancelled' })
  journal.thaw()
})

t.test('a trunk call is answered when the journal has it', async (t) => {
  const node = await startTrunkNode(t)
  node.journal.hang()
  const call = node.callTo()
  call.sendInvite()
  const at = await node.arrived()
  const acknowledged = at.answer(sdp(50_000))
  const answer = call.answered()
  t.notOk(await comes(answer))
  node.journal.thaw()
  t.equal((await answer).status, 200)
  await acknowledged
  await call.bye()
})

t.test('a platform that hangs up meanwhile ends a trunk call at once', async (t) => {
  const node = await startTrunkNode(t, { route: { recording: 'require' } })
  node.journal.hang()
  const call = node.callTo()
  call.sendInvite()
  const at = await node.arrived()
  await at.answer(sdp(50_000))
  at.request('BYE', { headers: ['Reason: Q.850;cause=16'] })
  t.equal((await at.response('BYE')).status, 200)
  const refusal = await call.answered()
  t.equal(refusal.status, 480)
  t.equal(refusal.headers.get('reason'), 'Q.850;cause=16')
  t.match(await node.journaled('contact.ended'), { endReason: 'platform_bye' })
  await until(() => node.trunks.count === 0)
  node.journal.thaw()
  t.notOk(await comes(call.answered()), 'the caller hears of no other answer')
  t.strictSame(
    node.entries.map(({ kind }) => kind),
    ['contact.started', 'contact.ended'],
  )
})

t.test('a trunk call goes on without the journal where its route has it so', async (t) => {
  const node = await startTrunkNode(t)
  node.journal.hang()
  const { call } = await node.talking()
  t.equal((await call.bye()).status, 200)
})

t.test('a trunk call that must be recorded is refused without the journal', async (t) => {
  const node = await startTrunkNode(t, { route: { recording: 'require' } })
  node.journal.hang()
  const call = node.callTo()
  call.sendInvite()
  const at = await node.arrived()
  at.respond(200, { body: sdp(50_000) })
  const refusal = await call.answered()
  t.equal(refusal.status, 503)
  t.equal(refusal.headers.get('retry-after'), '5')
  at.respond(200, {}, await at.received('BYE'))
  t.match(await node.journaled('contact.ended'), { endReason: 'refused_503' })
})

t.test('a journal that is known to hang holds up no trunk call', async (t) => {
  const node = await startTrunkNode(t, {
    obstacle: { resource: 'journal', kind: 'storage', reason: 'write_failed' },
  })
  node.journal.hang()
  const { call } = await node.talking()
  await call.bye()
  const ended = await node.journaled('recording.ended')
  t.match(ended, { state: 'failed', reasons: ['write_failed'] })
})
