import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { SystemClock } from '../../../base/clock.ts'
import { createSilentLog } from '../../../base/log.ts'
import { SipServer } from '../../../gateway/sip-server/sip-server.ts'
import { ManualClock } from '../../manual-clock.ts'
import { messageOf, RawClient, shapeOf, transactionIn } from './raw-client.ts'
import { headerOf, SDP, sipRequest, sipResponse, tagIn } from './sip-text.ts'
import { startServer } from './test-server.ts'

const FINAL = /^SIP\/2\.0 [2-6]/

function firstLine(text: string): string {
  return text.split('\r\n', 1)[0] ?? ''
}

t.test('a request that no client takes is answered, not left', async (t) => {
  const { peer, send } = await startServer(t)
  const { port } = peer
  const answers: Record<string, string> = {}
  const parts = [
    ['INVITE', {}],
    ['OPTIONS', {}],
    ['BYE', {}],
    ['UPDATE', {}],
    ['BYE', { toTag: 'unknown' }],
    ['INVITE', { toTag: 'unknown' }],
    ['CANCEL', {}],
    ['FROBNICATE', {}],
  ] as const
  for (const [index, [method, more]] of parts.entries()) {
    const at = { port, method, branch: `z9hG4bK-${index}`, callId: `call-${index}` }
    send(sipRequest({ ...at, ...more }))
    answers[`${method} ${'toTag' in more}`] = firstLine(await peer.nextThat(FINAL))
  }
  t.same(answers, {
    'INVITE false': 'SIP/2.0 503 Service Unavailable',
    'OPTIONS false': 'SIP/2.0 503 Service Unavailable',
    'BYE false': 'SIP/2.0 481 Call/Transaction Does Not Exist',
    'UPDATE false': 'SIP/2.0 481 Call/Transaction Does Not Exist',
    'BYE true': 'SIP/2.0 481 Call/Transaction Does Not Exist',
    'INVITE true': 'SIP/2.0 481 Call/Transaction Does Not Exist',
    'CANCEL false': 'SIP/2.0 481 Call/Transaction Does Not Exist',
    'FROBNICATE false': 'SIP/2.0 501 Not Implemented',
  })
})

t.test('a faulty request is refused with its fault, or dropped and counted', async (t) => {
  const { peer, send, client, server } = await startServer(t, { methods: ['options'] })
  const good = sipRequest({ method: 'OPTIONS', port: peer.port })
  send(good.replace('SIP/2.0\r\n', 'SIP/3.0\r\n'))
  t.equal(firstLine(await peer.next()), 'SIP/2.0 505 Version Not Supported')
  send(good.replace('CSeq: 1 OPTIONS', 'CSeq: 1 INVITE'))
  t.equal(firstLine(await peer.next()), 'SIP/2.0 400 CSeq Method Differs')
  send(good.replace('Content-Length: 0', 'Content-Length: 5'))
  const refused = await peer.next()
  t.equal(firstLine(refused), 'SIP/2.0 400 Content-Length Exceeds Datagram')
  t.match(headerOf(refused, 'To'), /;tag=/)
  send('rubbish')
  send(good.replace(/^Via.*\r\n/m, ''))
  send('\r\n\r\n')
  send(good)
  t.match(messageOf(await client.next()), /^OPTIONS /, 'what follows is served')
  t.same(server.counters.dropped, { bad_request: 3, no_start_line: 1 })
  t.same(server.counters.requestsReceived, { OPTIONS: 4 })
})

