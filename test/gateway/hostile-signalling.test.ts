import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { until } from '../until.ts'
import { startSignallingNode } from './signalling-node.ts'
import { sipRequest } from './sip-server/sip-text.ts'
import { StreamPeer } from './sip-server/stream-peer.ts'
import { TORTURE } from './sip-server/torture-messages.ts'
import { UdpPeer } from './sip-server/udp-peer.ts'

const FOLDER = join(import.meta.dirname, '../../../sip-fixtures')

const messages = [
  ...readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('invite.txt'))
    .map((file) => readFileSync(join(FOLDER, file), 'latin1'))
    .filter((text) => text.length < 6_000),
  ...TORTURE.map(({ text }) => text),
]
const mutation = fc.record({
  /** In ten-thousandths; doubles would nearly all be next to zero. */
  at: fc.noBias(fc.nat({ max: 9_999 })),
  length: fc.nat({ max: 30 }),
  put: fc.oneof(
    fc.constantFrom(
      '\r\n',
      '\n',
      '\r',
      '\0',
      '"',
      '<',
      '>',
      ';',
      ',',
      '@',
      ':',
      '%',
      '[',
      ']',
      '|',
    ),
    fc.string({ unit: 'binary-ascii', maxLength: 8 }),
    fc.integer({ min: 128, max: 255 }).map((code) => String.fromCharCode(code)),
  ),
})

/** A message of its own call, broken here and there. */
function broken(
  text: string,
  mutations: readonly { readonly at: number; readonly length: number; readonly put: string }[],
  id: number,
): string {
  let own = text.replace(/z9hG4bK/g, `z9hG4bK${id}`).replace(/^(Call-ID|i)\s*:\s*/im, `$1: ${id}-`)
  for (const { at, length, put } of mutations) {
    const from = Math.floor((at * own.length) / 10_000)
    own = own.slice(0, from) + put + own.slice(from + length)
  }
  return own
}

t.test('a node goes on whatever is sent to it', async (t) => {
  const { udp, tcp, counters, heard } = await startSignallingNode(t, { unmarked: 'record' })
  const peer = await UdpPeer.open()
  t.teardown(() => peer.close())
  const samples = fc.sample(
    fc.tuple(fc.constantFrom(...messages), fc.array(mutation, { maxLength: 4 })),
    400,
  )
  for (const [id, [text, mutations]] of samples.entries()) {
    const own = broken(text, mutations, id)
    if (id % 4 > 0) peer.send(own, udp.port)
    else {
      const stream = await StreamPeer.open(tcp.port)
      stream.send(own)
      stream.socket.end()
    }
    if (id % 50 > 0) continue
    // Everything before it has been read by then.
    const probe = { method: 'OPTIONS', branch: `z9hG4bKprobe${id}`, callId: `probe-${id}` }
    peer.send(sipRequest(probe), udp.port)
    for (let answer = ''; !answer.includes(`Call-ID: probe-${id}\r\n`); ) answer = await peer.next()
  }
  // What was broken elsewhere than in its head is a call all the same.
  await until(() => heard.filter((what) => what === 'answered').length >= 20)
  t.equal(counters().dropped['internal_error'], undefined)
})
