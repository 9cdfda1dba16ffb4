import t from 'tap'
import { sdp, startTrunkNode } from './trunk-node.ts'

t.test('a transfer to a call through us names the far party’s dialog', async (t) => {
  const node = await startTrunkNode(t, { route: { refer: 'handle' } })
  const { call, at } = await node.talking()
  const consulted = await node.talking()
  const { callId, fromTag, toTag } = consulted.call
  const named = encodeURIComponent(`${callId};to-tag=${toTag};from-tag=${fromTag}`)
  at.request('REFER', { headers: [`Refer-To: <sip:2002@192.0.2.9?Replaces=${named}>`] })
  t.equal((await at.response('REFER')).status, 202)
  const next = await node.arrived()
  const far = consulted.at
  t.equal(
    next.invite.headers.get('replaces'),
    `${far.callId};to-tag=${far.tags.local};from-tag=${far.tags.remote}`,
  )
  t.equal(next.invite.headers.get('require'), 'replaces')
  await next.answer(sdp(51_000))
  await at.received('BYE')
  // Whoever was replaced hangs up.
  const left = consulted.call.received('BYE')
  far.request('BYE')
  await left
  const heard = next.received('BYE')
  await call.bye()
  await heard
})

t.test('an INVITE that replaces a call through us reaches the far party', async (t) => {
  const node = await startTrunkNode(t)
  const { call, at } = await node.talking()
  const { callId, fromTag, toTag } = call
  const taking = node.callTo([
    `Replaces: ${callId};from-tag=${fromTag};to-tag=${toTag}`,
    'Require: replaces',
  ])
  taking.sendInvite()
  const next = await node.arrived()
  t.match(next.invite.firstLine, /^INVITE sip:platform@/)
  t.equal(
    next.invite.headers.get('replaces'),
    `${at.callId};to-tag=${at.tags.local};from-tag=${at.tags.remote}`,
  )
  await next.answer(sdp(51_000))
  t.equal((await taking.answered()).status, 200)
  await taking.bye()
  // A dialog of somebody else's goes on as it is named.
  const foreign = node.callTo(['Replaces: other@192.0.2.9;from-tag=1;to-tag=2'])
  foreign.sendInvite()
  const passed = await node.arrived()
  t.equal(passed.invite.headers.get('replaces'), 'other@192.0.2.9;from-tag=1;to-tag=2')
  passed.respond(481)
  t.equal((await foreign.answered()).status, 481)
})

t.test('a transfer that is passed on names neither our side nor the other one', async (t) => {
  const node = await startTrunkNode(t)
  const { call, at } = await node.talking()
  const consulted = await node.talking()
  const { callId, fromTag, toTag } = consulted.call
  const named = encodeURIComponent(`${callId};to-tag=${toTag};from-tag=${fromTag}`)
  at.request('REFER', {
    headers: [
      `Refer-To: <sip:2002@10.0.0.9:5070?Replaces=${named}>`,
      'Referred-By: <sip:2000@10.0.0.9>',
    ],
  })
  const refer = await call.received('REFER')
  const far = consulted.at
  const onward = `${far.callId};to-tag=${far.tags.local};from-tag=${far.tags.remote}`
  t.equal(
    refer.headers.get('refer-to'),
    `<sip:platform@127.0.0.1:${node.udp.port}?Replaces=${encodeURIComponent(onward)}>`,
  )
  t.equal(refer.headers.get('referred-by'), `<sip:2000@127.0.0.1:${node.udp.port}>`)
  node.caller.respond(refer, 202)
  t.equal((await at.response('REFER')).status, 202)
  await call.bye()
})

t.test('a new party that answers and hangs up in one breath ends the call', async (t) => {
  const node = await startTrunkNode(t, { route: { refer: 'handle' } })
  const { call, at } = await node.talking()
  at.request('REFER', { headers: ['Refer-To: <sip:2001@platform.example>'] })
  t.equal((await at.response('REFER')).status, 202)
  const next = await node.arrived()
  const left = at.received('BYE')
  const told = call.received('BYE')
  next.respond(200, { body: sdp(51_000) })
  next.request('BYE')
  await left
  await told
  t.match(await node.journaled('contact.ended'), { endReason: 'platform_bye' })
})

t.test('one transfer at a time, and none to nowhere', async (t) => {
  const node = await startTrunkNode(t, { route: { refer: 'handle' } })
  const { call, at } = await node.talking()
  at.request('REFER', { headers: ['Refer-To: <mailto:a@b.example>'] })
  t.equal((await at.response('REFER')).status, 400)
  at.request('REFER', {
    headers: ['Refer-To: <sip:2001@platform.example>', 'Refer-Sub: false'],
  })
  t.equal((await at.response('REFER')).status, 202)
  const next = await node.arrived()
  at.request('REFER', { headers: ['Refer-To: <sip:2002@platform.example>'] })
  t.equal((await at.response('REFER')).status, 491)
  // The caller hangs up while the new party rings.
  next.respond(180)
  const cancelled = next.received('CANCEL')
  await call.bye()
  next.respond(200, {}, await cancelled)
  next.respond(487)
  t.match(await node.journaled('contact.ended'), { endReason: 'bye' })
})
