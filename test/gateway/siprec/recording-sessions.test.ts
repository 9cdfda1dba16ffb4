import t from 'tap'
import type { JournalEntry } from '../../../storage/model.ts'
import { until } from '../../until.ts'
import { answeredLines, bothBodies, MULTIPART, metadata, offer } from '../recording-offer.ts'
import { startSignallingNode } from '../signalling-node.ts'
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

t.test('a recording session is answered, journaled and given a verdict', async (t) => {
  const { peer, entries, journaled, heard } = await startNode(t)
  const call = peer.call({ callId: 'whole', ...invite })
  const response = await call.invite()
  t.equal(response.status, 200)
  t.match(response.headers.get('contact'), /^<sip:recorder@127\.0\.0\.1:\d+>;\+sip\.srs$/)
  t.match(response.headers.get('supported'), /siprec/)
  t.match(response.headers.get('allow'), /UPDATE/)
  t.match(response.headers.get('accept'), /application\/rs-metadata\+xml/)
  t.equal(response.headers.get('content-type'), 'application/sdp')
  t.match(answeredLines(response.body), [
    { media: 'audio', direction: 'recvonly' },
    { media: 'audio', direction: 'recvonly' },
  ])
  t.match(await journaled('contact.started'), {
    callId: 'whole',
    capture: 'siprec',
    caller: { e164: '+12025550147' },
    serviceNumber: { e164: '+12025550100' },
    serviceLine: 'asiakastuki',
    agent: '2000',
  })
  t.equal((await call.bye()).status, 200)
  t.match(await journaled('contact.ended'), { endReason: 'bye' })
  t.strictSame(
    entries.map(({ kind }) => kind),
    [
      'contact.started',
      'contact.answered',
      'segment.started',
      'recording.started',
      'recording.ended',
      'segment.ended',
      'contact.ended',
    ],
  )
  const recording = await journaled('recording.ended')
  t.match(recording, { state: 'complete', file: `kept/${recording.recordingId}.opus` })
  t.strictSame(heard, ['arrived', 'answered', 'complete', 'bye'])
})

t.test('hold is answered inactive, and resume recvonly again', async (t) => {
  const { peer, sessions } = await startNode(t)
  const call = peer.call({ callId: 'hold', ...invite })
  await call.invite()
  const held = two.map((line) => ({ ...line, direction: 'inactive' as const }))
  const hold = await call.reinvite({ body: offer(held, 2) })
  t.match(answeredLines(hold.body), [{ direction: 'inactive' }, { direction: 'inactive' }])
  t.equal(sessions.list()[0]?.isHeld, true)
  const resume = await call.reinvite({ body: offer(two, 3) })
  t.match(answeredLines(resume.body), [{ direction: 'recvonly' }, { direction: 'recvonly' }])
  t.equal(sessions.list()[0]?.isHeld, false)
  await call.bye()
})

t.test('a re-INVITE with the same description is a refresh and gets the same answer', async (t) => {
  const { peer } = await startNode(t)
  const call = peer.call({ callId: 'refresh', ...invite })
  const first = await call.invite()
  const again = await call.reinvite({ body: offer(two) })
  t.equal(again.status, 200)
  t.equal(again.body, first.body)
  await call.bye()
})

t.test('video is refused in its place', async (t) => {
  const { peer } = await startNode(t)
  const [first, second] = two
  const body = offer([
    { ...first, port: 40_000 },
    { port: 40_010, media: 'video', payloadTypes: '97' },
    { ...second, port: 40_002 },
  ])
  const call = peer.call({ callId: 'video', body })
  const response = await call.invite()
  t.match(answeredLines(response.body), [
    { media: 'audio', direction: 'recvonly' },
    { media: 'video', port: 0 },
    { media: 'audio', direction: 'recvonly' },
  ])
  await call.bye()
})

t.test('an offer without a codec that can be decoded is refused with 488', async (t) => {
  const { peer, journaled } = await startNode(t)
  const call = peer.call({ callId: 'codec', body: offer([{ port: 40_000, payloadTypes: '18' }]) })
  t.equal((await call.invite()).status, 488)
  t.match(await journaled('contact.ended'), { endReason: 'no_decodable_codec' })
})

t.test('a call that does not fit is refused with 503 and Retry-After', async (t) => {
  const { peer, journaled } = await startSignallingNode(t, { maxRecordings: 1 })
  const first = peer.call({ callId: 'fits', ...invite })
  t.equal((await first.invite()).status, 200)
  const second = peer.call({ callId: 'does-not-fit', ...invite })
  const refusal = await second.invite()
  t.equal(refusal.status, 503)
  t.equal(refusal.headers.get('retry-after'), '5')
  t.match(await journaled('contact.ended'), { endReason: 'refused_503' })
  await first.bye()
})

