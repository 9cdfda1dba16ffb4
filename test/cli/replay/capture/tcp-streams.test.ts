import t from 'tap'
import type { Captured } from '../../../../cli/replay/capture/datagrams.ts'
import { TcpStreams } from '../../../../cli/replay/capture/tcp-streams.ts'

const FROM = { address: '192.0.2.1', port: 40_000 }
const TO = { address: '192.0.2.2', port: 5060 }
type Segment = Extract<Captured, { readonly kind: 'tcp' }>

function segment(sequence: number, text: string, isSyn = false): Segment {
  const payload = Buffer.from(text)
  const wrapped = sequence >>> 0
  return { kind: 'tcp', number: 1, atMs: 0, from: FROM, to: TO, sequence: wrapped, isSyn, payload }
}

function read(segments: readonly Segment[]): string {
  const streams = new TcpStreams()
  return [...segments.flatMap((one) => streams.push(one)), ...streams.finish()]
    .map(({ bytes, isAfterGap }) => `${isAfterGap ? '|' : ''}${bytes}`)
    .join('')
}

t.test('bytes come in order, once, also across the wrap', async (t) => {
  const start = 2 ** 32 - 5
  const parts = [
    segment(start - 1, '', true),
    segment(start, 'abc'),
    segment(start + 6, 'ghi'),
    segment(start + 3, 'def'),
    segment(start, 'abc'),
    segment(start + 6, 'ghijkl'),
    segment(start + 12, 'm'),
  ]
  t.equal(read(parts), 'abcdefghijklm')
})

t.test('a capture may begin within a connection', async (t) => {
  t.equal(read([segment(100, 'x'), segment(101, 'y')]), 'xy')
})

t.test('what is missing is passed over at the end, or when too much waits', async (t) => {
  t.equal(read([segment(0, 'ab'), segment(4, 'ef')]), 'ab|ef')
  const streams = new TcpStreams()
  streams.push(segment(0, 'a'))
  let given = ''
  for (let index = 0; index < 400; index++) {
    for (const { bytes, isAfterGap } of streams.push(segment(10 + index, 'z'))) {
      given += isAfterGap ? `|${bytes}` : bytes
    }
  }
  t.equal(given, `|${'z'.repeat(400)}`)
})

t.test('a new connection from the same port begins anew', async (t) => {
  t.equal(read([segment(10, 'a'), segment(5_000_000, '', true), segment(5_000_001, 'b')]), 'ab')
})