t.test('a repeated INVITE brings the same answer again and is offered once', async (t) => {
  const { peer, send, client, server } = await startServer(t, { methods: ['invite'] })
  const invite = sipRequest({ port: peer.port, body: SDP })
  send(invite)
  send(invite)
  t.match(firstLine(await peer.next()), '100 Trying')
  t.match(firstLine(await peer.next()), '100 Trying')
  const frame = await client.next()
  client.send(`sip|${transactionIn(frame)}|\r\nSIP/2.0 486 Busy Here\r\n\r\n`)
  t.match(shapeOf(await client.next()), '|OK|application|')
  const busy = await peer.next()
  send(invite)
  t.equal(await peer.next(), busy)
  send(
    sipRequest({
      method: 'ACK',
      port: peer.port,
      branch: 'z9hG4bK-INVITE-1',
      toTag: tagIn(headerOf(busy, 'To')),
    }),
  )
  send(sipRequest({ method: 'OPTIONS', port: peer.port, callId: 'other' }))
  t.match(firstLine(await peer.next()), '503')
  t.same(client.unread, [], 'neither the repetition nor the ACK of a refusal is told')
  t.equal(server.counters.retransmissionsReceived, 2)
})

t.test('the same request over another path is a loop', async (t) => {
  const { peer, send, client } = await startServer(t, { methods: ['invite'] })
  send(sipRequest({ port: peer.port }))
  await client.next()
  send(sipRequest({ port: peer.port, branch: 'z9hG4bK-other-path' }))
  t.equal(firstLine(await peer.nextThat(FINAL)), 'SIP/2.0 482 Request Merged')
})

t.test('CANCEL ends the INVITE at once and the client hears of it', async (t) => {
  const { peer, send, client } = await startServer(t, { methods: ['invite'] })
  const { port } = peer
  send(sipRequest({ port }))
  const offered = await client.next()
  const ringing = `sip|${transactionIn(offered)}|\r\nSIP/2.0 180 Ringing\r\n\r\n`
  client.send(ringing)
  await client.next()
  const tag = tagIn(headerOf(await peer.nextThat(/ 180 /), 'To'))
  const cancel = sipRequest({ method: 'CANCEL', port, branch: 'z9hG4bK-INVITE-1' })
  send(cancel)
  const first = await peer.next()
  t.match(first, /^SIP\/2\.0 200 OK\r\n[\s\S]*CSeq: 1 CANCEL/)
  t.equal(tagIn(headerOf(first, 'To')), tag)
  t.match(await peer.next(), /^SIP\/2\.0 487 Request Terminated\r\n[\s\S]*CSeq: 1 INVITE/)
  const told = await client.next()
  t.equal(
    shapeOf(told),
    `UUID|sip|network|${cancel.length}|udp|127.0.0.1|${port}|TIME|UUID|call-1@127.0.0.1;from-tag=from-1|`,
  )
  t.equal(transactionIn(told), transactionIn(offered))
  client.send(ringing.replace('180 Ringing', '200 OK'))
  t.match(shapeOf(await client.next()), /\|NOK\|Response not sent due to unknown transaction$/)
})

t.test('CANCEL after the answer finds nothing', async (t) => {
  const { peer, send, client } = await startServer(t, { methods: ['invite'] })
  send(sipRequest({ port: peer.port, body: SDP }))
  const offered = await client.next()
  client.send(`sip|${transactionIn(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n${SDP}`)
  await peer.nextThat(/ 200 /)
  send(sipRequest({ method: 'CANCEL', port: peer.port, branch: 'z9hG4bK-INVITE-1' }))
  t.match(firstLine(await peer.nextThat(FINAL)), ' 481 ')
})

t.test('without an ACK the call is ended and the client told', async (t) => {
  const clock = new ManualClock()
  const { peer, send, client, server } = await startServer(t, { clock, methods: ['invite'] })
  send(sipRequest({ port: peer.port, body: SDP }))
  const offered = await client.next()
  client.send(`sip|${transactionIn(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n${SDP}`)
  await client.next()
  t.equal(server.counters.dialogs, 1)
  clock.advance(32_000)
  const bye = await peer.nextThat(/^BYE/)
  t.equal(firstLine(bye), `BYE sip:platform@127.0.0.1:${peer.port} SIP/2.0`)
  t.equal(headerOf(bye, 'Reason'), 'SIP ;cause=200 ;text="ACK timeout"')
  const told = await client.next()
  t.match(
    shapeOf(told),
    /^UUID\|sip\|application\|\d+\|udp\|127\.0\.0\.1\|\d+\|TIME\|unsolicited\|/,
  )
  t.equal(messageOf(told), bye)
  t.equal(server.counters.dialogs, 0)
  t.equal(server.counters.retransmissionsSent, 10)
  send(sipResponse(bye, { status: 200, reason: 'OK' }))
})

