import t from 'tap'
import { audioPort, sdp, startTrunkNode, type TrunkNode } from './trunk-node.ts'

/** Sends a re-INVITE from one side and answers it at the other. */
async function reofferFromCaller(
  { call, at }: Awaited<ReturnType<TrunkNode['talking']>>,
  { offer, answer }: { readonly offer: string; readonly answer: string },
) {
  const answered = call.reinvite({ body: offer })
  const passed = await at.received('INVITE')
  at.respond(200, { body: answer }, passed)
  await at.received('ACK')
  return { passed, answered: await answered }
}

t.test('the caller’s hold and resume reach the platform', async (t) => {
  const node = await startTrunkNode(t)
  const talking = await node.talking()
  const held = await reofferFromCaller(talking, {
    offer: sdp(40_000, { direction: 'sendonly', version: 2 }),
    answer: sdp(50_000, { direction: 'recvonly', version: 2 }),
  })
  t.match(held.passed.body, /a=sendonly/)
  t.match(held.answered.body, /a=recvonly/)
  t.equal(audioPort(held.passed.body), audioPort(talking.at.invite.body))
  const back = await reofferFromCaller(talking, {
    offer: sdp(40_000, { version: 3 }),
    answer: sdp(50_000, { version: 3 }),
  })
  t.match(back.passed.body, /a=sendrecv/)
  t.match(back.answered.body, /a=sendrecv/)
  await talking.call.bye()
})

t.test('the platform’s hold in the old way reaches the caller', async (t) => {
  const node = await startTrunkNode(t)
  const { call, at } = await node.talking()
  const answered = at.reinvite(sdp(50_000, { address: '0.0.0.0', version: 2 }))
  const passed = await call.received('INVITE')
  t.match(passed.body, /^c=IN IP4 0\.0\.0\.0\r$/m)
  node.caller.respond(
    passed,
    200,
    [`Contact: <sip:client@127.0.0.1:${node.caller.port}>`, 'Content-Type: application/sdp'],
    sdp(40_000, { direction: 'inactive', version: 2 }),
  )
  await call.received('ACK')
  const answer = await answered
  t.equal(answer.status, 200)
  t.match(answer.body, /a=inactive/)
  t.notMatch(answer.body, /0\.0\.0\.0/)
  await call.bye()
})

t.test('another codec and another address are agreed on between the parties', async (t) => {
  const node = await startTrunkNode(t)
  const talking = await node.talking()
  const { passed, answered } = await reofferFromCaller(talking, {
    offer: sdp(40_100, { formats: ['8 PCMA/8000'], version: 2 }),
    answer: sdp(50_000, { formats: ['8 PCMA/8000'], version: 2 }),
  })
  t.match(passed.body, /m=audio \d+ RTP\/AVP 8\r/)
  t.match(answered.body, /m=audio \d+ RTP\/AVP 8\r/)
  t.notMatch(passed.body, /40100/)
  await talking.call.bye()
})

t.test('a refused re-INVITE leaves the call as it was', async (t) => {
  const node = await startTrunkNode(t)
  const { call, at } = await node.talking()
  const answered = call.reinvite({ body: sdp(40_000, { direction: 'sendonly', version: 2 }) })
  const passed = await at.received('INVITE')
  at.respond(488, {}, passed)
  t.equal((await answered).status, 488)
  t.equal((await call.bye()).status, 200)
})

t.test('a change to fax is refused, and the call goes on', async (t) => {
  const node = await startTrunkNode(t)
  const { call } = await node.talking()
  const fax =
    'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=image 4000 udptl t38\r\n'
  t.equal((await call.reinvite({ body: fax })).status, 488)
  t.equal((await call.bye()).status, 200)
})

t.test('offers that cross are refused as pending', async (t) => {
  const node = await startTrunkNode(t)
  const { call, at } = await node.talking()
  const first = call.reinvite({ body: sdp(40_000, { direction: 'sendonly', version: 2 }) })
  const passed = await at.received('INVITE')
  t.equal((await at.reinvite(sdp(50_000, { direction: 'sendonly', version: 2 }))).status, 491)
  at.respond(200, { body: sdp(50_000, { direction: 'recvonly', version: 2 }) }, passed)
  t.equal((await first).status, 200)
  await call.bye()
})

