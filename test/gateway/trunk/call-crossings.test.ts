import t from 'tap'
import { keptLog } from '../../kept-log.ts'
import { until } from '../../until.ts'
import { audioPort, sdp, startTrunkNode } from './trunk-node.ts'

const PCMA = { formats: ['8 PCMA/8000', '101 telephone-event/8000'] }
const isEmbedded = process.env['TALLENNE_TEST_DRACHTIO'] === undefined
const skip = isEmbedded ? false : 'a drachtio server keeps to the first branch that rings'
const early =
  (wanted: number) =>
  ({ status }: { readonly status: number }) =>
    status === wanted

t.test('of two branches that ring, the one that answers has the call', { skip }, async (t) => {
  const node = await startTrunkNode(t)
  const call = node.callTo()
  call.sendInvite()
  const first = await node.arrived()
  const second = first.branch()
  first.respond(183, { body: sdp(50_000), headers: ['Require: 100rel', 'RSeq: 1'] })
  first.respond(200, {}, await first.receivedHere('PRACK'))
  second.respond(183, { body: sdp(51_000), headers: ['Require: 100rel', 'RSeq: 9'] })
  const prack = await second.receivedHere('PRACK')
  t.match(prack.headers.get('rack'), /^9 /)
  second.respond(200, {}, prack)
  second.respond(200, { body: sdp(51_000) })
  await second.receivedHere('ACK')
  t.equal((await call.answered()).status, 200)
  // The other branch answers as well, too late: it is acknowledged and hung up.
  first.respond(200, { body: sdp(50_000) })
  await first.receivedHere('ACK')
  first.respond(200, {}, await first.receivedHere('BYE'))
  const bye = second.receivedHere('BYE')
  t.equal((await call.bye()).status, 200)
  await bye
  t.match(await node.journaled('contact.ended'), { endReason: 'bye' })
})

t.test('a caller that was told another codec first is offered the one of the answer', async (t) => {
  const node = await startTrunkNode(t)
  const call = node.callTo()
  call.sendInvite()
  const first = await node.arrived()
  first.respond(183, { body: sdp(50_000) })
  await node.caller.next(early(183))
  const second = first.branch()
  second.respond(200, { body: sdp(51_000, PCMA) })
  t.match((await call.answered()).body, /m=audio \d+ RTP\/AVP 8 101\r/)
  const again = await call.received('INVITE')
  t.match(again.body, /m=audio \d+ RTP\/AVP 8 101\r/)
  const headers = [
    `Contact: <sip:client@127.0.0.1:${node.caller.port}>`,
    'Content-Type: application/sdp',
  ]
  node.caller.respond(again, 200, headers, sdp(40_000, { ...PCMA, version: 2 }))
  await call.received('ACK')
  t.equal((await call.bye()).status, 200)
})

t.test('a caller that hangs up while the next target is sought reaches nobody', async (t) => {
  const node = await startTrunkNode(t, {
    route: {
      targets: [
        { uri: 'sip:first@127.0.0.1:PLATFORM', priority: 1 },
        { uri: 'sip:second@127.0.0.1:PLATFORM', priority: 2 },
        { uri: 'sip:third@127.0.0.1:PLATFORM', priority: 3 },
      ],
    },
  })
  const call = node.callTo()
  call.sendInvite()
  ;(await node.arrived()).respond(503)
  const second = await node.arrived()
  call.cancel()
  t.equal((await call.answered()).status, 487)
  // The CANCEL waits until the target has said anything (RFC 3261 §9.1).
  second.respond(100)
  second.respond(200, {}, await second.received('CANCEL'))
  second.respond(487)
  t.match(await node.journaled('contact.ended'), { endReason: 'cancelled' })
  const branches = node.entries.filter(({ kind }) => kind === 'contact.started')
  t.equal(branches.length, 1)
})

t.test('a CANCEL that comes after the answer changes nothing', async (t) => {
  const node = await startTrunkNode(t)
  const call = node.callTo()
  call.sendInvite()
  const at = await node.arrived()
  at.respond(200, { body: sdp(50_000) })
  const answer = await call.response('INVITE')
  call.cancel()
  await call.response('CANCEL')
  call.ack(answer)
  await at.received('ACK')
  t.equal(node.trunks.count, 1)
  const bye = at.received('BYE')
  t.equal((await call.bye()).status, 200)
  await bye
})

