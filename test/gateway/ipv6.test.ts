import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { SystemClock } from '../../base/clock.ts'
import { createSilentLog } from '../../base/log.ts'
import { SipConnection } from '../../gateway/sip/sip-connection.ts'
import { recordingHeaders } from '../../gateway/sip/sip-headers.ts'
import { SipServer } from '../../gateway/sip-server/sip-server.ts'
import { TestAuthority } from './certificates.ts'
import { headerOf, tagIn } from './sip-server/sip-text.ts'
import { StreamPeer } from './sip-server/stream-peer.ts'
import { UdpPeer } from './sip-server/udp-peer.ts'

const SDP =
  'v=0\r\no=- 1 1 IN IP6 ::1\r\ns=-\r\nc=IN IP6 ::1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

/** A node on every transport of both IP versions, side by side, whose calls are all answered. */
async function start(t: Test) {
  const authority = new TestAuthority(t)
  const tls = authority.settings(authority.issue(['IP:::1', 'IP:127.0.0.1']))
  const clock = new SystemClock()
  const log = createSilentLog()
  const server = new SipServer({
    listen: ['::1', '127.0.0.1'].flatMap((host) => [
      { transport: 'udp', host, port: 0 } as const,
      { transport: 'tcp', host, port: 0 } as const,
      { transport: 'tls', host, port: 0, tls } as const,
    ]),
    clock,
    log,
  })
  const { admin, sip } = await server.start()
  const connection = new SipConnection({ address: admin, clock, log })
  const heard: string[] = []
  connection.framework.invite((request, response) => {
    heard.push(`${request.source_address} ${request.receivedOn}`)
    const headers = recordingHeaders(request)
    connection.framework.createUAS(
      request,
      response,
      { localSdp: SDP, headers },
      (_failure, dialog) => {
        // A request of ours within the dialog, as soon as its ACK is there.
        dialog?.on('ack', () => void dialog.request({ method: 'INFO' }))
      },
    )
  })
  await connection.start()
  t.teardown(async () => {
    connection.close()
    await server.close()
  })
  const portOf = (transport: string, host: string) =>
    sip.find((address) => address.transport === transport && address.host === host)?.port ?? 0
  return { portOf, heard, ca: readFileSync(authority.cert) }
}

t.test('a call over IPv6 has brackets wherever an address stands in a URI', async (t) => {
  const { portOf, heard, ca } = await start(t)
  for (const transport of ['udp', 'tcp', 'tls'] as const) {
    const port = portOf(transport, '::1')
    const peer =
      transport === 'udp'
        ? await UdpPeer.open('::1')
        : transport === 'tcp'
          ? await StreamPeer.open(port, '::1')
          : await StreamPeer.openTls(port, { host: '::1', ca })
    const request = (method: string, uri: string, to: string) => {
      const body = method === 'INVITE' ? SDP : ''
      const lines = [
        `${method} ${uri} SIP/2.0`,
        `Via: SIP/2.0/${transport.toUpperCase()} [2001:db8::9]:5070;branch=z9hG4bK${transport}${method}`,
        'From: <sip:caller@[2001:db8::9]>;tag=f',
        `To: <sip:recorder@[::1]>${to}`,
        `Call-ID: ${transport}@[2001:db8::9]`,
        `CSeq: 1 ${method}`,
        `Contact: <sip:caller@[::1]:${peer.port};transport=${transport}>;+sip.src`,
        'Content-Type: application/sdp',
        `Content-Length: ${body.length}`,
        '',
        body,
      ]
      peer.send(lines.join('\r\n'), port)
    }
    request('INVITE', `sip:recorder@[::1]:${port}`, '')
    const answer = await peer.nextThat(/ 200 /)
    const parameter = transport === 'udp' ? '' : `;transport=${transport}`
    t.equal(headerOf(answer, 'Contact'), `<sip:recorder@[::1]:${port}${parameter}>;+sip.srs`)
    t.match(
      headerOf(answer, 'Via'),
      `[2001:db8::9]:5070;branch=z9hG4bK${transport}INVITE;received=::1;rport=${peer.port}`,
    )
    t.equal(heard.at(-1), `::1 [::1]:${port}`)
    request('ACK', `sip:recorder@[::1]:${port}`, `;tag=${tagIn(headerOf(answer, 'To'))}`)
    const info = await peer.nextThat(/^INFO/)
    t.match(info, `INFO sip:caller@[::1]:${peer.port}`)
    t.match(headerOf(info, 'Via'), `SIP/2.0/${transport.toUpperCase()} [::1]:${port};`)
    await peer.close()
  }
})