t.test('UPDATE passes on an offer, and refreshes without one', async (t) => {
  const node = await startTrunkNode(t)
  node.platform.answers.delete('UPDATE')
  const { call, at } = await node.talking()
  call.request('UPDATE', { body: sdp(40_000, { direction: 'sendonly', version: 2 }) })
  const passed = await at.received('UPDATE')
  t.match(passed.body, /a=sendonly/)
  at.respond(200, { body: sdp(50_000, { direction: 'recvonly', version: 2 }) }, passed)
  t.match((await call.response('UPDATE')).body, /a=recvonly/)
  call.request('UPDATE')
  t.equal((await call.response('UPDATE')).status, 200)
  await call.bye()
})

t.test('INFO and MESSAGE pass both ways with what they carry', async (t) => {
  const node = await startTrunkNode(t)
  node.platform.answers.delete('INFO')
  node.caller.answers.delete('INFO')
  const { call, at } = await node.talking()
  const body = 'Signal=5\r\nDuration=160\r\n'
  call.request('INFO', { contentType: 'application/dtmf-relay', body })
  const info = await at.received('INFO')
  t.equal(info.body, body)
  t.equal(info.headers.get('content-type'), 'application/dtmf-relay')
  at.respond(200, {}, info)
  t.equal((await call.response('INFO')).status, 200)
  at.request('INFO', { headers: ['Content-Type: application/media_control+xml'], body: '<x/>' })
  const control = await call.received('INFO')
  t.equal(control.body, '<x/>')
  node.caller.respond(control, 415)
  t.equal((await at.response('INFO')).status, 415)
  await call.bye()
})

t.test('a re-INVITE without an offer asks the other party for its own', async (t) => {
  const node = await startTrunkNode(t)
  const { call, at } = await node.talking()
  call.request('INVITE')
  const asked = await at.received('INVITE')
  t.equal(asked.body, '')
  at.respond(200, { body: sdp(50_000, { version: 2 }) }, asked)
  const offer = await call.answered(sdp(40_000, { formats: ['8 PCMA/8000'], version: 2 }))
  t.notMatch(offer.body, /50000/)
  const ack = await at.received('ACK')
  t.match(ack.body, /m=audio \d+ RTP\/AVP 8\r/)
  t.notMatch(ack.body, /40000/)
  await call.bye()
})

t.test('each leg has a session timer of its own', async (t) => {
  const node = await startTrunkNode(t, { timer: { expiresS: 600, minS: 90 } })
  const short = node.callTo(['Session-Expires: 60', 'Supported: timer'])
  short.sendInvite()
  const refusal = await short.answered()
  t.equal(refusal.status, 422)
  t.equal(refusal.headers.get('min-se'), '90')
  const { call, at, answer } = await node.talking({
    headers: ['Session-Expires: 300;refresher=uac', 'Supported: timer'],
  })
  t.equal(answer.headers.get('session-expires'), '300;refresher=uac')
  t.equal(at.invite.headers.get('session-expires'), '600;refresher=uas')
  call.request('UPDATE', { headers: ['Session-Expires: 300;refresher=uac', 'Supported: timer'] })
  const refreshed = await call.response('UPDATE')
  t.equal(refreshed.headers.get('session-expires'), '300;refresher=uac')
  await call.bye()
})

t.test('a target that wants a longer session interval gets it', async (t) => {
  const node = await startTrunkNode(t, { timer: { expiresS: 600, minS: 90 } })
  const call = node.callTo()
  call.sendInvite()
  ;(await node.arrived()).respond(422, { headers: ['Min-SE: 900'] })
  const at = await node.arrived()
  t.equal(at.invite.headers.get('session-expires'), '900;refresher=uas')
  t.equal(at.invite.headers.get('min-se'), '900')
  await at.answer(sdp(50_000))
  t.equal((await call.answered()).status, 200)
  await call.bye()
})