t.test(
  'a client that offers nothing is offered two streams, and its ACK is the answer',
  async (t) => {
    const { peer, sessions, journaled } = await startNode(t)
    const call = peer.call({ callId: 'delayed' })
    call.sendInvite()
    const response = await call.response('INVITE')
    t.equal(response.status, 200)
    t.match(answeredLines(response.body), [{ direction: 'recvonly' }, { direction: 'recvonly' }])
    t.equal(sessions.list()[0]?.isHeld, true)
    call.ack(response, offer([{ port: 40_000 }, { port: 40_002 }]))
    await until(() => sessions.list()[0]?.isHeld === false)
    await call.bye()
    t.match(await journaled('contact.ended'), { endReason: 'bye' })
  },
)

t.test('a re-INVITE whose ACK brings no answer leaves the recording as it was', async (t) => {
  const { peer, sessions, journaled } = await startNode(t)
  const call = peer.call({ ...invite, callId: 'empty-ack' })
  t.equal((await call.invite()).status, 200)
  t.match((await call.reinvite({ body: '', headers: [] })).body, /^a=recvonly\r$/m)
  call.request('INFO')
  t.equal((await call.response('INFO')).status, 200)
  t.equal(sessions.list()[0]?.state, 'established')
  await call.bye()
  t.match(await journaled('contact.ended'), { endReason: 'bye' })
})

t.test('an INVITE that names a description and leaves it out is offered two streams', async (t) => {
  const { peer, journaled } = await startNode(t)
  const call = peer.call({ callId: 'named', headers: ['Content-Type: application/sdp'] })
  call.sendInvite()
  const response = await call.response('INVITE')
  t.equal(response.status, 200)
  call.ack(response, offer([{ port: 40_000 }, { port: 40_002 }]))
  await call.bye()
  t.match(await journaled('contact.ended'), { endReason: 'bye' })
})

t.test('an ACK without the answer that was due ends the session', async (t) => {
  const { peer, journaled } = await startNode(t)
  const call = peer.call({ callId: 'no-answer' })
  call.sendInvite()
  await call.answered()
  await call.received('BYE')
  t.match(await journaled('contact.ended'), { endReason: 'no_answer_in_ack' })
})

t.test('metadata that comes later changes the contact and begins another segment', async (t) => {
  const { peer, journaled } = await startNode(t)
  const call = peer.call({ callId: 'later', to: invite.to, body: offer(two) })
  await call.invite()
  t.match(await journaled('contact.started'), { agent: null })
  call.request('UPDATE', { contentType: 'application/rs-metadata+xml', body: metadata() })
  t.equal((await call.response('UPDATE')).status, 200)
  t.match(await journaled('contact.changed'), { caller: { e164: '+12025550147' }, agent: '2000' })
  t.match(await journaled('segment.started', 2), { agent: '2000' })
  await call.bye({ contentType: 'application/rs-metadata', body: metadata({ agent: '2001' }) })
  t.match(await journaled('contact.changed', 2), { agent: '2001' })
})

t.test('a call with broken or huge metadata is recorded all the same', async (t) => {
  const { peer, journaled } = await startNode(t)
  const bodies = [
    '<recording><unclosed',
    '',
    `<recording>${'<participant participant_id="x"/>'.repeat(1500)}</recording>`,
  ]
  for (const [at, xml] of bodies.entries()) {
    const call = peer.call({
      callId: `bad-${at}`,
      to: invite.to,
      contentType: MULTIPART,
      body: bothBodies(offer(two), xml),
    })
    t.equal((await call.invite()).status, 200)
    await call.bye()
    t.match(await journaled('recording.ended', at + 1), { state: 'complete' })
  }
})

t.test('a description that cannot be read is refused with 400', async (t) => {
  const { peer, journaled } = await startNode(t)
  const call = peer.call({ callId: 'unreadable', body: 'v=0\r\ns=-\r\n' })
  t.equal((await call.invite()).status, 400)
  t.match(await journaled('contact.ended'), { endReason: 'refused_400' })
})

t.test('the same call by another path is refused and leaves no second contact', async (t) => {
  const { peer, entries } = await startNode(t)
  const call = peer.call({ callId: 'twice', ...invite })
  await call.invite()
  const other = peer.call({ callId: 'twice', ...invite, fromTag: call.fromTag })
  t.equal((await other.invite()).status >= 400, true)
  t.equal(entries.filter(({ kind }) => kind === 'contact.started').length, 1)
  await call.bye()
})

