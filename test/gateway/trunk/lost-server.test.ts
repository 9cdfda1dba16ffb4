import t from 'tap'
import { MediaParty } from './media-party.ts'
import { tagOf } from './platform-call.ts'
import { audioPort, sdp, startTrunkNode } from './trunk-node.ts'

const isEmbedded = process.env['TALLENNE_TEST_DRACHTIO'] === undefined
const skip = isEmbedded ? false : 'the server is somebody else’s'
t.test('a call goes on when its SIP server comes back without its dialogs', { skip }, async (t) => {
  const node = await startTrunkNode(t)
  const { call, at, answer } = await node.talking()
  const ringing = node.callTo()
  ringing.sendInvite()
  ;(await node.arrived()).respond(180)
  await node.restartServer()
  t.match(await node.journaled('contact.ended'), { endReason: 'sip_server_lost' })

  const toCaller = await call.received('INVITE')
  t.equal(toCaller.body, answer.body, 'it is told what it has')
  t.equal(tagOf(toCaller.headers.get('to')), call.fromTag)
  t.equal(tagOf(toCaller.headers.get('from')), tagOf(answer.headers.get('to')))
  call.accept(toCaller, sdp(40_000))
  const toPlatform = await at.received('INVITE')
  t.equal(toPlatform.body, at.invite.body)
  t.equal(tagOf(toPlatform.headers.get('to')), at.tags.local)
  t.equal(tagOf(toPlatform.headers.get('from')), at.tags.remote)
  at.respond(200, { body: sdp(50_000) }, toPlatform)
  await Promise.all([call.received('ACK'), at.received('ACK')])

  const hold = call.reinvite({ body: sdp(40_000, { direction: 'sendonly', version: 2 }) })
  const held = await at.received('INVITE')
  t.match(held.body, /a=sendonly/)
  at.respond(200, { body: sdp(50_000, { direction: 'recvonly', version: 2 }) }, held)
  t.equal((await hold).status, 200)
  t.match(node.trunks.list(), [{ isHeld: true, state: 'established' }])

  t.equal((await call.bye()).status, 200)
  await at.received('BYE')
  t.match(await node.journaled('contact.ended', 2), { endReason: 'bye' })
  t.equal(node.trunks.count, 0)
})

t.test('a call that a party left meanwhile ends for the other as well', { skip }, async (t) => {
  const node = await startTrunkNode(t)
  const { call, at } = await node.talking()
  await node.restartServer()
  const toPlatform = await at.received('INVITE')
  at.respond(200, { body: sdp(50_000) }, toPlatform)
  await at.received('ACK')
  call.accept(await call.received('INVITE'), '', 481)
  t.match(await node.journaled('contact.ended'), { endReason: 'sip_server_lost' })
  await at.received('BYE')
  t.equal(node.trunks.count, 0)
})

t.test('a call goes on through another SIP server when its own stays away', { skip }, async (t) => {
  const node = await startTrunkNode(t)
  const [caller, agent] = [await MediaParty.open(t), await MediaParty.open(t)]
  const { call, at, answer } = await node.talking(
    { body: sdp(caller.port) },
    { body: sdp(agent.port) },
  )
  const other = await node.addServer()
  caller.talk(audioPort(answer.body), 20_000)
  await node.stopServer()
  const toCaller = await call.received('INVITE')
  t.match(toCaller.headers.get('contact'), `127.0.0.1:${other}`, 'the peer is told where we are')
  t.equal(toCaller.body, answer.body)
  call.accept(toCaller, sdp(caller.port))
  const toPlatform = await at.received('INVITE')
  at.respond(200, { body: sdp(agent.port) }, toPlatform)
  await at.received('ACK')
  await call.received('ACK')
  caller.stop()
  await node.trunks.drain()
  await at.received('BYE')
  await call.received('BYE')
  t.match(await node.journaled('contact.ended'), { endReason: 'shutdown' })
  // Its framework tries on until it finds the server.
  await node.restartServer()
})

t.test(
  'where the server only lost sight of us, parties are asked whether they are there',
  async (t) => {
    const node = await startTrunkNode(t)
    const { call, at, answer } = await node.talking({ headers: ['Supported: timer'] })
    t.equal(answer.headers.get('session-expires'), '1800;refresher=uac')
    await node.cutConnection()
    const refresh = await call.received('INVITE')
    t.equal(refresh.headers.get('session-expires'), '1800;refresher=uac', 'now it is our turn')
    t.equal(refresh.body, answer.body)
    call.accept(refresh, sdp(40_000))
    await call.received('ACK')
    t.equal(node.trunks.count, 1)
    t.equal((await call.bye()).status, 481, 'the server knows nobody who would hear it')
    t.match(await node.journaled('contact.ended'), { endReason: 'sip_server_lost' })
    await at.received('BYE')
  },
)

t.test(
  'a call that cannot be renewed goes on until its parties are silent',
  { skip },
  async (t) => {
    const node = await startTrunkNode(t)
    const [caller, agent] = [await MediaParty.open(t), await MediaParty.open(t)]
    const { answer } = await node.talking({ body: sdp(caller.port) }, { body: sdp(agent.port) })
    await node.restartServer()
    const from = agent.heard.length
    caller.talk(audioPort(answer.body), 600)
    await agent.hears(10, from)
    t.equal(node.trunks.count, 1, 'the parties talk on')
    caller.stop()
    t.match(await node.journaled('recording.ended'), { state: /^(complete|partial)$/ })
    t.match(await node.journaled('contact.ended'), { endReason: 'sip_server_lost' })
    t.equal(node.trunks.count, 0)
  },
)
