import t from 'tap'
import { messageOf, type RawClient, shapeOf, transactionIn } from './raw-client.ts'
import { headerOf, SDP, sipRequest, sipResponse, tagIn } from './sip-text.ts'
import { startServer } from './test-server.ts'
import { UdpPeer } from './udp-peer.ts'

/** A client answers as drachtio-srf does: names in lower case, the request's From and To repeated. */
function answerText(request: string, line: string, body = ''): string {
  return [
    `SIP/2.0 ${line}`,
    `Call-ID: ${headerOf(request, 'Call-ID')}`,
    `cseq: ${headerOf(request, 'CSeq')}`,
    `from: ${headerOf(request, 'From')}`,
    `to: ${headerOf(request, 'To')}`,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n')
}

function namesOf(message: string): readonly string[] {
  const [head = ''] = message.split('\r\n\r\n', 1)
  return head
    .split('\r\n')
    .slice(1)
    .map((line) => line.slice(0, line.indexOf(':')))
}

async function answer(client: RawClient, frame: string, line: string, body = '') {
  client.send(`sip|${transactionIn(frame)}|\r\n${answerText(messageOf(frame), line, body)}`)
  return client.next()
}

t.test('the first words of a conversation', async (t) => {
  const { client, admin, udpPort, tcpPort } = await startServer(t)
  const addresses = `tcp/127.0.0.1:${tcpPort},udp/127.0.0.1:${udpPort}`
  t.equal(
    shapeOf(await client.ask(`authenticate|${admin.secret}|`)),
    `UUID|response|frame-1|OK|${addresses}|v0.9.10-tallenne|${addresses}`,
  )
  t.equal(shapeOf(await client.ask('route|options')), 'UUID|response|frame-2|OK')
  t.equal(shapeOf(await client.ask('remove_route|options')), 'UUID|response|frame-3|OK')
  t.equal(shapeOf(await client.ask('ping')), 'UUID|response|frame-4|OK|pong')
})

t.test('a call that a peer begins: its frames have the recorded fields', async (t) => {
  const { client, peer, send, udpPort } = await startServer(t, { methods: ['invite'] })
  const { port } = peer
  const invite = sipRequest({ port, body: SDP })
  send(invite)
  const offered = await client.next()
  t.equal(
    shapeOf(offered),
    `UUID|sip|network|${invite.length}|udp|127.0.0.1|${port}|TIME|UUID||127.0.0.1|${udpPort}|`,
  )
  const stamped = invite.replace('branch=z9hG4bK-INVITE-1', `branch=z9hG4bK-INVITE-1;rport=${port}`)
  t.equal(messageOf(offered), stamped)

  const id = 'call-1@127.0.0.1;from-tag=from-1'
  const answered = await answer(client, offered, '200 OK', SDP)
  const ok = messageOf(answered)
  t.match(
    shapeOf(answered),
    `|OK|application|${ok.length}|udp|127.0.0.1|${port}|TIME|UUID|${id}||Msg sent:|`,
  )
  t.same(namesOf(ok), [
    'Via',
    'From',
    'To',
    'Call-ID',
    'CSeq',
    'Contact',
    'Content-Type',
    'Content-Length',
  ])
  t.equal(headerOf(ok, 'Contact'), `<sip:127.0.0.1:${udpPort}>`)
  t.equal(await peer.nextThat(/ 200 /), ok, 'and it is what was sent')

  const toTag = tagIn(headerOf(ok, 'To'))
  const ack = sipRequest({ method: 'ACK', port, toTag, branch: 'z9hG4bK-ack' })
  send(ack)
  const acknowledged = await client.next()
  t.equal(
    shapeOf(acknowledged),
    `UUID|sip|network|${ack.length}||127.0.0.1|${port}|TIME|UUID|${id}|`,
  )
  t.equal(transactionIn(acknowledged), transactionIn(offered), 'the ACK has the id of its INVITE')

  const again = sipRequest({ port, toTag, sequence: 2, branch: 'z9hG4bK-2', body: SDP })
  send(again)
  const modified = await client.next()
  t.equal(
    shapeOf(modified),
    `UUID|sip|network|${again.length}|udp|127.0.0.1|${port}|TIME|UUID|${id}|`,
  )
  const accepted = await answer(client, modified, '200 OK', SDP)
  t.match(shapeOf(accepted), `|udp|127.0.0.1|${port}|TIME|UUID|${id}||Msg sent:|`)
  send(sipRequest({ method: 'ACK', port, toTag, sequence: 2, branch: 'z9hG4bK-ack2' }))
  const reacknowledged = await client.next()
  t.match(shapeOf(reacknowledged), `||127.0.0.1|${port}|TIME|UUID|${id}|`)
  t.not(transactionIn(reacknowledged), transactionIn(modified), 'that of a re-INVITE has its own')

  send(sipRequest({ method: 'BYE', port, toTag, sequence: 3 }))
  const ended = await client.next()
  t.match(shapeOf(ended), `|udp|127.0.0.1|${port}|TIME|UUID|${id}|`)
  const bye = await answer(client, ended, '200 OK')
  t.match(
    shapeOf(bye),
    `|OK|application|${messageOf(bye).length}||127.0.0.1|${port}|TIME|UUID|||Msg sent:|`,
  )
})

t.test('a request outside of a dialog: no dialog, no protocol in the answer', async (t) => {
  const { client, peer, send, udpPort } = await startServer(t, { methods: ['options'] })
  const { port } = peer
  send(sipRequest({ method: 'OPTIONS', port }))
  const offered = await client.next()
  t.match(shapeOf(offered), `|udp|127.0.0.1|${port}|TIME|UUID||127.0.0.1|${udpPort}|`)
  const sent = await answer(client, offered, '200 OK')
  t.match(shapeOf(sent), `||127.0.0.1|${port}|TIME|UUID|||Msg sent:|`)
  t.same(namesOf(messageOf(sent)), ['Via', 'From', 'To', 'Call-ID', 'CSeq', 'Content-Length'])
})

t.test('a call that a client begins: its frames have the recorded fields', async (t) => {
  const { client, udpPort } = await startServer(t, { methods: [] })
  const platform = await UdpPeer.open()
  const target = `sip:platform@127.0.0.1:${platform.port}`
  client.send(
    [
      `sip||\r\nINVITE ${target} SIP/2.0`,
      'from: sip:+12025550100@localhost',
      'contact: sip:+12025550100@localhost',
      `Content-Length: ${SDP.length}`,
      '',
      SDP,
    ].join('\r\n'),
  )
  const sent = await client.next()
  const invite = messageOf(sent)
  t.equal(
    shapeOf(sent),
    `UUID|response|frame-2|OK|application|${invite.length}|udp|127.0.0.1|${udpPort}|TIME|UUID|Msg sent:|`,
  )
  t.same(namesOf(invite), [
    'Via',
    'Max-Forwards',
    'From',
    'To',
    'Call-ID',
    'CSeq',
    'Contact',
    'Content-Type',
    'Content-Length',
  ])
  t.match(headerOf(invite, 'Via'), `SIP/2.0/UDP 127.0.0.1:${udpPort};rport;branch=z9hG4bK`)
  t.match(headerOf(invite, 'From'), `<sip:+12025550100@127.0.0.1:${udpPort}>;tag=`)
  t.equal(headerOf(invite, 'To'), `<${target}>`)
  t.equal(headerOf(invite, 'Contact'), `<sip:+12025550100@127.0.0.1:${udpPort}>`)
  t.equal(await platform.next(), invite)

  const id = `${headerOf(invite, 'Call-ID')};from-tag=${tagIn(headerOf(invite, 'From'))}`
  const transaction = sent.split('|')[10]
  platform.send(sipResponse(invite, { status: 100, reason: 'Trying' }), udpPort)
  const headers = [`Contact: <${target}>`]
  const ringing = sipResponse(invite, { status: 180, reason: 'Ringing', toTag: 'uas0', headers })
  platform.send(ringing, udpPort)
  const rang = await client.next()
  t.equal(
    shapeOf(rang.replace(id, 'ID')),
    `UUID|sip|network|${ringing.length}|udp|127.0.0.1|${platform.port}|TIME|UUID|ID|`,
  )
  t.equal(transactionIn(rang), transaction)
  t.equal(messageOf(rang), ringing, 'the 100 before it stays here')
  const ok = sipResponse(invite, { status: 200, reason: 'OK', toTag: 'uas0', headers, body: SDP })
  platform.send(ok, udpPort)
  t.equal(messageOf(await client.next()), ok)

  client.send(`sip||${id}\r\nACK ${target} SIP/2.0\r\nContent-Length: 0\r\n\r\n`)
  const acked = await client.next()
  const ack = messageOf(acked)
  t.match(
    shapeOf(acked),
    `|OK|application|${ack.length}|udp|127.0.0.1|${udpPort}|TIME|UUID|Msg sent:|`,
  )
  t.equal(headerOf(ack, 'CSeq'), headerOf(invite, 'CSeq')?.replace('INVITE', 'ACK'))
  t.equal(headerOf(ack, 'To'), `<${target}>;tag=uas0`)
  t.equal(await platform.next(), ack)
  platform.send(ok, udpPort)
  t.equal(await platform.next(), ack, 'a repeated 200 brings the same ACK')

  client.send(`sip||${id}\r\nBYE sip:placeholder SIP/2.0\r\nContent-Length: 0\r\n\r\n`)
  const byeSent = messageOf(await client.next())
  t.match(byeSent, `BYE ${target} SIP/2.0`)
  const number = Number.parseInt(headerOf(invite, 'CSeq') ?? '', 10)
  t.equal(headerOf(byeSent, 'CSeq'), `${number + 1} BYE`)
  await platform.close()
  const refused = await client.next()
  t.equal(shapeOf(refused.replace(id, 'ID')), 'UUID|sip|network|0|udp||0|TIME|UUID|ID|')
  t.equal(
    messageOf(refused),
    [
      'SIP/2.0 503 Service Unavailable',
      `Via: ${headerOf(byeSent, 'Via')}`,
      `From: ${headerOf(byeSent, 'From')}`,
      `To: ${target};tag=uas0`,
      `Call-ID: ${headerOf(byeSent, 'Call-ID')}`,
      `CSeq: ${number + 1} BYE`,
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
    'a closed port is told of as the recorded server does',
  )
})