t.test(
  'an INVITE without a sign of a recording session is answered 404 where such are refused, and leaves no contact',
  async (t) => {
    const { peer, entries, heard } = await startNode(t)
    const call = peer.call({ callId: 'plain', body: offer(two), isPlain: true })
    t.equal((await call.invite()).status, 404)
    t.strictSame(entries, [])
    t.strictSame(heard, ['unrouted'])
  },
)

t.test('an INVITE with plain SDP and nothing else is recorded where such are taken', async (t) => {
  const { peer, journaled, entries } = await startNode(t, { unmarked: 'record' })
  const call = peer.call({ callId: 'plain', body: offer(two), isPlain: true })
  const answer = await call.invite()
  t.equal(answer.status, 200)
  t.equal(answer.body.match(/^a=recvonly\r$/gm)?.length, 2)
  await call.bye()
  t.match(await journaled('contact.ended'), { endReason: 'bye' })
  t.equal(entries.filter(({ kind }) => kind === 'recording.ended').length, 1)
})

t.test('a CANCEL before the 200 is answered 487 and ends the contact', async (t) => {
  const { peer, journaled, entries, sessions } = await startNode(t)
  const call = peer.call({ ...invite, callId: 'slow' })
  call.sendInvite()
  await journaled('contact.started')
  call.cancel()
  t.equal((await call.response('CANCEL')).status, 200)
  t.equal((await call.answered()).status, 487)
  t.match(await journaled('contact.ended'), { endReason: 'cancelled' })
  t.equal(sessions.count, 0)
  t.strictSame(
    entries.map(({ kind }) => kind),
    ['contact.started', 'contact.ended'],
  )
})

t.test('a CANCEL that crosses the 200 changes nothing, and the BYE ends the call', async (t) => {
  const { peer, journaled } = await startNode(t)
  const call = peer.call({ callId: 'crossed', ...invite })
  call.sendInvite()
  const response = await call.response('INVITE')
  call.cancel()
  t.equal(response.status, 200)
  call.ack(response)
  t.equal((await call.bye()).status, 200)
  t.match(await journaled('contact.ended'), { endReason: 'bye' })
  t.match(await journaled('recording.ended'), { state: 'complete' })
})

t.test('a CANCEL right behind its INVITE leaves one contact with an end', async (t) => {
  const { peer, journaled, entries } = await startNode(t)
  const call = peer.call({ callId: 'cancel', ...invite })
  call.sendInvite()
  call.cancel()
  const response = await call.answered()
  if (response.status === 200) await call.bye()
  else t.equal(response.status, 487)
  const { endReason } = await journaled('contact.ended')
  t.equal(endReason, response.status === 200 ? 'bye' : 'cancelled')
  t.equal(entries.filter(({ kind }) => kind === 'contact.started').length, 1)
})

t.test('what is thrown in one call ends that call and touches no other', async (t) => {
  const curse = (entry: JournalEntry) => {
    if (entry.kind === 'contact.started' && entry.callId === 'cursed-early')
      throw new Error('early')
    if (entry.kind === 'contact.answered' && entry.contactId === cursedId) throw new Error('late')
    if (entry.kind === 'contact.started' && entry.callId === 'cursed-late') {
      cursedId = entry.contactId
    }
  }
  let cursedId = ''
  const { peer, journaled, sessions } = await startNode(t, { beforeAppend: curse })
  const healthy = peer.call({ callId: 'healthy', ...invite })
  await healthy.invite()
  const early = peer.call({ callId: 'cursed-early', ...invite })
  t.equal((await early.invite()).status, 500)
  const late = peer.call({ callId: 'cursed-late', ...invite })
  t.equal((await late.invite()).status, 200)
  t.match(await journaled('contact.ended'), { contactId: cursedId, endReason: 'internal_error' })
  t.strictSame(
    sessions.list().map(({ callId }) => callId),
    ['healthy'],
  )
  t.equal((await healthy.bye()).status, 200)
  t.match(await journaled('contact.ended', 2), { endReason: 'bye' })
})

t.test('OPTIONS tells what the gateway can do, in and out of a dialog', async (t) => {
  const { peer } = await startNode(t)
  const ping = peer.call({ callId: 'options' })
  ping.request('OPTIONS')
  const pong = await ping.response('OPTIONS')
  t.equal(pong.status, 200)
  t.match(pong.headers.get('allow'), /INVITE/)
  t.match(pong.headers.get('supported'), /siprec/)
  const call = peer.call({ callId: 'options-within', ...invite })
  await call.invite()
  for (const [method, status] of [
    ['OPTIONS', 200],
    ['INFO', 200],
    ['REFER', 405],
  ] as const) {
    call.request(method)
    t.equal((await call.response(method)).status, status)
  }
  await call.bye()
})

