import t from 'tap'
import { MediaParty } from './media-party.ts'
import { audioPort, sdp, startTrunkNode } from './trunk-node.ts'

const G729 = { formats: ['18 G729/8000', '101 telephone-event/8000'] }

t.test('both parties hear each other, and the recording is complete', async (t) => {
  const node = await startTrunkNode(t)
  const [caller, agent] = [await MediaParty.open(t), await MediaParty.open(t)]
  const { call, at, answer } = await node.talking(
    { body: sdp(caller.port) },
    { body: sdp(agent.port) },
  )
  caller.talk(audioPort(answer.body), 600)
  agent.talk(audioPort(at.invite.body), 1500)
  await Promise.all([caller.hears(50), agent.hears(50)])
  caller.stop()
  agent.stop()
  await Promise.all([caller.hears(agent.sent), agent.hears(caller.sent)])
  await call.bye()
  const ended = await node.journaled('recording.ended')
  t.match(ended, { state: 'complete', file: /^kept\// })
  const streams = Array.isArray(ended.media) ? ended.media : []
  t.match(streams, [
    { streamId: 'caller', relayed: caller.sent, unrelayed: 0 },
    { streamId: 'platform', relayed: agent.sent, unrelayed: 0 },
  ])
})

t.test('early media is heard before the call is answered', async (t) => {
  const node = await startTrunkNode(t)
  const [caller, agent] = [await MediaParty.open(t), await MediaParty.open(t)]
  const call = node.callTo([], sdp(caller.port))
  call.sendInvite()
  const at = await node.arrived()
  at.respond(183, { body: sdp(agent.port) })
  await node.caller.next(({ status }) => status === 183)
  agent.talk(audioPort(at.invite.body), 425)
  await caller.hears(5)
  await at.answer(sdp(agent.port))
  t.equal((await call.answered()).status, 200)
  await call.bye()
})

t.test('codecs that can be recorded are preferred where there are such', async (t) => {
  const node = await startTrunkNode(t)
  const formats = ['18 G729/8000', '8 PCMA/8000', '13 CN/8000', '101 telephone-event/8000']
  const { call, at } = await node.talking({ body: sdp(40_000, { formats }) })
  t.match(at.invite.body, /m=audio \d+ RTP\/AVP 8 13 101\r/)
  await call.bye()
})

t.test('a call that cannot be recorded goes on, and its contact says so', async (t) => {
  const node = await startTrunkNode(t)
  const [caller, agent] = [await MediaParty.open(t), await MediaParty.open(t)]
  const { call, at, answer } = await node.talking(
    { body: sdp(caller.port, G729) },
    { body: sdp(agent.port, G729) },
  )
  t.match(at.invite.body, /m=audio \d+ RTP\/AVP 18 101\r/)
  t.match(answer.body, /m=audio \d+ RTP\/AVP 18 101\r/)
  await call.bye()
  t.match(await node.journaled('recording.ended'), {
    state: 'failed',
    reasons: ['unrecordable_codec', 'no_media'],
  })
  t.equal(await node.metric('tallenne_trunk_unrecorded_total{code="codec"}'), 1)
})

t.test('a route that requires recording refuses what cannot be recorded', async (t) => {
  const node = await startTrunkNode(t, { route: { recording: 'require' } })
  const call = node.callTo([], sdp(40_000, G729))
  call.sendInvite()
  t.equal((await call.answered()).status, 488)
  t.match(await node.journaled('contact.ended'), { endReason: 'refused_488' })
  const good = await node.talking()
  t.equal((await good.call.reinvite({ body: sdp(40_000, { ...G729, version: 2 }) })).status, 488)
  t.equal((await good.call.bye()).status, 200)
})

t.test('a route that requires recording refuses calls while nothing can be recorded', async (t) => {
  const strict = await startTrunkNode(t, { obstacle: {}, route: { recording: 'require' } })
  const refused = strict.callTo()
  refused.sendInvite()
  const { status, headers } = await refused.answered()
  t.equal(status, 503)
  t.equal(headers.get('retry-after'), '30')
  t.match(await strict.journaled('contact.ended'), { endReason: 'refused_503' })
})

t.test('a route that prefers recording takes calls while nothing can be recorded', async (t) => {
  const node = await startTrunkNode(t, { obstacle: {} })
  const [caller, agent] = [await MediaParty.open(t), await MediaParty.open(t)]
  const { call, answer } = await node.talking({ body: sdp(caller.port) }, { body: sdp(agent.port) })
  caller.talk(audioPort(answer.body), 600)
  await agent.hears(10)
  t.equal((await call.bye()).status, 200)
  t.match(await node.journaled('recording.ended'), { state: 'failed', reasons: ['disk_full'] })
})

t.test('what would be lost with the process is recorded all the same', async (t) => {
  const node = await startTrunkNode(t, { obstacle: { kind: 'certainty', resource: 'journal' } })
  const { call } = await node.talking()
  t.equal((await call.bye()).status, 200)
  t.match(await node.journaled('recording.ended'), { reasons: ['no_media'] })
})

t.test('a node without room lets the parties of a call send to each other', async (t) => {
  const room = { kind: 'room', resource: 'engines', reason: 'engine_overload' } as const
  const node = await startTrunkNode(t, { obstacle: room })
  const { call, at } = await node.talking()
  t.match(at.invite.body, /m=audio 40000 /, 'the caller’s own description')
  await call.bye()
  t.match(await node.journaled('recording.ended'), {
    state: 'failed',
    reasons: ['engine_overload'],
  })
  const strict = await startTrunkNode(t, { obstacle: room, route: { withoutMedia: 'refuse' } })
  const refused = strict.callTo()
  refused.sendInvite()
  t.equal((await refused.answered()).status, 503)
})

t.test('a route that never records leaves a contact without a recording', async (t) => {
  const node = await startTrunkNode(t, { route: { recording: 'off' } })
  const [caller, agent] = [await MediaParty.open(t), await MediaParty.open(t)]
  const { call, answer } = await node.talking({ body: sdp(caller.port) }, { body: sdp(agent.port) })
  caller.talk(audioPort(answer.body), 600)
  await agent.hears(10)
  await call.bye()
  await node.journaled('contact.ended')
  t.notOk(node.entries.some(({ kind }) => kind.startsWith('recording')))
})

t.test('video is refused, and the audio beside it is passed on', async (t) => {
  const node = await startTrunkNode(t)
  const video = ['m=video 40002 RTP/AVP 96', 'a=rtpmap:96 H264/90000']
  const { call, at, answer } = await node.talking(
    { body: sdp(40_000, { extra: video }) },
    { body: sdp(50_000, { extra: ['m=video 0 RTP/AVP 96'] }) },
  )
  t.match(at.invite.body, /m=audio [1-9]\d+ [^\r]+\r\n(?:a=[^\r]+\r\n)+m=video 0 RTP\/AVP 96\r\n$/)
  t.match(answer.body, /m=video 0 RTP\/AVP 96\r\n$/)
  await call.bye()
})

t.test('an offer without audio that could pass is refused', async (t) => {
  const node = await startTrunkNode(t)
  const call = node.callTo([], sdp(0))
  call.sendInvite()
  t.equal((await call.answered()).status, 488)
})

t.test('a call whose engine dies goes on in another, in a second recording', async (t) => {
  const node = await startTrunkNode(t, { engineMayDie: true })
  const [caller, agent] = [await MediaParty.open(t), await MediaParty.open(t)]
  const { call, at, answer } = await node.talking(
    { body: sdp(caller.port) },
    { body: sdp(agent.port) },
  )
  caller.talk(audioPort(answer.body), 600)
  await agent.hears(5)
  node.killEngine()
  const [toCaller, toPlatform] = await Promise.all([call.received('INVITE'), at.received('INVITE')])
  t.not(audioPort(toCaller.body), audioPort(answer.body))
  node.caller.respond(
    toCaller,
    200,
    [`Contact: <sip:client@127.0.0.1:${node.caller.port}>`, 'Content-Type: application/sdp'],
    sdp(caller.port, { version: 2 }),
  )
  at.respond(200, { body: sdp(agent.port, { version: 2 }) }, toPlatform)
  await Promise.all([call.received('ACK'), at.received('ACK')])
  const from = agent.heard.length
  caller.talk(audioPort(toCaller.body), 600)
  await agent.hears(10, from)
  const lost = await node.journaled('recording.ended')
  t.ok(lost.reasons.includes('engine_failed'))
  t.equal((await call.bye()).status, 200)
  const second = await node.journaled('recording.ended', 2)
  t.not(second.recordingId, lost.recordingId)
  t.match(await node.journaled('contact.ended'), { endReason: 'bye' })
})

t.test(
  'a call that there is no room for goes on between the parties, and its contact says so',
  async (t) => {
    const node = await startTrunkNode(t, { maxRecordings: 1 })
    const first = await node.talking()
    const { call, at, answer } = await node.talking()
    t.equal(audioPort(at.invite.body), 40_000)
    t.equal(audioPort(answer.body), 50_000)
    const answered = call.reinvite({ body: sdp(40_100, { direction: 'sendonly', version: 2 }) })
    const passed = await at.received('INVITE')
    t.equal(audioPort(passed.body), 40_100)
    at.respond(200, { body: sdp(50_000, { direction: 'recvonly', version: 2 }) }, passed)
    t.match((await answered).body, /a=recvonly/)
    t.equal((await call.bye()).status, 200)
    t.match(await node.journaled('recording.ended'), { state: 'failed' })
    t.equal(await node.metric('tallenne_trunk_unrecorded_total'), 1)
    t.equal((await first.call.bye()).status, 200)
  },
)

for (const route of [{ withoutMedia: 'refuse' }, { recording: 'require' }] as const) {
  const name = Object.entries(route).flat().join(': ')
  t.test(`where there is no room, the call is left to another node (${name})`, async (t) => {
    const node = await startTrunkNode(t, { maxRecordings: 1, route })
    const first = await node.talking()
    const call = node.callTo()
    call.sendInvite()
    const refusal = await call.answered()
    t.equal(refusal.status, 503)
    t.equal(refusal.headers.get('retry-after'), '5')
    await first.call.bye()
  })
}
