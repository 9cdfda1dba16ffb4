import t from 'tap'
import { freePort } from '../../free-port.ts'
import { until } from '../../until.ts'
import { SipPeer } from '../sip-peer.ts'
import { audioPort, sdp, startTrunkNode } from './trunk-node.ts'

t.test('a call from the carrier reaches the platform, and either side can hang up', async (t) => {
  const node = await startTrunkNode(t)
  const { call, at, answer } = await node.talking({
    headers: ['P-Asserted-Identity: <sip:+12025550147@198.51.100.7>'],
  })
  t.equal(answer.status, 200)
  t.match(at.invite.firstLine, /^INVITE sip:\+12025550100@127\.0\.0\.1:\d+/)
  t.match(await node.journaled('contact.started'), {
    capture: 'trunk',
    direction: 'inbound',
    callId: call.callId,
    caller: { display: '+12025550147' },
    serviceNumber: { display: '+12025550100' },
    serviceLine: 'asiakastuki',
    agent: null,
  })
  await node.journaled('recording.started')
  t.match(node.trunks.list(), [{ callId: call.callId, state: 'established' }])
  const heard = at.received('BYE')
  t.equal((await call.bye()).status, 200)
  await heard
  t.match(await node.journaled('contact.ended'), { endReason: 'bye' })

  const second = await node.talking()
  const told = second.call.received('BYE')
  second.at.request('BYE')
  t.equal((await second.at.response('BYE')).status, 200)
  await told
  t.match(await node.journaled('contact.ended', 2), { endReason: 'platform_bye' })
  t.equal(node.trunks.count, 0)
})

t.test('neither side learns the other’s addresses', async (t) => {
  const node = await startTrunkNode(t)
  const { call, at, answer } = await node.talking(
    { headers: ['User-Agent: carrier-sbc', 'Record-Route: <sip:198.51.100.99;lr>'] },
    { headers: ['Server: platform-pbx'], body: sdp(50_000, { extra: ['a=rtcp:50011'] }) },
  )
  const toPlatform = [...at.invite.headers.values(), at.invite.body].join('\n')
  t.notMatch(toPlatform, /secret-host|Internal PBX|192\.0\.2\.77|198\.51\.100|carrier-sbc|40000/)
  t.notMatch(toPlatform, new RegExp(call.callId))
  const toCaller = [...answer.headers.values(), answer.body].join('\n')
  t.notMatch(toCaller, /secret-host|Internal PBX|192\.0\.2\.77|platform-pbx|50000|50011/)
  t.match(answer.body, /^s=-\r$/m)
  t.not(audioPort(at.invite.body), audioPort(answer.body))
})

t.test('ringing and early media reach the caller before the answer', async (t) => {
  const node = await startTrunkNode(t)
  const call = node.callTo()
  call.sendInvite()
  const at = await node.arrived()
  at.respond(180)
  const isProvisional =
    (wanted: number) =>
    ({ status }: { readonly status: number }) =>
      status === wanted
  await node.caller.next(isProvisional(180))
  at.respond(183, { body: sdp(50_000) })
  const early = await node.caller.next(isProvisional(183))
  await at.answer(sdp(50_000))
  const answer = await call.answered()
  t.equal(audioPort(answer.body), audioPort(early.body))
  await call.bye()
})

t.test('a caller that insists on reliable provisional responses gets them', async (t) => {
  const node = await startTrunkNode(t)
  const call = node.callTo(['Require: 100rel', 'Supported: 100rel'])
  call.sendInvite()
  const at = await node.arrived()
  at.respond(183, { body: sdp(50_000) })
  const early = await node.caller.next(({ status }) => status === 183)
  t.match(early.headers.get('require'), /100rel/)
  const sequence = early.headers.get('rseq') ?? ''
  t.match(sequence, /^\d+$/)
  call.pracks(early)
  t.equal((await call.response('PRACK')).status, 200)
  await at.answer(sdp(50_000))
  t.equal((await call.answered()).status, 200)
  await call.bye()
})

t.test('a platform that sends reliable provisional responses gets its PRACK', async (t) => {
  const node = await startTrunkNode(t)
  const call = node.callTo()
  call.sendInvite()
  const at = await node.arrived()
  at.respond(183, { body: sdp(50_000), headers: ['Require: 100rel', 'RSeq: 7'] })
  const prack = await at.received('PRACK')
  t.match(prack.headers.get('rack'), /^7 \d+ INVITE$/)
  at.respond(200, {}, prack)
  await at.answer(sdp(50_000))
  t.equal((await call.answered()).status, 200)
  await call.bye()
})