t.test('a client that leaves leaves 503 behind', async (t) => {
  const { peer, send, client } = await startServer(t, { methods: ['invite'] })
  send(sipRequest({ port: peer.port }))
  await client.next()
  client.close()
  t.match(firstLine(await peer.nextThat(FINAL)), ' 503 ')
})

t.test('clients of one method take turns', async (t) => {
  const { peer, send, client, admin, server } = await startServer(t, { methods: ['options'] })
  const other = await RawClient.open(admin)
  t.teardown(() => other.close())
  await other.login(admin.secret, 'options')
  t.equal(server.counters.clients, 2)
  for (const index of [1, 2, 3, 4]) {
    send(
      sipRequest({
        method: 'OPTIONS',
        port: peer.port,
        branch: `z9hG4bK${index}`,
        callId: `c${index}`,
      }),
    )
  }
  const callIds = async (of: RawClient) => [
    headerOf(await of.next(), 'Call-ID'),
    headerOf(await of.next(), 'Call-ID'),
  ]
  t.same(await callIds(client), ['c1', 'c3'])
  t.same(await callIds(other), ['c2', 'c4'])
})

t.test(
  'a wrong secret is told so and shown the door, and nothing works before the right one',
  async (t) => {
    const { admin } = await startServer(t)
    for (const [words, answer] of [
      ['authenticate|wrong|', 'UUID|response|frame-1|NO|incorrect secret'],
      ['route|invite', 'UUID|response|frame-1|NO|not authenticated'],
    ] as const) {
      const client = await RawClient.open(admin)
      t.equal(shapeOf(await client.ask(words)), answer)
      await client.ended()
    }
    const hostile = await RawClient.open(admin)
    hostile.write('999999999#')
    await hostile.ended()
    t.pass('an absurd length closes the connection')
  },
)

t.test('TCP: a call is served on its connection, and keep-alives are answered', async (t) => {
  const { client, tcpPort, server } = await startServer(t, { methods: ['invite'] })
  const socket = connect(tcpPort, '127.0.0.1')
  await once(socket, 'connect')
  const port = socket.localPort ?? 0
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  const until = async (pattern: RegExp) => {
    while (!pattern.test(text)) await once(socket, 'data')
    const seen = text
    text = ''
    return seen
  }
  socket.write('\r\n\r\n')
  t.equal(await until(/^\r\n$/), '\r\n')
  const invite = sipRequest({ transport: 'TCP', port, body: SDP })
  socket.write(invite.slice(0, 100))
  socket.write(invite.slice(100))
  const offered = await client.next()
  t.match(shapeOf(offered), `|tcp|127.0.0.1|${port}|TIME|UUID||127.0.0.1|${tcpPort}|`)
  client.send(`sip|${transactionIn(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n${SDP}`)
  const ok = await until(/ 200 OK[\s\S]*sendrecv/)
  t.match(ok, `Contact: <sip:127.0.0.1:${tcpPort};transport=tcp>`)
  t.match(shapeOf(await client.next()), `|OK|application|`)
  const toTag = tagIn(/^To: (.*)$/m.exec(ok.slice(ok.indexOf(' 200 OK')))?.[1]?.trim())
  socket.write(sipRequest({ method: 'ACK', transport: 'TCP', port, toTag, branch: 'z9hG4bKa' }))
  await client.next()
  client.send('sip||call-1@127.0.0.1;from-tag=from-1\r\nBYE sip:placeholder SIP/2.0\r\n\r\n')
  const bye = await until(/^BYE/)
  t.match(bye, /^Via: SIP\/2\.0\/TCP /m)
  t.equal(server.counters.connections, 1, 'no second connection was opened')
  socket.destroy()
})

