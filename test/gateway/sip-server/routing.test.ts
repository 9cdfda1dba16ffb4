import t from 'tap'
import { SystemClock } from '../../../base/clock.ts'
import { createSilentLog } from '../../../base/log.ts'
import { SipServer } from '../../../gateway/sip-server/sip-server.ts'
import { messageOf, RawClient, shapeOf, transactionIn } from './raw-client.ts'
import { headerOf, SDP, sipRequest, sipResponse, tagIn } from './sip-text.ts'
import { startServer } from './test-server.ts'
import { UdpPeer } from './udp-peer.ts'

const ID = 'call-1@127.0.0.1;from-tag=from-1'

function headersOf(text: string, name: string): readonly string[] {
  const head = text.split('\r\n\r\n', 1)[0] ?? ''
  const lines = head.split('\r\n').filter((line) => line.startsWith(`${name}: `))
  return lines.map((line) => line.slice(name.length + 2))
}

t.test('a call through proxies is answered, and ended, along their route', async (t) => {
  const { peer, client, send } = await startServer(t, { methods: ['invite'] })
  const proxy = await UdpPeer.open()
  t.teardown(() => proxy.close())
  const loose = `<sip:127.0.0.1:${proxy.port};lr>`
  const headers = [
    `Record-Route: ${loose}, <sip:192.0.2.9;lr>`,
    'Record-Route: <sip:192.0.2.10;lr>',
  ]
  send(sipRequest({ port: peer.port, body: SDP, headers }))
  client.send(`sip|${transactionIn(await client.next())}|\r\nSIP/2.0 200 OK\r\n\r\n${SDP}`)
  const ok = await peer.nextThat(/ 200 /)
  const recorded = [`${loose}, <sip:192.0.2.9;lr>`, '<sip:192.0.2.10;lr>']
  t.same(headersOf(ok, 'Record-Route'), recorded)
  const toTag = tagIn(headerOf(ok, 'To'))
  send(sipRequest({ method: 'ACK', port: peer.port, toTag, branch: 'z9hG4bKa' }))
  client.send(`sip||${ID}\r\nBYE sip:placeholder SIP/2.0\r\n\r\n`)
  const bye = await proxy.next()
  t.match(bye, `BYE sip:platform@127.0.0.1:${peer.port} SIP/2.0`)
  t.same(headersOf(bye, 'Route'), [loose, '<sip:192.0.2.9;lr>', '<sip:192.0.2.10;lr>'])
})

t.test('a strict router gets its own address as the request URI', async (t) => {
  const { peer, client, send } = await startServer(t, { methods: ['invite'] })
  const proxy = await UdpPeer.open()
  t.teardown(() => proxy.close())
  const strict = `sip:127.0.0.1:${proxy.port}`
  const headers = [`Record-Route: <${strict}>`, 'Record-Route: <sip:192.0.2.10;lr>']
  send(sipRequest({ port: peer.port, body: SDP, headers }))
  client.send(`sip|${transactionIn(await client.next())}|\r\nSIP/2.0 200 OK\r\n\r\n${SDP}`)
  const toTag = tagIn(headerOf(await peer.nextThat(/ 200 /), 'To'))
  send(sipRequest({ method: 'ACK', port: peer.port, toTag, branch: 'z9hG4bKa' }))
  client.send(`sip||${ID}\r\nBYE sip:placeholder SIP/2.0\r\n\r\n`)
  const bye = await proxy.next()
  t.match(bye, `BYE ${strict} SIP/2.0`)
  t.same(headersOf(bye, 'Route'), ['<sip:192.0.2.10;lr>', `<sip:platform@127.0.0.1:${peer.port}>`])
})

t.test('a caller behind a NAT is reached where it called from', async (t) => {
  const { peer, client, send } = await startServer(t, { methods: ['invite'] })
  // Its Via and Contact name an address that leads nowhere from here.
  send(sipRequest({ port: 1, body: SDP }).replaceAll('127.0.0.1:1', '192.0.2.50:5060'))
  client.send(`sip|${transactionIn(await client.next())}|\r\nSIP/2.0 200 OK\r\n\r\n${SDP}`)
  const ok = await peer.nextThat(/ 200 /)
  t.match(
    headerOf(ok, 'Via'),
    `192.0.2.50:5060;branch=z9hG4bK-INVITE-1;received=127.0.0.1;rport=${peer.port}`,
  )
  const toTag = tagIn(headerOf(ok, 'To'))
  send(sipRequest({ method: 'ACK', port: peer.port, toTag, branch: 'z9hG4bKa' }))
  client.send(`sip||${ID}\r\nBYE sip:placeholder SIP/2.0\r\n\r\n`)
  t.match(await peer.nextThat(/^BYE/), /^BYE sip:platform@192\.0\.2\.50:5060 SIP\/2\.0/)
})

