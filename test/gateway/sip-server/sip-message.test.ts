import fc from 'fast-check'
import t from 'tap'
import { readEssentials, serverKey } from '../../../gateway/sip-server/essentials.ts'
import { DEFAULT_LIMITS } from '../../../gateway/sip-server/limits.ts'
import {
  headerValue,
  headerValues,
  messageText,
  parseHead,
  type SipMessage,
} from '../../../gateway/sip-server/sip-message.ts'
import { sipRequest } from './sip-text.ts'

function parsed(text: string): SipMessage {
  const outcome = parseHead(text, DEFAULT_LIMITS)
  if (outcome.kind !== 'head') throw new Error(`${outcome.kind}: ${outcome.reason}`)
  return { ...outcome.message, body: text.slice(outcome.bodyStart) }
}

/** In the manner of RFC 4475 §3.1.1.1: legal, however odd. */
const TORTUOUS = [
  'INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0',
  'TO :',
  ' sip:quinn@example.com ;   tag    = 1918181833n',
  'from   : "A Caller \\\\\\""       <sip:caller@example.com>',
  '  ;',
  '  tag = 98asjd8',
  'MaX-fOrWaRdS: 0068',
  'Call-ID: tortuous.0ha0isndaksdj@192.0.2.1',
  'cseq: 0009',
  '  INVITE',
  'Via  : SIP  /   2.0',
  ' /UDP',
  '    192.0.2.2;branch=390skdjuw',
  's :',
  'NewFangledHeader:   newfangled value',
  ' continued newfangled value',
  'UnknownHeaderWithUnusualValue: ;;,,;;,;',
  'v:  SIP  / 2.0  / TCP     192.0.2.3   ;',
  '  branch  =   z9hG4bK9ikj8  ,',
  ' SIP  /    2.0   / UDP  192.0.2.4   ; branch=',
  ' z9hG4bK30239',
  'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =',
  '      newvalue ;',
  '  secondparam ; q = 0.33',
  '',
  '',
].join('\r\n')

t.test('a tortuous request is read whole and handed on as it came', async (t) => {
  const message = parsed(TORTUOUS)
  t.match(message, { kind: 'request', method: 'INVITE', version: '2.0' })
  t.equal(headerValue(message, 'to'), 'sip:quinn@example.com ;   tag    = 1918181833n')
  t.equal(headerValues(message, 'via').length, 2)
  t.equal(headerValue(message, 'subject'), '')
  t.equal(headerValue(message, 'newfangledheader'), 'newfangled value continued newfangled value')
  t.match(headerValue(message, 'contact'), /jdrosen/)
  t.equal(messageText(message), TORTUOUS)
  const outcome = readEssentials(message)
  t.match(outcome, {
    kind: 'complete',
    essentials: {
      via: { transport: 'UDP', host: '192.0.2.2', branch: '390skdjuw' },
      fromTag: '98asjd8',
      toTag: '1918181833n',
      callId: 'tortuous.0ha0isndaksdj@192.0.2.1',
      sequence: 9,
      sequenceMethod: 'INVITE',
    },
  })
})

t.test('compact names and lines that end in LF alone mean the same', async (t) => {
  const text =
    'OPTIONS sip:a@192.0.2.1 SIP/2.0\nv: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa\nf: <sip:b@192.0.2.9>;tag=1\nt: sip:a@192.0.2.1\ni: x\nCSEQ: 1 OPTIONS\nl: 0\n\n'
  const message = parsed(text)
  t.same(
    message.headers.map(({ key }) => key),
    ['via', 'from', 'to', 'call-id', 'cseq', 'content-length'],
  )
  t.equal(messageText(message), text.replaceAll('\n', '\r\n'))
})

t.test('a response is read with and without a reason', async (t) => {
  t.match(parsed('SIP/2.0 200 OK\r\n\r\n'), { kind: 'response', status: 200, reason: 'OK' })
  t.match(parsed('SIP/2.0 486\r\n\r\n'), { kind: 'response', status: 486, reason: '' })
})

t.test('bytes that are no ASCII pass through unchanged', async (t) => {
  const bytes = Buffer.from('MESSAGE sip:a@b SIP/2.0\r\nSubject: Pöytä ☎\r\n\r\n')
  const text = bytes.toString('latin1')
  t.same(Buffer.from(messageText(parsed(text)), 'latin1'), bytes)
})