t.test('a caller that gives up stops the platform’s ringing', async (t) => {
  const node = await startTrunkNode(t)
  for (const rings of [false, true]) {
    const call = node.callTo()
    call.sendInvite()
    const at = await node.arrived()
    at.respond(100)
    if (rings) {
      at.respond(180)
      await node.caller.next(({ status }) => status === 180)
    }
    call.cancel()
    const cancel = await at.received('CANCEL')
    at.respond(200, {}, cancel)
    at.respond(487)
    t.equal((await call.response('CANCEL')).status, 200)
    t.equal((await call.answered()).status, 487)
  }
  t.match(await node.journaled('contact.ended', 2), { endReason: 'cancelled' })
  t.notOk(node.entries.some(({ kind }) => kind === 'recording.started'))
})

t.test('a platform that answers while the caller gives up is hung up', async (t) => {
  const node = await startTrunkNode(t)
  const call = node.callTo()
  call.sendInvite()
  const at = await node.arrived()
  at.respond(180)
  await node.caller.next(({ status }) => status === 180)
  call.cancel()
  const cancel = await at.received('CANCEL')
  at.respond(200, {}, cancel)
  await at.answer(sdp(50_000))
  await at.received('BYE')
  t.equal((await call.answered()).status, 487)
})

t.test(
  'the next target takes the call where the first fails, is silent or is not there',
  async (t) => {
    const node = await startTrunkNode(t, {
      route: {
        responseTimeoutS: 1,
        targets: [
          // Nobody listens on the discard port.
          { uri: 'sip:127.0.0.1:9', priority: 1 },
          { uri: 'sip:busy@127.0.0.1:PLATFORM', priority: 2 },
          { uri: 'sip:silent@127.0.0.1:PLATFORM', priority: 3 },
          { uri: 'sip:good@127.0.0.1:PLATFORM', priority: 4 },
        ],
      },
    })
    const call = node.callTo()
    call.sendInvite()
    const failing = await node.arrived()
    t.match(failing.invite.firstLine, /sip:busy@/)
    failing.respond(503)
    const silent = await node.arrived()
    t.match(silent.invite.firstLine, /sip:silent@/)
    const good = await node.arrived()
    t.match(good.invite.firstLine, /sip:good@/)
    await good.answer(sdp(50_000))
    t.equal((await call.answered()).status, 200)
    t.equal(await node.metric('tallenne_trunk_target_failures_total{route="support"}'), 3)
    await call.bye()
  },
)

t.test('a busy subscriber stays busy, and no target at all is 503', async (t) => {
  const node = await startTrunkNode(t, {
    route: {
      targets: [{ uri: 'sip:127.0.0.1:PLATFORM' }, { uri: 'sip:127.0.0.1:9', priority: 2 }],
    },
  })
  const busy = node.callTo()
  busy.sendInvite()
  ;(await node.arrived()).respond(486, { headers: ['Reason: Q.850;cause=17'] })
  const refusal = await busy.answered()
  t.equal(refusal.status, 486)
  t.equal(refusal.headers.get('reason'), 'Q.850;cause=17')
  const none = node.callTo()
  none.sendInvite()
  ;(await node.arrived()).respond(500)
  t.equal((await none.answered()).status, 503)
  t.match(await node.journaled('contact.ended', 2), { endReason: 'refused_503' })
})

t.test('who calls whom and why is carried to the platform', async (t) => {
  const node = await startTrunkNode(t)
  const headers = [
    'Diversion: <sip:+12025550190@198.51.100.7>;reason=unconditional',
    'History-Info: <sip:+12025550190@198.51.100.7>;index=1',
    'P-Asserted-Identity: <sip:+12025550147@198.51.100.7>',
    'Privacy: id',
    'X-Customer: 42',
  ]
  const { call, at } = await node.talking({ headers })
  for (const header of headers) {
    const [name = '', value] = header.split(': ')
    // Names and numbers stay; addresses of the caller's side do not.
    const carried = value?.replaceAll('198.51.100.7', `127.0.0.1:${node.udp.port}`)
    t.equal(at.invite.headers.get(name.toLowerCase()), carried, name)
  }
  t.match(at.invite.headers.get('max-forwards'), /^69$/)
  await call.bye()
})

t.test('a target that is not trusted is not told who asks for privacy', async (t) => {
  const node = await startTrunkNode(t, {
    route: { targets: [{ uri: 'sip:127.0.0.1:PLATFORM', isTrusted: false }] },
  })
  const identity = 'P-Asserted-Identity: <sip:+12025550147@198.51.100.7>'
  const withheld = await node.talking({ headers: [identity, 'Privacy: id'] })
  t.equal(withheld.at.invite.headers.get('p-asserted-identity'), undefined)
  const open = await node.talking({ headers: [identity] })
  t.match(open.at.invite.headers.get('p-asserted-identity'), /\+12025550147/)
})

