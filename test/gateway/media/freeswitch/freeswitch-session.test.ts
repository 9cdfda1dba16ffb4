import t, { type Test } from 'tap'
import { until } from '../../../until.ts'
import { answeredLines, metadata, offer } from '../../recording-offer.ts'
import { srtpProtector } from '../../srtp.ts'
import { talkOn } from '../../talk-on.ts'
import { realServers } from './media-node.ts'
import { invite, linesOf, openParties, speakTo, talk } from './session-client.ts'
import { type SessionNode, startSessionNode } from './session-node.ts'

const KEY = 'WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz'
const CRYPTO = `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}`

/** What is the same on the stand-in and on the real servers. */
function common(name: string, real: boolean, skip: string | false) {
  const check = (what: string, body: (t: Test, node: SessionNode) => Promise<void>) =>
    t.test(`${what} (${name})`, { skip }, async (t) => body(t, await startSessionNode(t, { real })))

  check('two lines are answered as two, and each party lands on its channel', async (t, node) => {
    const parties = await openParties(t)
    const [first, second] = linesOf(parties)
    const video = { port: 40_010, media: 'video', payloadTypes: '97' }
    const call = node.peer.call(invite(offer([first, video, second]), 'whole'))
    const answer = await call.invite()
    t.equal(answer.status, 200)
    t.match(answeredLines(answer.body), [
      { media: 'audio', direction: 'recvonly' },
      { media: 'video', port: 0 },
      { media: 'audio', direction: 'recvonly' },
    ])
    t.same(answer.body.match(/a=label:\d/g), ['a=label:1', 'a=label:2'])
    t.notMatch(answer.body, /crypto/)
    t.equal(node.pool.servers[0]?.endpoints, 2)
    speakTo(parties, answer.body)
    await talkOn(2000)
    await call.bye()
    const outcome = await node.judged()
    t.match(outcome, { verdict: 'complete', reasons: [] })
    t.ok(outcome.durationMs >= 1900, `${outcome.durationMs} ms`)
    const [caller, agent] = node.tonesOf(outcome.recordingId)
    t.ok(caller > 0.3 && agent > 0.3, `tones ${caller} ${agent}`)
    t.same(node.failures, [])
    await node.released()
  })

  check('secure lines are answered with keys, and decrypted', async (t, node) => {
    const parties = await openParties(t, srtpProtector(KEY))
    const secure = { protocol: 'RTP/SAVP', attributes: [CRYPTO] }
    const call = node.peer.call(invite(offer(linesOf(parties, secure)), 'secure'))
    const answer = await call.invite()
    t.equal(answer.status, 200)
    t.equal(answer.body.match(/^m=audio \d+ RTP\/SAVP 0/gm)?.length, 2)
    t.equal(answer.body.match(/^a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:/gm)?.length, 2)
    speakTo(parties, answer.body)
    await talkOn(1500)
    await call.bye()
    const outcome = await node.judged()
    t.equal(outcome.verdict, 'complete')
    const [caller, agent] = node.tonesOf(outcome.recordingId)
    t.ok(caller > 0.3 && agent > 0.3, `tones ${caller} ${agent}`)
    await node.released()
  })

  check('a codec that FreeSWITCH alone decodes is taken, and no other', async (t, node) => {
    const parties = await openParties(t)
    const wide = node.peer.call(invite(offer(linesOf(parties, { payloadTypes: '18 9' })), 'wide'))
    const answer = await wide.invite()
    t.equal(answer.body.match(/^m=audio \d+ RTP\/AVP 9\b/gm)?.length, 2)
    await wide.bye()
    const none = node.peer.call(invite(offer(linesOf(parties, { payloadTypes: '18' })), 'none'))
    t.equal((await none.invite()).status, 488)
    const keyless = linesOf(parties, { protocol: 'RTP/SAVP' })
    t.equal((await node.peer.call(invite(offer(keyless), 'keyless')).invite()).status, 488)
    await node.released()
  })

  check('what is said on hold is not recorded', async (t, node) => {
    const { call, parties } = await talk(t, node, 'hold')
    await talkOn(600)
    const held = linesOf(parties, { direction: 'inactive' })
    const hold = await call.reinvite({ body: offer(held, 2) })
    t.match(answeredLines(hold.body), [{ direction: 'inactive' }, { direction: 'inactive' }])
    t.equal(node.sessions.list()[0]?.isHeld, true)
    await talkOn(600)
    const resume = await call.reinvite({ body: offer(linesOf(parties), 3) })
    t.match(answeredLines(resume.body), [{ direction: 'recvonly' }, { direction: 'recvonly' }])
    await talkOn(600)
    await call.bye()
    const outcome = await node.judged()
    t.equal(outcome.verdict, 'complete')
    t.equal(outcome.streams.length, 2)
    for (const { whileInactive } of outcome.streams) {
      t.ok(whileInactive > 15 && whileInactive < 60, `${whileInactive} frames on hold`)
    }
    await node.released()
  })

  check('lines change their address, go, and come again', async (t, node) => {
    const { call, parties, answer } = await talk(t, node, 'lines')
    const [first, second] = linesOf(parties)
    const moved = await call.reinvite({ body: offer([{ ...first, port: 49_000 }, second], 2) })
    t.same(
      answeredLines(moved.body).map(({ port }) => port),
      answeredLines(answer.body).map(({ port }) => port),
    )
    await talkOn(1000)
    const alone = await call.reinvite({ body: offer([first, { ...second, port: 0 }], 3) })
    t.equal(answeredLines(alone.body)[1]?.port, 0)
    await until(() => node.pool.servers[0]?.endpoints === 1)
    const third = { port: 49_004, label: '3' }
    const three = await call.reinvite({ body: offer([first, second, third], 4) })
    t.equal(answeredLines(three.body).filter(({ port }) => port > 0).length, 3)
    t.equal(node.pool.servers[0]?.endpoints, 3)
    await talkOn(300)
    await call.bye()
    const { streams } = await node.judged()
    t.same(
      streams.map(({ streamId }) => streamId),
      ['1', '2', '3'],
    )
    for (const { placed } of streams.slice(0, 2)) t.ok(placed > 40, `${placed} frames`)
    await node.released()
  })

  check('a client without an offer gets one, and its ACK is the answer', async (t, node) => {
    const parties = await openParties(t)
    const call = node.peer.call({ callId: 'delayed' })
    call.sendInvite()
    const response = await call.response('INVITE')
    t.match(answeredLines(response.body), [{ direction: 'recvonly' }, { direction: 'recvonly' }])
    t.match(response.body, /^m=audio \d+ RTP\/AVP .*\b8\b/m)
    call.ack(response, offer(linesOf(parties)))
    await until(() => node.sessions.list()[0]?.isHeld === false)
    speakTo(parties, response.body)
    await talkOn(1200)
    await call.bye()
    const outcome = await node.judged()
    const [caller, agent] = node.tonesOf(outcome.recordingId)
    t.ok(caller > 0.3 && agent > 0.3, `tones ${caller} ${agent}`)
    await node.released()
  })

  check('metadata that comes later turns the channels round', async (t, node) => {
    const parties = await openParties(t)
    const call = node.peer.call({
      callId: 'roles',
      to: 'sip:+12025550100@127.0.0.1',
      body: offer(linesOf(parties)),
    })
    const answer = await call.invite()
    speakTo(parties, answer.body)
    const calling = '<extensiondata><callingParty>true</callingParty></extensiondata>'
    const crossed = metadata()
      .replaceAll(/<label>(\d)</g, (_label, digit) => `<label>${3 - digit}<`)
      .replace('</participant>', `${calling}</participant>`)
    const type = 'application/rs-metadata+xml'
    call.request('UPDATE', { contentType: type, body: crossed })
    t.equal((await call.response('UPDATE')).status, 200)
    await talkOn(1500)
    await call.bye()
    const outcome = await node.judged()
    const [caller, agent] = node.tonesOf(outcome.recordingId, [1000, 440])
    t.ok(caller > 0.3 && agent > 0.3, `tones ${caller} ${agent}`)
  })

  check('a CANCEL leaves nothing behind', async (t, node) => {
    const parties = await openParties(t)
    const call = node.peer.call(invite(offer(linesOf(parties)), 'cancelled'))
    call.sendInvite()
    call.cancel()
    const response = await call.answered()
    if (response.status === 200) await call.bye()
    await until(() => node.endReasons().length === 1)
    await node.released()
  })

  check('twenty sessions one after the other leave nothing behind', async (t, node) => {
    const parties = await openParties(t)
    for (let count = 0; count < 20; count++) {
      const call = node.peer.call(invite(offer(linesOf(parties)), `many-${count}`))
      t.equal((await call.invite()).status, 200)
      await call.bye()
    }
    await node.judged(20)
    await node.released()
  })
}

common('stand-in', false, false)
common(
  'real servers',
  true,
  realServers() === undefined
    ? 'TALLENNE_TEST_DRACHTIO and TALLENNE_TEST_FREESWITCH are not set'
    : false,
)
