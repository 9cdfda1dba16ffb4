import t from 'tap'
import { DEFAULT_LIMITS } from '../../../gateway/sip-server/limits.ts'
import { datagramBody } from '../../../gateway/sip-server/message-body.ts'
import { headerValue, parseHead } from '../../../gateway/sip-server/sip-message.ts'

const PART = '--edge\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n'
const CLOSED = `${PART}--edge--\r\n`

function outcomeOf(headers: readonly string[], rest: string) {
  const text = ['INVITE sip:a@192.0.2.1 SIP/2.0', ...headers, '', ''].join('\r\n')
  const head = parseHead(text, DEFAULT_LIMITS)
  if (head.kind !== 'head') throw new Error(head.kind)
  const outcome = datagramBody(head.message, rest)
  return outcome.kind === 'bad'
    ? outcome
    : {
        body: outcome.message.body,
        length: headerValue(outcome.message, 'content-length'),
      }
}

t.test('a body is as long as Content-Length says, or as the datagram', async (t) => {
  t.same(outcomeOf(['Content-Length: 3'], 'v=0'), { body: 'v=0', length: '3' })
  t.same(outcomeOf(['l: 3'], 'v=0 padding'), { body: 'v=0', length: '3' })
  t.same(outcomeOf([], 'v=0'), { body: 'v=0', length: undefined })
})

t.test('a multipart body that is miscounted is taken to the datagram end', async (t) => {
  const type = 'Content-Type: multipart/mixed;boundary="edge"'
  const whole = { body: CLOSED, length: String(CLOSED.length) }
  t.same(outcomeOf([type, 'Content-Length: 9999'], CLOSED), whole)
  t.same(outcomeOf([type, 'Content-Length: 20'], CLOSED), whole)
  t.same(outcomeOf([type, 'Content-Length: 9999'], PART), {
    body: PART,
    length: String(PART.length),
  })
})

t.test('padding after a closed multipart body is no part of it', async (t) => {
  const type = 'Content-Type: multipart/mixed; boundary=edge'
  const length = `Content-Length: ${CLOSED.length}`
  t.match(outcomeOf([type, length], `${CLOSED}\u0000\u0000`), { body: CLOSED })
})

t.test('a description may lack the line end that it counts', async (t) => {
  t.same(outcomeOf(['Content-Length: 5'], 'v=0'), { body: 'v=0', length: '3' })
  t.match(outcomeOf(['Content-Length: 7'], 'v=0\r\n'), { kind: 'bad' })
  t.match(outcomeOf(['Content-Length: 5'], 'abc'), { kind: 'bad' })
})

t.test('any other body that is shorter than it says is refused', async (t) => {
  t.same(outcomeOf(['Content-Type: application/sdp', 'Content-Length: 6'], 'v=0'), {
    kind: 'bad',
    reason: 'Content-Length Exceeds Datagram',
  })
  t.same(outcomeOf(['Content-Length: -1'], ''), {
    kind: 'bad',
    reason: 'Bad Content-Length Header',
  })
  const type = 'Content-Type: multipart/mixed;boundary=edge'
  t.match(outcomeOf([type, 'Content-Length: 9'], 'v=0'), { kind: 'bad' })
})