t.test('what is no SIP, or too much of it, is dropped with its reason', async (t) => {
  const reasonOf = (text: string) => parseHead(text, DEFAULT_LIMITS)
  t.match(reasonOf('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), { reason: 'no_start_line' })
  t.match(reasonOf('\u0000\u0001\u0000\u0058'), { reason: 'no_start_line' })
  t.match(reasonOf('SIP/2.0 99 Odd\r\n\r\n'), { reason: 'no_start_line' })
  t.match(reasonOf('SIP/2.0 200 OK\r\nno colon\r\n\r\n'), { reason: 'bad_header' })
  t.match(reasonOf(`OPTIONS sip:a@b SIP/2.0\r\nX: ${'a'.repeat(40_000)}\r\n\r\n`), {
    reason: 'head_too_long',
  })
  t.match(reasonOf(`OPTIONS sip:a@b SIP/2.0\r\n${'X: 1\r\n'.repeat(300)}\r\n`), {
    reason: 'too_many_headers',
  })
})

t.test('a request that can be read but not taken says why', async (t) => {
  t.match(parseHead('INVITE sip:a@b; x=y SIP/2.0\r\nTo: a\r\n\r\n', DEFAULT_LIMITS), {
    kind: 'bad_request',
    reason: 'Bad Request-URI',
  })
  t.match(parseHead('INVITE sip:a@b SIP/2.0\r\nTo a\r\n\r\n', DEFAULT_LIMITS), {
    kind: 'bad_request',
    reason: 'Bad Header Line',
  })
})

t.test('each missing, repeated or broken essential has its own reason', async (t) => {
  const good = sipRequest({ method: 'OPTIONS' })
  const reasonOf = (text: string) => {
    const outcome = readEssentials(parsed(text))
    return outcome.kind === 'faulty' ? `${outcome.reason} ${outcome.isAnswerable}` : 'none'
  }
  const without = (name: string) => good.replace(new RegExp(`^${name}:.*\r\n`, 'm'), '')
  const instead = (name: string, value: string) =>
    good.replace(new RegExp(`^${name}:.*$`, 'm'), `${name}: ${value}`)
  t.equal(reasonOf(good), 'none')
  t.equal(reasonOf(without('Via')), 'Missing Via Header false')
  t.equal(reasonOf(instead('Via', 'HTTP/1.1 a')), 'Bad Via Header false')
  t.equal(reasonOf(without('From')), 'Missing From Header true')
  t.equal(reasonOf(instead('From', '<sip:a@b')), 'Bad From Header true')
  t.equal(reasonOf(instead('From', '<sip:a@b>;tag=a|b')), 'Bad From Header true')
  t.equal(reasonOf(instead('Call-ID', 'a|b')), 'Bad Call-ID Header true')
  t.equal(reasonOf(instead('To', 'nonsense here')), 'Bad To Header true')
  t.equal(reasonOf(instead('Call-ID', 'a b')), 'Bad Call-ID Header true')
  t.equal(reasonOf(instead('CSeq', '36893488147419103232 OPTIONS')), 'Bad CSeq Header true')
  t.equal(reasonOf(instead('CSeq', '1 INVITE')), 'CSeq Method Differs true')
  t.equal(
    reasonOf(good.replace('CSeq: 1 OPTIONS', 'CSeq: 1 OPTIONS\r\nCSeq: 2 OPTIONS')),
    'Repeated CSeq Header true',
  )
})

t.test(
  'ACK and CANCEL find the INVITE by its branch, or without one by RFC 2543 rules',
  async (t) => {
    const keyOf = (text: string) => {
      const message = parsed(text)
      const outcome = readEssentials(message)
      if (outcome.kind !== 'complete' || message.kind !== 'request') throw new Error('faulty')
      return serverKey(outcome.essentials, message.method)
    }
    const branch = 'z9hG4bKsame'
    const invite = keyOf(sipRequest({ branch }))
    t.equal(keyOf(sipRequest({ branch, method: 'CANCEL' })), invite)
    t.equal(keyOf(sipRequest({ branch, method: 'ACK', toTag: 'x' })), invite)
    t.not(keyOf(sipRequest({ branch, method: 'BYE' })), invite)
    t.not(keyOf(sipRequest({ branch, port: 5070 })), invite)
    const old = { branch: '1' }
    t.equal(keyOf(sipRequest({ ...old, method: 'ACK' })), keyOf(sipRequest(old)))
    t.not(keyOf(sipRequest({ ...old, sequence: 2 })), keyOf(sipRequest(old)))
  },
)

t.test('a message cut at any byte is read or refused, never more', async (t) => {
  for (const fixture of [TORTUOUS, sipRequest({ body: 'v=0\r\n' })]) {
    for (let end = 0; end <= fixture.length; end += 1) {
      const outcome = parseHead(fixture.slice(0, end), DEFAULT_LIMITS)
      if (outcome.kind !== 'unreadable') readEssentials(outcome.message)
    }
  }
  t.pass('no cut threw')
})

t.test('whatever comes, reading gives an outcome', async (t) => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom('INVITE ', 'SIP/2.0', '\r\n', '\n', ' ', ':', 'Via: ', '<', '>', '"', ';tag='),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const outcome = parseHead(pieces.join(''), DEFAULT_LIMITS)
      if (outcome.kind !== 'unreadable') readEssentials(outcome.message)
    }),
    { numRuns: 500 },
  )
  t.pass('nothing threw')
})