t.test('a transfer is passed on to the other party where the route says so', async (t) => {
  const node = await startTrunkNode(t)
  const { call, at } = await node.talking()
  at.request('REFER', { headers: ['Refer-To: <sip:2001@platform.example>'] })
  const refer = await call.received('REFER')
  t.equal(refer.headers.get('refer-to'), '<sip:2001@platform.example>')
  node.caller.respond(refer, 202)
  t.equal((await at.response('REFER')).status, 202)
  const report = 'SIP/2.0 200 OK\r\n'
  call.request('NOTIFY', {
    headers: ['Event: refer', 'Subscription-State: terminated'],
    contentType: 'message/sipfrag',
    body: report,
  })
  const notify = await at.received('NOTIFY')
  t.equal(notify.body, report)
  at.respond(200, {}, notify)
  t.equal((await call.response('NOTIFY')).status, 200)
  await call.bye()
})

t.test('a blind transfer is carried out: the caller talks to somebody else', async (t) => {
  const node = await startTrunkNode(t, { route: { refer: 'handle' } })
  const { call, at } = await node.talking(
    {},
    { headers: ['P-Asserted-Identity: <sip:2000@platform.example>'] },
  )
  at.request('REFER', { headers: ['Refer-To: <sip:2001@platform.example>'] })
  t.equal((await at.response('REFER')).status, 202)
  const trying = await at.received('NOTIFY')
  t.match(trying.body, /^SIP\/2\.0 100/)
  at.respond(200, {}, trying)
  const next = await node.arrived()
  t.match(next.invite.firstLine, /^INVITE sip:2001@127\.0\.0\.1:/)
  await next.answer(sdp(51_000), ['P-Asserted-Identity: <sip:2001@platform.example>'])
  const done = await at.received('NOTIFY')
  t.match(done.body, /^SIP\/2\.0 200/)
  t.match(done.headers.get('subscription-state'), /^terminated/)
  at.respond(200, {}, done)
  await at.received('BYE')
  t.match(await node.journaled('segment.started', 2), { agent: '2001' })
  const heard = next.received('BYE')
  await call.bye()
  await heard
  t.match(await node.journaled('contact.ended'), { endReason: 'bye' })
})

t.test('an attended transfer replaces the call that the agent made', async (t) => {
  const node = await startTrunkNode(t, { route: { refer: 'handle' } })
  const { call, at } = await node.talking()
  const replaces = 'abc%40host%3Bto-tag%3D7%3Bfrom-tag%3D8'
  at.request('REFER', {
    headers: [
      `Refer-To: <sip:2002@platform.example?Replaces=${replaces}>`,
      'Referred-By: <sip:2000@platform.example>',
    ],
  })
  t.equal((await at.response('REFER')).status, 202)
  const next = await node.arrived()
  t.equal(next.invite.headers.get('replaces'), 'abc@host;to-tag=7;from-tag=8')
  t.equal(next.invite.headers.get('referred-by'), '<sip:2000@platform.example>')
  await next.answer(sdp(51_000))
  await at.received('BYE')
  await call.bye()
})

t.test('a transfer that fails leaves the caller with the agent', async (t) => {
  const node = await startTrunkNode(t, { route: { refer: 'handle' } })
  const talking = await node.talking()
  const { call, at } = talking
  at.request('REFER', { headers: ['Refer-To: <sip:2001@platform.example>'] })
  t.equal((await at.response('REFER')).status, 202)
  ;(await node.arrived()).respond(486)
  const report = await node.platform.next(
    ({ method, body }) => method === 'NOTIFY' && !body.startsWith('SIP/2.0 100'),
  )
  t.match(report.body, /^SIP\/2\.0 486/)
  at.respond(200, {}, report)
  const held = await reofferFromCaller(talking, {
    offer: sdp(40_000, { direction: 'sendonly', version: 2 }),
    answer: sdp(50_000, { direction: 'recvonly', version: 2 }),
  })
  t.equal(held.answered.status, 200)
  t.equal(node.entries.filter(({ kind }) => kind === 'segment.started').length, 1)
  await call.bye()
})
