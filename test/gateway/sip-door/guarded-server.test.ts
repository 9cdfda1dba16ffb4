import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { SystemClock } from '../../../base/clock.ts'
import { createSilentLog } from '../../../base/log.ts'
import { configSchema } from '../../../config/config.ts'
import { DigestSession } from '../../../gateway/sip/digest-session.ts'
import { guardServer } from '../../../gateway/sip-door/guarded-server.ts'
import { metricValue } from '../../metrics-text.ts'
import { until } from '../../until.ts'
import { TestAuthority } from '../certificates.ts'
import { RawClient } from '../sip-server/raw-client.ts'
import { headerOf, sipRequest } from '../sip-server/sip-text.ts'
import { StreamPeer } from '../sip-server/stream-peer.ts'
import { UdpPeer } from '../sip-server/udp-peer.ts'

/** The embedded server with its door as the gateway makes it, and a client that takes INVITE and OPTIONS. */
async function start(t: Test, sip: object) {
  const registry = new Registry()
  const config = configSchema.parse({
    sip: {
      listen: [
        { transport: 'udp', host: '127.0.0.1', port: 1 },
        { transport: 'tcp', host: '127.0.0.1', port: 1 },
      ],
      ...sip,
    },
  })
  // The configuration knows no free port; the server does.
  const listen = config.sip.listen.map((one) => ({ ...one, port: 0 }))
  const guarded = guardServer(
    { ...config, sip: { ...config.sip, listen } },
    { clock: new SystemClock(), log: createSilentLog(), registry },
  )
  const { server } = guarded
  if (server === undefined) throw new Error('no server')
  const addresses = await server.start()
  const client = await RawClient.open(addresses.admin)
  await client.login(addresses.admin.secret, 'invite', 'options')
  const peer = await UdpPeer.open()
  t.teardown(async () => {
    client.close()
    await peer.close()
    await server.close()
  })
  const [udp, tcp, tls] = addresses.sip.map(({ port }) => port)
  const metric = async (series: string) => metricValue(await registry.metrics(), series)
  return { ...guarded, server, client, peer, metric, udp: udp ?? 0, tcp: tcp ?? 0, tls: tls ?? 0 }
}

const options = (more: Parameters<typeof sipRequest>[0]) =>
  sipRequest({ method: 'OPTIONS', ...more })

t.test(
  'a stranger is refused without leaving a transaction, and its call is never offered',
  async (t) => {
    const { peer, udp, client, server } = await start(t, {
      peers: [{ name: 'sbc', from: ['192.0.2.1'] }],
    })
    peer.send(sipRequest({ port: peer.port }), udp)
    t.match(await peer.next(), /^SIP\/2\.0 403 Forbidden\r\n/)
    peer.send(sipRequest({ port: peer.port, method: 'BYE', toTag: 'x', branch: 'z9hG4bK-b' }), udp)
    t.match(await peer.next(), /^SIP\/2\.0 403 /)
    t.equal(server.counters.transactions, 0)
    t.same(client.unread, [])
  },
)

t.test('a caller with credentials is challenged and let in, and one without is not', async (t) => {
  const { peer, udp, client, metric } = await start(t, {
    peers: [{ name: 'branch', digest: { user: 'branch', password: 'secret' } }],
  })
  const session = new DigestSession({ user: 'branch', password: 'secret' })
  peer.send(sipRequest({ port: peer.port }), udp)
  const challenge = await peer.next()
  t.match(challenge, /^SIP\/2\.0 401 Unauthorized\r\n/)
  t.equal(challenge.match(/^WWW-Authenticate: Digest /gm)?.length, 2)
  session.takes({ status: 401, get: (name) => headerOf(challenge, name) }, {})
  const uri = 'sip:recorder@127.0.0.1'
  const { Authorization } = session.headersFor({ method: 'INVITE', uri, body: '' })
  const headers = [`Authorization: ${Authorization}`]
  peer.send(sipRequest({ port: peer.port, branch: 'z9hG4bK-2', sequence: 2, headers }), udp)
  t.match(await peer.next(), /^SIP\/2\.0 100 /)
  t.match(await client.next(), /INVITE sip:recorder/)
  t.equal(await metric('tallenne_sip_admissions_total{outcome="challenged"}'), 1)
  t.equal(await metric('tallenne_sip_admissions_total{outcome="admitted"}'), 1)
})