t.test('a session interval below the minimum is refused with 422 and no contact', async (t) => {
  const { peer, entries } = await startNode(t)
  const headers = ['Session-Expires: 60', 'Supported: timer']
  const call = peer.call({ callId: 'interval', ...invite, headers })
  const response = await call.invite()
  t.equal(response.status, 422)
  t.equal(response.headers.get('min-se'), '90')
  t.strictSame(entries, [])
})

t.test('a session that its client does not refresh is ended as expired', async (t) => {
  const { peer, journaled } = await startNode(t, { timer: { expiresS: 2, minS: 1 } })
  const headers = ['Session-Expires: 2;refresher=uac', 'Supported: timer']
  const call = peer.call({ callId: 'expiry', ...invite, headers })
  const response = await call.invite()
  t.equal(response.headers.get('session-expires'), '2;refresher=uac')
  t.equal(response.headers.get('require'), 'timer')
  await call.received('BYE')
  t.match(await journaled('recording.ended'), { reasons: ['session_expired'] })
  t.match(await journaled('contact.ended'), { endReason: 'session_expired' })
})

t.test('a session whose refresher is the recorder is refreshed by it', async (t) => {
  const { peer, journaled } = await startNode(t, { timer: { expiresS: 4, minS: 1 } })
  const headers = ['Session-Expires: 4;refresher=uas', 'Supported: timer']
  const call = peer.call({ callId: 'refresher', ...invite, headers })
  const answer = await call.invite()
  const refresh = await call.received('INVITE')
  t.equal(refresh.body, answer.body)
  t.match(refresh.headers.get('session-expires'), /^4;\s*refresher=uac$/)
  const contact = `Contact: <sip:client@127.0.0.1:${peer.port}>`
  peer.respond(refresh, 200, [contact, 'Content-Type: application/sdp'], offer(two))
  await call.received('ACK')
  await call.bye()
  t.match(await journaled('contact.ended'), { endReason: 'bye' })
})

t.test('a 200 that is never acknowledged ends the session', async (t) => {
  const { peer, journaled } = await startNode(t, { ackTimeoutMs: 300 })
  const call = peer.call({ callId: 'no-ack', ...invite })
  call.sendInvite()
  t.equal((await call.response('INVITE')).status, 200)
  t.match(await journaled('contact.ended'), { endReason: 'no_ack' })
})

t.test('an engine that dies costs no call: it goes on in a new recording', async (t) => {
  const { peer, plane, journaled } = await startSignallingNode(t)
  const call = peer.call({ callId: 'survivor', ...invite })
  await call.invite()
  const { recordingId } = await journaled('recording.started')
  await t.rejects(plane.open({ recordingId: 'killer', callId: 'die', streams: [] }))
  t.match(await journaled('recording.ended'), { recordingId, reasons: ['engine_failed'] })
  const reoffer = await call.received('INVITE')
  t.match(answeredLines(reoffer.body), [{ direction: 'recvonly' }, { direction: 'recvonly' }])
  const contact = `Contact: <sip:client@127.0.0.1:${peer.port}>`
  peer.respond(reoffer, 200, [contact, 'Content-Type: application/sdp'], offer(two))
  await call.received('ACK')
  await call.bye()
  t.match(await journaled('recording.ended', 2), { state: 'complete' })
  t.match(await journaled('contact.ended'), { endReason: 'bye' })
})

t.test('draining says BYE, gives a verdict, and refuses what comes', async (t) => {
  const { peer, sessions, journaled } = await startNode(t)
  const call = peer.call({ callId: 'drained', ...invite })
  await call.invite()
  await sessions.drain()
  await call.received('BYE')
  t.match(await journaled('recording.ended'), { reasons: ['shutdown'] })
  t.match(await journaled('contact.ended'), { endReason: 'shutdown' })
  const late = peer.call({ callId: 'late', ...invite })
  const refusal = await late.invite()
  t.equal(refusal.status, 503)
  t.equal(refusal.headers.get('retry-after'), '30')
  t.match(await journaled('contact.ended', 2), { endReason: 'refused_503' })
})

t.test('a session is refused while there is no room, and told when to come again', async (t) => {
  const { peer, journaled } = await startNode(t, { obstacle: { retryAfterS: 30 } })
  const { status, headers } = await peer.call({ callId: 'no-room', ...invite }).invite()
  t.equal(status, 503)
  t.equal(headers.get('retry-after'), '30')
  t.match(await journaled('contact.ended'), { endReason: 'refused_503' })
})
