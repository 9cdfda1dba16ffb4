import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import t, { type Test } from 'tap'
import type { TlsSettings } from '../../../gateway/sip-server/tls-settings.ts'
import { until } from '../../until.ts'
import { type CertificateFiles, TestAuthority } from '../certificates.ts'
import { messageOf, shapeOf, transactionIn } from './raw-client.ts'
import { headerOf, SDP, sipRequest, sipResponse, tagIn } from './sip-text.ts'
import { StreamPeer } from './stream-peer.ts'
import { startServer } from './test-server.ts'
import { TlsPlatform } from './tls-platform.ts'

const authority = new TestAuthority(t)
const ours = authority.issue(['DNS:recorder.example.com', 'IP:127.0.0.1'])
const sbc = authority.issue(['DNS:sbc1.example.com'])
const stranger = new TestAuthority(t, 'Another Authority').issue(['DNS:sbc1.example.com'])

function settings(changes: Partial<TlsSettings> = {}): TlsSettings {
  return { ...authority.settings(ours), ...changes }
}

function credentials({ cert, key }: CertificateFiles) {
  return { cert: readFileSync(cert), key: readFileSync(key) }
}

const trusting: ConnectionOptions = {
  ca: readFileSync(authority.cert),
  servername: 'recorder.example.com',
}

/** Whether a client with these options gets an answer, over a connection to a server with those settings. */
async function isServed(
  t: Test,
  tls: TlsSettings,
  options: ConnectionOptions,
): Promise<{ readonly served: boolean; readonly cut: unknown }> {
  const { server, tlsPort } = await startServer(t, { tls })
  try {
    const peer = await StreamPeer.openTls(tlsPort, { ...trusting, ...options })
    peer.send(sipRequest({ method: 'OPTIONS', transport: 'TLS' }))
    await peer.next()
    peer.close()
    return { served: true, cut: server.counters.connectionsCut['tls'] }
  } catch {
    return { served: false, cut: server.counters.connectionsCut['tls'] }
  }
}

t.test('a call over TLS is told and answered as one over TCP is', async (t) => {
  const { client, server, tlsPort } = await startServer(t, { tls: settings(), methods: ['invite'] })
  const peer = await StreamPeer.openTls(tlsPort, trusting)
  const invite = sipRequest({
    transport: 'TLS',
    port: peer.port,
    uri: `sip:recorder@127.0.0.1:${tlsPort};transport=tls`,
    body: SDP,
  })
  peer.send(invite)
  const offered = await client.next()
  t.equal(
    shapeOf(offered),
    `UUID|sip|network|${invite.length}|tls|127.0.0.1|${peer.port}|TIME|UUID||127.0.0.1|${tlsPort}|`,
  )
  t.match(headerOf(messageOf(offered), 'Via'), `SIP/2.0/TLS 127.0.0.1:${peer.port}`)
  client.send(`sip|${transactionIn(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n${SDP}`)
  const answer = await peer.nextThat(/ 200 /)
  t.equal(headerOf(answer, 'Contact'), `<sip:127.0.0.1:${tlsPort};transport=tls>`)
  t.match(
    shapeOf(await client.next()),
    `|OK|application|${answer.length}|tls|127.0.0.1|${peer.port}|`,
  )

  // The peer's Contact leads nowhere, and the connection is there.
  client.send(`sip||call-1@127.0.0.1;from-tag=from-1\r\nBYE sip:placeholder SIP/2.0\r\n\r\n`)
  const bye = await peer.nextThat(/^BYE/)
  t.match(headerOf(bye, 'Via'), new RegExp(`^SIP/2\\.0/TLS 127\\.0\\.0\\.1:${tlsPort};branch=`))
  t.match(shapeOf(await client.next()), `|OK|application|${bye.length}|tls|127.0.0.1|${peer.port}|`)
  t.same(server.counters.connectionsOpened, { tls: { in: 1 } })
  peer.close()
})

t.test('a request by SIPS is answered with a SIPS Contact', async (t) => {
  const { client, tlsPort } = await startServer(t, { tls: settings(), methods: ['invite'] })
  const peer = await StreamPeer.openTls(tlsPort, trusting)
  peer.send(sipRequest({ transport: 'TLS', uri: `sips:recorder@127.0.0.1:${tlsPort}`, body: SDP }))
  client.send(`sip|${transactionIn(await client.next())}|\r\nSIP/2.0 200 OK\r\n\r\n${SDP}`)
  const answer = await peer.nextThat(/ 200 /)
  t.equal(headerOf(answer, 'Contact'), `<sips:127.0.0.1:${tlsPort};transport=tls>`)
  peer.close()
})