t.test('TCP: what cannot be followed is refused and the connection ends', async (t) => {
  const { tcpPort } = await startServer(t)
  for (const [text, answer] of [
    [
      sipRequest({ method: 'OPTIONS', transport: 'TCP' }).replace(/Content-Length.*\r\n/, ''),
      '400 Missing Content-Length',
    ],
    [
      sipRequest({ method: 'OPTIONS', transport: 'TCP' }).replace('Length: 0', 'Length: 999999'),
      '413 Request Entity Too Large',
    ],
    ['GET / HTTP/1.1\r\n\r\n', ''],
  ] as const) {
    const socket = connect(tcpPort, '127.0.0.1')
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
    })
    socket.write(text)
    await once(socket, 'close')
    t.match(firstLine(received), answer)
  }
})

t.test('TCP: a slow sender is cut off', async (t) => {
  const clock = new ManualClock()
  const { tcpPort, server } = await startServer(t, { clock })
  const socket = connect(tcpPort, '127.0.0.1')
  await once(socket, 'connect')
  const isClosed = new Promise((resolve) => socket.on('close', resolve))
  socket.on('error', () => {})
  socket.write('\r\n\r\nOPTIONS sip:')
  await once(socket, 'data')
  t.equal(server.counters.connections, 1)
  clock.advance(30_000)
  socket.write('a')
  clock.advance(4_000)
  await isClosed
  t.same(server.counters.connectionsCut, { tcp: { slow_message: 1 } }, 'half a message in 32 s')
})

t.test('limits: connections, and transactions', async (t) => {
  const limits = { maxConnections: 1, maxTransactions: 1 }
  const { tcpPort, peer, send, client } = await startServer(t, { limits, methods: ['options'] })
  const first = connect(tcpPort, '127.0.0.1')
  await once(first, 'connect')
  const second = connect(tcpPort, '127.0.0.1')
  second.on('error', () => {})
  await new Promise((resolve) => second.on('close', resolve))
  first.destroy()
  send(sipRequest({ method: 'OPTIONS', port: peer.port }))
  await client.next()
  send(sipRequest({ method: 'OPTIONS', port: peer.port, branch: 'z9hG4bKtwo', callId: 'two' }))
  const refused = await peer.next()
  t.match(firstLine(refused), ' 503 ')
  t.equal(headerOf(refused, 'Call-ID'), 'two')
})

t.test('a port that is taken is named, and nothing stays open', async (t) => {
  const { udpPort, tcpPort } = await startServer(t)
  for (const [transport, port] of [
    ['udp', udpPort],
    ['tcp', tcpPort],
  ] as const) {
    const second = new SipServer({
      listen: [
        { transport: 'udp', host: '127.0.0.1', port: 0 },
        { transport, host: '127.0.0.1', port },
      ],
      clock: new SystemClock(),
      log: createSilentLog(),
    })
    await t.rejects(second.start(), {
      code: 'port_taken',
      message: `The SIP server cannot listen on ${transport} 127.0.0.1:${port} because another program does; stop that program or choose another port.`,
    })
  }
  const elsewhere = new SipServer({
    listen: [{ transport: 'udp', host: '192.0.2.1', port: 0 }],
    clock: new SystemClock(),
    log: createSilentLog(),
  })
  await t.rejects(elsewhere.start(), { code: 'listen_failed' })
})

t.test('closing lets the client answer what is pending and refuses what is new', async (t) => {
  const { server, peer, send, client } = await startServer(t, { methods: ['options'] })
  send(sipRequest({ method: 'OPTIONS', port: peer.port }))
  const pending = await client.next()
  const closed = server.close()
  send(sipRequest({ method: 'OPTIONS', port: peer.port, branch: 'z9hG4bKnew', callId: 'new' }))
  t.match(firstLine(await peer.next()), ' 503 ')
  client.send(`sip|${transactionIn(pending)}|\r\nSIP/2.0 200 OK\r\n\r\n`)
  t.match(firstLine(await peer.next()), ' 200 ')
  await closed
  await client.ended()
})