t.test('a platform that answers and hangs up in one breath leaves nobody behind', async (t) => {
  const node = await startTrunkNode(t)
  const call = node.callTo()
  call.sendInvite()
  const at = await node.arrived()
  at.respond(200, { body: sdp(50_000) })
  at.request('BYE')
  // It depends on the moment whether the caller was answered before, and hears a BYE.
  await call.answered()
  t.match(await node.journaled('contact.ended'), { endReason: 'platform_bye' })
  await until(() => node.trunks.count === 0)
})

t.test('an UPDATE before the answer moves the platform’s media', async (t) => {
  const node = await startTrunkNode(t)
  const call = node.callTo()
  call.sendInvite()
  const at = await node.arrived()
  at.respond(183, { body: sdp(50_000), headers: ['Require: 100rel', 'RSeq: 1'] })
  at.respond(200, {}, await at.received('PRACK'))
  at.request('UPDATE', { body: sdp(51_000, { version: 2 }) })
  const moved = await at.response('UPDATE')
  t.equal(moved.status, 200)
  t.equal(audioPort(moved.body), audioPort(at.invite.body))
  at.request('UPDATE')
  const refreshed = await at.response('UPDATE')
  t.equal(refreshed.status, 200)
  t.equal(refreshed.body, '')
  await at.answer(sdp(51_000, { version: 2 }))
  t.equal((await call.answered()).status, 200)
  await call.bye()
})

t.test('a caller may refresh before the answer, and offers again after it', async (t) => {
  const node = await startTrunkNode(t)
  const call = node.callTo(['Require: 100rel', 'Supported: 100rel'])
  call.sendInvite()
  const at = await node.arrived()
  at.respond(183, { body: sdp(50_000) })
  call.pracks(await node.caller.next(early(183)))
  t.equal((await call.response('PRACK')).status, 200)
  call.request('UPDATE')
  t.equal((await call.response('UPDATE')).status, 200)
  call.request('UPDATE', { body: sdp(40_100, { version: 2 }) })
  const later = await call.response('UPDATE')
  t.equal(later.status, 500)
  t.equal(later.headers.get('retry-after'), '5')
  await at.answer(sdp(50_000))
  t.equal((await call.answered()).status, 200)
  t.equal((await call.bye()).status, 200)
})

t.test('a caller that insists on what we do not have is told so', async (t) => {
  const node = await startTrunkNode(t)
  const call = node.callTo(['Require: 100rel, precondition'])
  call.sendInvite()
  const refusal = await call.answered()
  t.equal(refusal.status, 420)
  t.equal(refusal.headers.get('unsupported'), 'precondition')
  t.same(node.entries, [])
})

t.test('where a target redirects the call, it goes, within the route', async (t) => {
  const node = await startTrunkNode(t, {
    route: {
      targets: [
        { uri: 'sip:127.0.0.1:PLATFORM', priority: 1 },
        { uri: 'sip:last@127.0.0.1:PLATFORM', priority: 2 },
      ],
    },
  })
  const call = node.callTo()
  call.sendInvite()
  ;(await node.arrived()).respond(302, {
    headers: ['Contact: <sip:far@192.0.2.99>;q=0.2, <sip:near@platform.example>;q=0.9'],
  })
  const near = await node.arrived()
  t.match(near.invite.firstLine, /sip:near@127\.0\.0\.1:/)
  near.respond(302, { headers: ['Contact: <sip:near@platform.example>'] })
  const far = await node.arrived()
  t.match(far.invite.firstLine, /sip:far@127\.0\.0\.1:/)
  far.respond(486)
  t.equal((await call.answered()).status, 486)
  const circling = node.callTo()
  circling.sendInvite()
  ;(await node.arrived()).respond(301)
  ;(await node.arrived()).respond(302, { headers: ['Contact: <sip:last@127.0.0.1>'] })
  t.equal((await circling.answered()).status, 503)
})