t.test('greets clients with its TLS address', async (t) => {
  const { client, admin, tlsPort } = await startServer(t, { tls: settings() })
  t.match(await client.ask(`authenticate|${admin.secret}|`), `|OK|tls/127.0.0.1:${tlsPort},tcp/`)
})

t.test('a client certificate is not asked for, asked for, or required', async (t) => {
  const none = settings({ clientCertificate: 'none' })
  const request = settings({ clientCertificate: 'request' })
  const require = settings({ clientCertificate: 'require' })
  const served = { served: true, cut: undefined }
  const unverified = { served: false, cut: { client_unverified: 1 } }
  t.same(await isServed(t, none, {}), served)
  t.same(await isServed(t, none, credentials(stranger)), served)
  t.same(await isServed(t, request, {}), served)
  t.same(await isServed(t, request, credentials(sbc)), served)
  t.same(await isServed(t, request, credentials(stranger)), unverified)
  t.same(await isServed(t, require, credentials(sbc)), served)
  t.same(await isServed(t, require, {}), unverified)
  t.same(await isServed(t, require, credentials(stranger)), unverified)
})

t.test('only clients of the configured names are let in', async (t) => {
  const named = (...clientNames: readonly string[]) =>
    settings({ clientCertificate: 'require', clientNames })
  const unknown = { served: false, cut: { client_unknown: 1 } }
  t.match(await isServed(t, named('SBC1.example.com'), credentials(sbc)), { served: true })
  t.match(await isServed(t, named('*.example.com'), credentials(sbc)), { served: true })
  t.same(await isServed(t, named('sbc2.example.com'), credentials(sbc)), unknown)
  t.same(await isServed(t, named('*.sbc1.example.com', 'com'), credentials(sbc)), unknown)
})

t.test('a version below the lowest is refused', async (t) => {
  const tls = settings({ minVersion: 'TLSv1.3' })
  t.same(await isServed(t, tls, { maxVersion: 'TLSv1.2' }), {
    served: false,
    cut: { tls_failed: 1 },
  })
  t.match(await isServed(t, tls, {}), { served: true })
  t.match(await isServed(t, settings(), { maxVersion: 'TLSv1.2' }), { served: true })
})

t.test('what is no TLS is cut off, and so is a handshake that is not finished', async (t) => {
  const limits = { maxMessageMs: 200 }
  const { server, tlsPort } = await startServer(t, { tls: settings(), limits })
  const plain = await StreamPeer.open(tlsPort)
  plain.send(sipRequest({ method: 'OPTIONS', transport: 'TCP' }))
  await plain.closed()
  const silent = await StreamPeer.open(tlsPort)
  await silent.closed()
  t.same(server.counters.connectionsCut, { tls: { tls_failed: 2 } })
  t.same(server.counters.connectionsOpened, {})
})

t.test('a server that is called proves its name, which it is told', async (t) => {
  const { client, server } = await startServer(t, { tls: settings(), methods: [] })
  const platform = await TlsPlatform.listen(t, {
    ...credentials(authority.issue(['DNS:localhost'])),
    ca: readFileSync(authority.cert),
    requestCert: true,
  })
  client.send(`sip||\r\nOPTIONS sips:localhost:${platform.port} SIP/2.0\r\n\r\n`)
  t.match(shapeOf(await client.next()), `|OK|application|`)
  const peer = await platform.next()
  const options = await peer.next()
  t.match(options, `OPTIONS sips:localhost:${platform.port} SIP/2.0`)
  t.equal(platform.serverNames[0], 'localhost')
  t.match(platform.clientNames[0], 'recorder.example.com', 'it shows its own certificate')
  peer.send(sipResponse(options, { status: 200, reason: 'OK' }))
  t.match(messageOf(await client.next()), /^SIP\/2\.0 200 OK/)

  client.send(`sip||\r\nOPTIONS sip:localhost:${platform.port};transport=tls SIP/2.0\r\n\r\n`)
  await client.next()
  t.match(await peer.next(), /^OPTIONS sip:localhost/, 'the connection is used again')
  t.same(server.counters.connectionsOpened, { tls: { out: 1 } })
})