t.test('of two answers to one INVITE the first wins, the other is hung up', async (t) => {
  const { client, udpPort, server } = await startServer(t, { methods: [] })
  const platform = await UdpPeer.open()
  t.teardown(() => platform.close())
  const target = `sip:platform@127.0.0.1:${platform.port}`
  client.send(`sip||\r\nINVITE ${target} SIP/2.0\r\n\r\n${SDP}`)
  await client.next()
  const invite = await platform.next()
  const headers = [`Contact: <${target}>`]
  const answer = (toTag: string) => {
    platform.send(sipResponse(invite, { status: 200, reason: 'OK', toTag, headers }), udpPort)
  }
  answer('one')
  const told = await client.next()
  answer('two')
  const ack = await platform.nextThat(/^ACK/)
  t.match(headerOf(ack, 'To'), 'tag=two')
  const bye = await platform.nextThat(/^BYE/)
  t.match(headerOf(bye, 'To'), 'tag=two')
  platform.send(sipResponse(bye, { status: 200, reason: 'OK' }), udpPort)
  const id = told.split('|')[9]
  client.send(`sip||${id}\r\nACK ${target} SIP/2.0\r\n\r\n`)
  t.match(shapeOf(await client.next()), '|OK|')
  t.match(headerOf(await platform.nextThat(/^ACK/), 'To'), 'tag=one')
  t.same(client.unread, [])
  t.equal(server.counters.dialogs, 1)
})

t.test('an answer that crosses a CANCEL is acknowledged and ended', async (t) => {
  const { client, udpPort } = await startServer(t, { methods: [] })
  const platform = await UdpPeer.open()
  t.teardown(() => platform.close())
  const target = `sip:platform@127.0.0.1:${platform.port}`
  client.send(`sip||\r\nINVITE ${target} SIP/2.0\r\n\r\n${SDP}`)
  const sent = await client.next()
  const invite = await platform.next()
  client.send(
    `sip|${sent.split('|')[10]}|\r\nCANCEL ${target} SIP/2.0\r\nReason: SIP;cause=200\r\n\r\n`,
  )
  const cancel = messageOf(await client.next())
  t.match(cancel, `CANCEL ${target} SIP/2.0`)
  t.equal(headerOf(cancel, 'Reason'), 'SIP;cause=200')
  const headers = [`Contact: <${target}>`]
  platform.send(sipResponse(invite, { status: 200, reason: 'OK', toTag: 'x', headers }), udpPort)
  const id = (await client.next()).split('|')[9]
  client.send(`sip||${id}\r\nACK ${target} SIP/2.0\r\n\r\n`)
  await platform.nextThat(/^ACK/)
  const bye = await platform.nextThat(/^BYE/)
  t.match(headerOf(bye, 'Reason'), 'cancel race condition')
})

t.test('a client that is gone calls nobody any more', async (t) => {
  const { client, udpPort, server } = await startServer(t, { methods: [] })
  const platform = await UdpPeer.open()
  t.teardown(() => platform.close())
  const target = `sip:platform@127.0.0.1:${platform.port}`
  client.send(`sip||\r\nINVITE ${target} SIP/2.0\r\n\r\n${SDP}`)
  const invite = await platform.next()
  platform.send(sipResponse(invite, { status: 180, reason: 'Ringing', toTag: 'x' }), udpPort)
  await client.next()
  await client.next()
  client.close()
  await platform.nextThat(/^CANCEL/)
  const headers = [`Contact: <${target}>`]
  platform.send(sipResponse(invite, { status: 200, reason: 'OK', toTag: 'x', headers }), udpPort)
  await platform.nextThat(/^ACK/)
  await platform.nextThat(/^BYE/)
  t.equal(server.counters.clients, 0)
})

t.test('requests go by the proxy that the client names', async (t) => {
  const { client } = await startServer(t, { methods: [] })
  const proxy = await UdpPeer.open()
  t.teardown(() => proxy.close())
  client.send(`sip|||sip:127.0.0.1:${proxy.port}\r\nOPTIONS sip:agent@192.0.2.77 SIP/2.0\r\n\r\n`)
  t.match(shapeOf(await client.next()), '|OK|')
  t.match(await proxy.next(), /^OPTIONS sip:agent@192\.0\.2\.77 SIP\/2\.0\r\n/)
})

