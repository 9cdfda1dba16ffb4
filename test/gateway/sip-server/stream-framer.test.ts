import fc from 'fast-check'
import t from 'tap'
import { DEFAULT_LIMITS } from '../../../gateway/sip-server/limits.ts'
import { StreamFramer } from '../../../gateway/sip-server/stream-framer.ts'
import type { Received } from '../../../gateway/sip-server/transport.ts'
import { SDP, sipRequest } from './sip-text.ts'

const ONE = sipRequest({ transport: 'TCP', body: SDP })
const TWO = sipRequest({ transport: 'TCP', method: 'OPTIONS' })

function summary(items: readonly Received[]): readonly string[] {
  return items.map((item) => {
    if (item.kind === 'message') return `${item.message.startLine} ${item.message.body.length}`
    if (item.kind === 'bad_request') return `${item.status} ${item.reason} ${item.isLast}`
    return item.kind === 'dropped' ? item.reason : item.kind
  })
}

function pushed(...pieces: readonly string[]): readonly string[] {
  const framer = new StreamFramer(DEFAULT_LIMITS)
  return summary(pieces.flatMap((piece) => framer.push(piece)))
}

const BOTH = [
  `INVITE sip:recorder@127.0.0.1 SIP/2.0 ${SDP.length}`,
  'OPTIONS sip:recorder@127.0.0.1 SIP/2.0 0',
]

t.test('joined messages come apart, whatever the stream was cut into', async (t) => {
  const stream = ONE + TWO
  t.same(pushed(stream), BOTH)
  const wrong: number[] = []
  for (let at = 0; at <= stream.length; at += 1) {
    const summaries = pushed(stream.slice(0, at), stream.slice(at))
    if (summaries.join() !== BOTH.join()) wrong.push(at)
  }
  t.same(wrong, [], 'cuts that came out otherwise')
  t.same(pushed(...stream), BOTH, 'byte by byte')
})

t.test('lengths are counted in bytes', async (t) => {
  const body = Buffer.from('Hyvää päivää ☎').toString('latin1')
  const head = `MESSAGE sip:a@b SIP/2.0\r\nContent-Length: ${body.length}\r\n\r\n`
  t.same(pushed(head + body + TWO), [`MESSAGE sip:a@b SIP/2.0 ${body.length}`, BOTH[1]])
})

t.test('a double CRLF asks for an answer, a single one is nothing', async (t) => {
  t.same(pushed('\r\n\r\n'), ['keep_alive'])
  t.same(pushed('\r\n', '\r\n'), ['keep_alive'])
  t.same(pushed(`\r\n${TWO}\r\n\r\n${TWO}`), [BOTH[1], 'keep_alive', BOTH[1]])
  const framer = new StreamFramer(DEFAULT_LIMITS)
  framer.push('\r\n')
  t.equal(framer.isInsideMessage, false)
  framer.push('OPTI')
  t.equal(framer.isInsideMessage, true)
})

t.test('what cannot be followed ends the stream with its reason', async (t) => {
  const bare = 'OPTIONS sip:a@b SIP/2.0\r\nVia: x\r\n'
  t.same(pushed(`${bare}\r\n`, TWO), ['400 Missing Content-Length true'])
  t.same(pushed(`${bare}l: ten\r\n\r\n`, TWO), ['400 Bad Content-Length Header true'])
  t.same(pushed(`${bare}l: 600000\r\n\r\n`, TWO), ['413 Request Entity Too Large true'])
  t.same(pushed('GET / HTTP/1.1\r\n\r\n', TWO), ['no_start_line'])
  t.same(pushed('x'.repeat(40_000)), ['head_too_long'])
  t.same(pushed('SIP/2.0 200 OK\r\n\r\n'), ['bad_framing'])
})

t.test('a request that is faulty but counted does not end the stream', async (t) => {
  const faulty = 'OPTIONS sip:a b SIP/2.0\r\nContent-Length: 2\r\n\r\nxy'
  t.same(pushed(faulty + TWO), ['400 Bad Request-URI false', BOTH[1]])
})

t.test('no stream makes it throw or keep more than its limits', async (t) => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom('\r\n', '\r\n\r\n', TWO, 'Content-Length: 5\r\n', 'OPTIONS a SIP/2.0\r\n'),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      pushed(...pieces)
    }),
    { numRuns: 300 },
  )
  t.pass('nothing threw')
})