t.test('who keeps sending garbage is heard no more, and shown in the metrics', async (t) => {
  const { peer, udp, tcp, client, server, metric, door } = await start(t, {
    guard: { offencesAMinute: 5, neverBan: [] },
  })
  for (let times = 0; times < 5; times += 1) peer.send('no SIP at all', udp)
  peer.send(options({ port: peer.port, branch: 'z9hG4bK-x' }), udp)
  await until(() => server.counters.dropped['banned'] === 1)
  t.same(client.unread, [])
  t.equal(await metric('tallenne_sip_bans_total{reason="malformed"}'), 1)
  t.equal(await metric('tallenne_sip_banned_sources'), 1)
  const stream = await StreamPeer.open(tcp)
  stream.send(options({ transport: 'TCP', branch: 'z9hG4bK-y' }))
  t.match(await client.next(), /OPTIONS/, 'by a connection, which nobody forges, it is let in')
  stream.send('GET / HTTP/1.1\r\n\r\n'.repeat(2))
  stream.socket.destroy()
  t.ok(door?.lift('127.0.0.1'))
  peer.send(options({ port: peer.port, branch: 'z9hG4bK-z', callId: 'z' }), udp)
  t.match(await client.next(), /OPTIONS/)
})

t.test('a source that is banned for what it sent over a connection is cut off', async (t) => {
  const { tcp, server } = await start(t, { guard: { offencesAMinute: 1, neverBan: [] } })
  const open = await StreamPeer.open(tcp)
  const garbage = await StreamPeer.open(tcp)
  garbage.send('GET / HTTP/1.1\r\n\r\n')
  await t.rejects(garbage.next())
  open.send(options({ transport: 'TCP' }))
  await t.rejects(open.next(), 'it is heard no further on another connection')
  const later = await StreamPeer.open(tcp)
  await t.rejects(later.next())
  t.match(server.counters.connectionsCut['tcp'], { bad_framing: 1, banned: 1 })
})

t.test('one source cannot take all connections', async (t) => {
  const { tcp, server } = await start(t, {
    streams: { maxConnections: 10, maxConnectionsPerSource: 2 },
  })
  const [first] = [await StreamPeer.open(tcp), await StreamPeer.open(tcp)]
  const third = await StreamPeer.open(tcp)
  await t.rejects(third.next())
  t.same(server.counters.connectionsCut, { tcp: { too_many_from_source: 1 } })
  first?.socket.destroy()
  await until(() => server.counters.connections === 1)
  const fourth = await StreamPeer.open(tcp)
  fourth.send('\r\n\r\n')
  await until(() => server.counters.connections === 2)
  t.same(server.counters.connectionsCut, { tcp: { too_many_from_source: 1 } })
  fourth.socket.destroy()
})

t.test('a peer is known by its certificate, and the gateway is told its names', async (t) => {
  const authority = new TestAuthority(t)
  const { cert, key } = authority.issue(['DNS:recorder.example.com'])
  const tlsListen = {
    transport: 'tls',
    host: '127.0.0.1',
    port: 3,
    tls: { cert, key, ca: authority.cert, clientCertificate: 'request' },
  }
  const { tls, client, identityOf, server } = await start(t, {
    listen: [
      { transport: 'udp', host: '127.0.0.1', port: 1 },
      { transport: 'tcp', host: '127.0.0.1', port: 2 },
      tlsListen,
    ],
    peers: [{ name: 'sbc', tlsNames: ['sbc.example.com'] }],
  })
  const connect = async (files: { readonly cert: string; readonly key: string } | undefined) => {
    const { readFileSync } = await import('node:fs')
    return StreamPeer.openTls(tls, {
      ca: readFileSync(authority.cert),
      servername: 'recorder.example.com',
      ...(files && { cert: readFileSync(files.cert), key: readFileSync(files.key) }),
    })
  }
  const named = await connect(authority.issue(['DNS:sbc.example.com']))
  named.send(options({ transport: 'TLS', branch: 'z9hG4bK-n' }))
  t.match(await client.next(), /OPTIONS/)
  const source = { source_address: '127.0.0.1', source_port: named.port, protocol: 'tls' }
  t.same(identityOf(source), { address: '127.0.0.1', names: ['sbc.example.com'] })
  t.same(identityOf({ ...source, protocol: 'udp' }).names, [])
  const other = await connect(authority.issue(['DNS:other.example.com']))
  other.send(options({ transport: 'TLS', branch: 'z9hG4bK-o', callId: 'o' }))
  t.match(await other.next(), /^SIP\/2\.0 403 /)
  const nobody = await connect(undefined)
  nobody.send(options({ transport: 'TLS', branch: 'z9hG4bK-p', callId: 'p' }))
  t.match(await nobody.next(), /^SIP\/2\.0 403 /)
  for (const peer of [named, other, nobody]) peer.socket.destroy()
  t.equal(server.counters.transactions, 1)
})

t.test('through a drachtio server an address may call or not', async (t) => {
  const config = configSchema.parse({
    sip: {
      drachtio: [{ host: '127.0.0.1', secret: 'x' }],
      peers: [{ name: 'sbc', from: ['192.0.2.1'] }],
    },
  })
  const parts = { clock: new SystemClock(), log: createSilentLog(), registry: new Registry() }
  const { server, mayCall } = guardServer(config, parts)
  t.equal(server, undefined)
  t.ok(mayCall('192.0.2.1'))
  t.notOk(mayCall('192.0.2.2'))
})