t.test('what cannot be sent is told with its reason', async (t) => {
  const { client, udpPort } = await startServer(t, { methods: [] })
  const reasons: string[] = []
  for (const words of [
    `sip||\r\nOPTIONS sip:127.0.0.1:${udpPort} SIP/2.0\r\n\r\n`,
    'sip||\r\nOPTIONS tel:+12025550100 SIP/2.0\r\n\r\n',
    'sip||\r\nFROB sip:a@127.0.0.1 SIP/2.0\r\n\r\n',
    'sip||\r\nMESSAGE sip:a@127.0.0.1 SIP/2.0\r\n\r\nhello',
    'sip||none\r\nBYE sip:placeholder SIP/2.0\r\n\r\n',
    'sip||none\r\nACK sip:placeholder SIP/2.0\r\n\r\n',
    'sip|none|\r\nCANCEL sip:a@127.0.0.1 SIP/2.0\r\n\r\n',
    'sip|none|\r\nSIP/2.0 200 OK\r\n\r\n',
    'sip|none|\r\nSIP/2.0 200 OK\r\nCSeq: 1 CANCEL\r\n\r\n',
    'proxy|none|||||||sip:a@127.0.0.1\r\nINVITE sip:a@127.0.0.1 SIP/2.0\r\n\r\n',
  ]) {
    reasons.push((await client.ask(words)).split('|NOK|')[1] ?? 'sent')
  }
  t.same(reasons, [
    'can not send request to myself',
    'invalid request-uri: tel:+12025550100',
    'invalid request-uri: FROB sip:a@127.0.0.1 SIP/2.0',
    'missing content-type',
    'Server error: unable to find dialog for dialog id provided',
    'Server error: ACK for non-success final response is automatically generated by server',
    'unable to cancel unknown transaction id: none',
    'Response not sent due to unknown transaction',
    '200 OK to incoming CANCEL is automatically generated by the stack',
    'proxying is not offered',
  ])
})

t.test('IPv6 addresses are written as they must be', async (t) => {
  const server = new SipServer({
    listen: [{ transport: 'udp', host: '::1', port: 0 }],
    clock: new SystemClock(),
    log: createSilentLog(),
  })
  const { admin, sip } = await server.start()
  const port = sip[0]?.port ?? 0
  const client = await RawClient.open(admin)
  const peer = await UdpPeer.open('::1')
  t.teardown(async () => {
    client.close()
    await peer.close()
    await server.close()
  })
  t.match(await client.ask(`authenticate|${admin.secret}|`), `|OK|udp/[::1]:${port}|`)
  await client.ask('route|invite')
  peer.send(sipRequest({ port: peer.port }).replaceAll('127.0.0.1', '[::1]'), port)
  const offered = await client.next()
  t.match(shapeOf(offered), `|udp|::1|${peer.port}|TIME|UUID||[::1]|${port}|`)
  client.send(`sip|${transactionIn(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n${SDP}`)
  const ok = await peer.nextThat(/ 200 /)
  t.equal(headerOf(ok, 'Contact'), `<sip:[::1]:${port}>`)
  t.notMatch(headerOf(ok, 'Via'), 'received')
  await client.next()
  client.send(`sip||\r\nOPTIONS sip:a@[::1]:${peer.port} SIP/2.0\r\n\r\n`)
  const options = await peer.nextThat(/^OPTIONS/)
  t.match(headerOf(options, 'Via'), `SIP/2.0/UDP [::1]:${port};rport;branch=`)
})

t.test(
  'both families are listened on side by side, and calls to itself refused on either',
  async (t) => {
    const hosts = ['0.0.0.0', '::'] as const
    const first = new SipServer({
      listen: [
        { transport: 'udp', host: hosts[0], port: 0 },
        { transport: 'tcp', host: hosts[0], port: 0 },
      ],
      clock: new SystemClock(),
      log: createSilentLog(),
    })
    const { admin, sip } = await first.start()
    const [udp, tcp] = sip
    const second = new SipServer({
      listen: [
        { transport: 'udp', host: hosts[1], port: udp?.port ?? 0 },
        { transport: 'tcp', host: hosts[1], port: tcp?.port ?? 0 },
      ],
      clock: new SystemClock(),
      log: createSilentLog(),
    })
    await second.start()
    const client = await RawClient.open(admin)
    t.teardown(async () => {
      client.close()
      await first.close()
      await second.close()
    })
    await client.login(admin.secret)
    const own = `sip||\r\nOPTIONS sip:127.0.0.1:${udp?.port} SIP/2.0\r\n\r\n`
    t.match(await client.ask(own), /\|NOK\|can not send request to myself$/)
  },
)