t.test('no number that a redirection names stands in the log whole', async (t) => {
  const { log, lines } = keptLog()
  const node = await startTrunkNode(t, { log })
  const call = node.callTo()
  call.sendInvite()
  ;(await node.arrived()).respond(302, { headers: ['Contact: <sip:+12025550188@127.0.0.1>'] })
  const redirected = await node.arrived()
  t.match(redirected.invite.firstLine, 'sip:+12025550188@')
  redirected.respond(503)
  await call.answered()
  await until(() => lines().some(({ msg }) => msg === 'call ended'))
  t.match(
    lines()
      .filter(({ msg }) => msg === 'target did not take the call')
      .map(({ target }) => target),
    [/^sip:127/, /^sip:…88@127/],
  )
  t.notMatch(JSON.stringify(lines()), '2025550')
})

t.test('a target that sends the call back to us is told of the loop', async (t) => {
  const node = await startTrunkNode(t, {
    route: {
      targets: [
        { uri: 'sip:127.0.0.1:PLATFORM' },
        { uri: 'sip:next@127.0.0.1:PLATFORM', priority: 2 },
      ],
    },
  })
  const call = node.callTo()
  call.sendInvite()
  const at = await node.arrived()
  const looped = [
    at.invite.firstLine.replace(/@\S+/, '@127.0.0.1'),
    `Via: SIP/2.0/UDP 127.0.0.1:${node.platform.port};branch=z9hG4bKloop;rport`,
    ...['via', 'from', 'to', 'call-id', 'contact'].map(
      (name) => `${name}: ${at.invite.headers.get(name)}`,
    ),
    'CSeq: 1 INVITE',
    'Max-Forwards: 68',
    'Content-Length: 0',
  ]
  node.platform.send(`${looped.join('\r\n')}\r\n\r\n`)
  const told = await node.platform.next(
    ({ status, headers }) => status > 100 && (headers.get('via') ?? '').includes('z9hG4bKloop'),
  )
  t.equal(told.status, 482)
  at.respond(482)
  const next = await node.arrived()
  await next.answer(sdp(50_000))
  t.equal((await call.answered()).status, 200)
  t.equal(node.entries.filter(({ kind }) => kind === 'contact.started').length, 1)
  await call.bye()
})

t.test('our own offer is made again where the caller’s crosses it', async (t) => {
  const node = await startTrunkNode(t, { engineMayDie: true })
  const { call, at } = await node.talking()
  const headers = [
    `Contact: <sip:client@127.0.0.1:${node.caller.port}>`,
    'Content-Type: application/sdp',
  ]
  node.killEngine()
  const ours = await call.received('INVITE')
  at.respond(200, { body: sdp(50_000, { version: 2 }) }, await at.received('INVITE'))
  await at.received('ACK')
  node.caller.respond(ours, 491)
  // While we wait for our turn, the caller has its own.
  const hold = async (): Promise<number> => {
    const { status } = await call.reinvite({
      body: sdp(40_000, { direction: 'sendonly', version: 2 }),
    })
    return status === 491 ? hold() : status
  }
  const held = hold()
  const passed = await at.received('INVITE')
  t.match(passed.body, /a=sendonly/)
  at.respond(200, { body: sdp(50_000, { direction: 'recvonly', version: 3 }) }, passed)
  t.equal(await held, 200)
  const again = await call.received('INVITE')
  t.equal(audioPort(again.body), audioPort(ours.body))
  node.caller.respond(again, 200, headers, sdp(40_000, { direction: 'sendonly', version: 3 }))
  await call.received('ACK')
  t.equal((await call.bye()).status, 200)
})

t.test('a party that no longer knows the call ends it for the other', async (t) => {
  const node = await startTrunkNode(t)
  const { call, at } = await node.talking()
  const bye = call.received('BYE')
  const answered = call.reinvite({ body: sdp(40_000, { direction: 'sendonly', version: 2 }) })
  at.respond(481, {}, await at.received('INVITE'))
  t.equal((await answered).status, 481)
  await bye
  t.match(await node.journaled('contact.ended'), { endReason: 'session_expired' })
})