t.test(
  'a server that cannot prove its name gets nothing, unless that does not matter',
  async (t) => {
    for (const [serverCertificate, cert, status, cut] of [
      ['name', sbc, 503, { server_unverified: 1 }],
      ['name', stranger, 503, { server_unverified: 1 }],
      ['authority', sbc, 200, undefined],
      ['authority', stranger, 503, { server_unverified: 1 }],
      ['any', stranger, 200, undefined],
    ] as const) {
      const tls = settings({ serverCertificate })
      const { client, server } = await startServer(t, { tls, methods: [] })
      const platform = await TlsPlatform.listen(t, credentials(cert))
      platform.answerAll()
      client.send(`sip||\r\nOPTIONS sips:127.0.0.1:${platform.port} SIP/2.0\r\n\r\n`)
      await client.next()
      t.match(messageOf(await client.next()), `SIP/2.0 ${status} `)
      t.same(server.counters.connectionsCut['tls'], cut)
    }
  },
)

t.test('a dialog goes on at an address that the peer is known at by its certificate', async (t) => {
  const tls = settings({ clientCertificate: 'require' })
  const { client, server, tlsPort } = await startServer(t, { tls, methods: ['invite'] })
  const platform = await TlsPlatform.listen(t, credentials(sbc))
  platform.answerAll()
  const peer = await StreamPeer.openTls(tlsPort, { ...trusting, ...credentials(sbc) })
  const contact = `Contact: <sip:sbc@127.0.0.1:${platform.port};transport=tls>`
  const text = sipRequest({ transport: 'TLS', port: peer.port, body: SDP })
  peer.send(text.replace(/Contact: .*/, contact))
  const offered = await client.next()
  client.send(`sip|${transactionIn(offered)}|\r\nSIP/2.0 200 OK\r\n\r\n${SDP}`)
  const answer = await peer.nextThat(/ 200 /)
  await client.next()
  const toTag = tagIn(headerOf(answer, 'To'))
  peer.send(sipRequest({ method: 'ACK', transport: 'TLS', port: peer.port, toTag }))
  await client.next()
  peer.close()
  await until(() => server.counters.connections === 0)
  client.send(`sip||call-1@127.0.0.1;from-tag=from-1\r\nBYE sip:placeholder SIP/2.0\r\n\r\n`)
  await client.next()
  t.match(messageOf(await client.next()), /^SIP\/2\.0 200 /)
  t.same(server.counters.connectionsOpened, { tls: { in: 1, out: 1 } })
})

t.test('requests to a peer that offers its connection for them come by it', async (t) => {
  const tls = settings({ clientCertificate: 'require' })
  const { client, server, tlsPort } = await startServer(t, { tls, methods: [] })
  const known = authority.issue(['IP:127.0.0.1'])
  const peer = await StreamPeer.openTls(tlsPort, { ...trusting, ...credentials(known) })
  const ping = sipRequest({ method: 'OPTIONS', transport: 'TLS', port: 5999 })
  peer.send(ping.replace(';branch=', ';alias;branch='))
  await peer.next()
  client.send('sip||\r\nOPTIONS sip:127.0.0.1:5999;transport=tls SIP/2.0\r\n\r\n')
  await client.next()
  t.match(await peer.next(), /^OPTIONS sip:127\.0\.0\.1:5999/)
  t.same(server.counters.connectionsOpened, { tls: { in: 1 } })
  peer.close()
})

t.test('a peer that has proven nothing gets no requests for somebody else', async (t) => {
  const { client, server, tlsPort } = await startServer(t, { tls: settings(), methods: [] })
  const platform = await TlsPlatform.listen(t, credentials(ours))
  platform.answerAll()
  const peer = await StreamPeer.openTls(tlsPort, trusting)
  const ping = sipRequest({ method: 'OPTIONS', transport: 'TLS', port: platform.port })
  peer.send(ping.replace(';branch=', ';alias;branch='))
  await peer.next()
  client.send(`sip||\r\nOPTIONS sips:127.0.0.1:${platform.port} SIP/2.0\r\n\r\n`)
  await client.next()
  t.match(messageOf(await client.next()), /^SIP\/2\.0 200 /)
  t.same(server.counters.connectionsOpened, { tls: { in: 1, out: 1 } })
  peer.close()
})