t.test('credentials answer a target’s challenge', async (t) => {
  const node = await startTrunkNode(t, {
    route: {
      targets: [
        { uri: 'sip:127.0.0.1:PLATFORM', credentials: { user: 'trunk', password: 'secret' } },
      ],
    },
  })
  const call = node.callTo()
  call.sendInvite()
  const first = await node.arrived()
  first.respond(407, {
    headers: ['Proxy-Authenticate: Digest realm="platform", nonce="n1", algorithm=MD5, qop="auth"'],
  })
  const second = await node.arrived()
  t.match(second.invite.headers.get('proxy-authorization'), /username="trunk".*realm="platform"/)
  await second.answer(sdp(50_000))
  t.equal((await call.answered()).status, 200)
  await call.bye()
})

t.test('a call that goes in circles ends, and leaves no contact', async (t) => {
  const node = await startTrunkNode(t)
  const call = node.callTo()
  call.sendInvite({ maxForwards: 0 })
  t.equal((await call.answered()).status, 483)
  t.same(node.entries, [])
})

t.test('who answers is the agent, where the platform says so', async (t) => {
  const node = await startTrunkNode(t)
  const known = await node.talking(
    {},
    { headers: ['P-Asserted-Identity: "Agent" <sip:2000@platform.example>'] },
  )
  t.match(await node.journaled('segment.started'), { agent: '2000' })
  await known.call.bye()
  const queue = await node.talking(
    {},
    { headers: ['P-Asserted-Identity: <sip:+12025550100@platform.example>'] },
  )
  t.match(await node.journaled('segment.started', 2), { agent: null })
  await queue.call.bye()
})

t.test('an older header names the agent where the asserted identity does not', async (t) => {
  const node = await startTrunkNode(t)
  const older = 'Remote-Party-ID: "Agent" <sip:2001@platform.example>;party=calling;screen=no'
  const alone = await node.talking({}, { headers: [older] })
  t.match(await node.journaled('segment.started'), { agent: '2001' })
  await alone.call.bye()
  const both = await node.talking(
    {},
    { headers: [older, 'P-Asserted-Identity: <sip:2000@platform.example>'] },
  )
  t.match(await node.journaled('segment.started', 2), { agent: '2000' })
  await both.call.bye()
})

t.test('keep-alives find a target down, calls try it last, and it comes back', async (t) => {
  const port = await freePort()
  const node = await startTrunkNode(t, {
    keepAlive: { everyS: 1, failures: 1 },
    route: {
      targets: [
        { uri: `sip:127.0.0.1:${port}`, priority: 1 },
        { uri: 'sip:127.0.0.1:PLATFORM', priority: 2 },
      ],
    },
  })
  const isUp = (target: number) =>
    node.metric(`tallenne_trunk_target_up{route="support",target="${target}"}`)
  await until(async () => (await isUp(0)) === 0)
  t.equal(await isUp(1), 1)
  const { call } = await node.talking()
  const failures = await node.metric('tallenne_trunk_target_failures_total{route="support"}')
  t.equal(failures ?? 0, 0, 'the target that is down was not tried')
  await call.bye()
  const back = await SipPeer.open(node.udp, port)
  t.teardown(() => back.close())
  await until(async () => (await isUp(0)) === 1)
})

t.test('a route asks for its source, and everything else is not a call of ours', async (t) => {
  const node = await startTrunkNode(t, { route: { from: ['192.0.2.0/24'] } })
  const call = node.callTo()
  call.sendInvite()
  t.equal((await call.answered()).status, 404)
  t.same(node.entries, [])
})

t.test('a caller without an offer gets one, and answers it in its ACK', async (t) => {
  const node = await startTrunkNode(t)
  const call = node.callTo([], '')
  call.sendInvite()
  const at = await node.arrived()
  t.match(at.invite.body, /m=audio \d+ RTP\/AVP 0 8 101/)
  const acknowledged = at.answer(sdp(50_000, { formats: ['8 PCMA/8000'] }))
  const offer = await call.answered(sdp(40_000, { formats: ['8 PCMA/8000'] }))
  await acknowledged
  t.match(offer.body, /m=audio \d+ RTP\/AVP 8\r/)
  await call.bye()
})

t.test('a stop of the node ends calls on both sides', async (t) => {
  const node = await startTrunkNode(t)
  const { call, at } = await node.talking()
  const told = [call.received('BYE'), at.received('BYE')]
  await node.trunks.drain()
  await Promise.all(told)
  t.match(await node.journaled('contact.ended'), { endReason: 'shutdown' })
  const late = node.callTo()
  late.sendInvite()
  t.equal((await late.answered()).status, 503)
})
