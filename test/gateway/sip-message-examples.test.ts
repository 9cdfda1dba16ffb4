import { createRequire } from 'node:module'
import t from 'tap'
import { startSignallingNode } from './signalling-node.ts'
import { headerOf, tagIn } from './sip-server/sip-text.ts'
import { StreamPeer } from './sip-server/stream-peer.ts'
import { UdpPeer } from './sip-server/udp-peer.ts'

/** Messages of real devices, by name. */
const example: (name: string) => string = createRequire(import.meta.url)('sip-message-examples')

/** Three spellings of the boundary parameter, and no boundary that closes the body in any of them. */
const RIBBON = ['siprec', 'siprec2', 'siprec3']

/** The example as a call of its own. */
function callOf(name: string, transport = 'UDP'): string {
  return example(name)
    .replace(/branch=z9hG4bK/, `branch=z9hG4bK${name}${transport}`)
    .replace(/^((?:Call-ID|i): )/m, `$1${name}-${transport}-`)
    .replace('SIP/2.0/UDP', `SIP/2.0/${transport}`)
}

/** The ACK and the BYE after a 200. */
function farewell(invite: string, answer: string, transport = 'UDP'): readonly string[] {
  const uri = /<([^>]+)>/.exec(headerOf(answer, 'Contact') ?? '')?.[1]
  const sequence = Number.parseInt(headerOf(invite, 'CSeq') ?? '', 10)
  return ['ACK', 'BYE'].map((method, at) =>
    [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/${transport} 192.0.2.1;branch=z9hG4bK${method}${headerOf(answer, 'Call-ID')}`,
      `From: ${headerOf(answer, 'From')}`,
      `To: ${headerOf(answer, 'To')}`,
      `Call-ID: ${headerOf(answer, 'Call-ID')}`,
      `CSeq: ${sequence + at} ${method}`,
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
  )
}

t.test('the Ribbon INVITE is recorded in each of its spellings', async (t) => {
  const { udp, tcp, sessions, entries } = await startSignallingNode(t)
  const streams = await Promise.all(RIBBON.map(() => StreamPeer.open(tcp.port)))
  for (const [at, name] of RIBBON.entries()) {
    // Content-Length is 3304 in all of them, and the body has some 300 bytes less.
    t.equal(headerOf(example(name), 'Content-Length'), '3304')
    const invite = callOf(name)
    const peer = await UdpPeer.open()
    peer.send(invite, udp.port)
    const answer = await peer.nextThat(/ 200 /)
    t.match(answer.match(/^m=audio \d+ /gm), { length: 2 }, `${name} over UDP`)
    t.same(answer.match(/^a=label:\d/gm), ['a=label:1', 'a=label:2'])
    t.ok(tagIn(headerOf(answer, 'To')))
    for (const request of farewell(invite, answer)) peer.send(request, udp.port)
    await peer.nextThat(/ 200 /)
    await peer.close()
    streams[at]?.send(callOf(name, 'TCP'))
  }
  for (const [at, name] of RIBBON.entries()) {
    const stream = streams[at]
    const answer = (await stream?.nextThat(/ 200 /)) ?? ''
    t.match(answer.match(/^m=audio \d+ /gm), { length: 2 }, `${name} over TCP`)
    // The connection carries the rest of the call as if nothing had been missing.
    for (const request of farewell(callOf(name, 'TCP'), answer, 'TCP')) stream?.send(request)
    t.match(await stream?.nextThat(/ 200 /), /CSeq: 100009 BYE/)
    stream?.close()
  }
  t.equal(sessions.count, 0)
  const endReasons = entries.flatMap((entry) => ('endReason' in entry ? [entry.endReason] : []))
  t.same(
    endReasons,
    Array.from({ length: 6 }, () => 'bye'),
  )
})

t.test('a compact INVITE and one without its last line end are recorded', async (t) => {
  const { udp, tcp } = await startSignallingNode(t, { unmarked: 'record' })
  for (const name of ['invite', 'invite-compact']) {
    const peer = await UdpPeer.open()
    peer.send(callOf(name), udp.port)
    t.match(await peer.nextThat(/^SIP\/2\.0 [2-6]/), /^SIP\/2\.0 200 OK\r\n/, `${name} over UDP`)
    await peer.close()
    const stream = await StreamPeer.open(tcp.port)
    stream.send(callOf(name, 'TCP'))
    const answer = await stream.nextThat(/^SIP\/2\.0 [2-6]/)
    t.match(answer, /^SIP\/2\.0 200 OK\r\n/, `${name} over TCP`)
    stream.close()
  }
})

t.test('OPTIONS of a scanner is answered, with stray carriage returns as well', async (t) => {
  const { udp } = await startSignallingNode(t)
  const peer = await UdpPeer.open()
  const options = example('options-carriage-return')
  const more = options.replaceAll('\r\n', '\r\r\n').replace('3652223354', 'other')
  for (const text of [options, `\r\r\n${more}`]) {
    peer.send(text, udp.port)
    t.match(await peer.next(), /^SIP\/2\.0 200 OK\r\n/)
  }
  await peer.close()
})
