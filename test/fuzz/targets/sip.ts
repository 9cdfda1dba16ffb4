import { readChallenge } from '../../../gateway/sip/digest-challenge.ts'
import { DigestJudge } from '../../../gateway/sip-door/digest-judge.ts'
import { Nonces } from '../../../gateway/sip-door/nonces.ts'
import { FrameReader } from '../../../gateway/sip-server/client-protocol.ts'
import { DEFAULT_LIMITS } from '../../../gateway/sip-server/limits.ts'
import { messageText, parseHead } from '../../../gateway/sip-server/sip-message.ts'
import { StreamFramer } from '../../../gateway/sip-server/stream-framer.ts'
import type { Received } from '../../../gateway/sip-server/transport.ts'
import { MemoryServer, type Reaction } from '../../gateway/sip-server/memory-server.ts'
import { TORTURE } from '../../gateway/sip-server/torture-messages.ts'
import { ManualClock } from '../../manual-clock.ts'
import { sipMessages } from '../fixtures.ts'
import { type FuzzTarget, joined, latin1, Unsound } from '../target.ts'

const WORDS = [
  ...[
    '\r\n',
    '\n',
    '\r\n\r\n',
    '\r\n ',
    '\t',
    ';tag=',
    ';branch=z9hG4bK',
    ';rport',
    ';alias',
    '%00',
  ],
  ...['Via: SIP/2.0/UDP 192.0.2.1', 'l: 0', 'Content-Length: 5', 'CSeq: 1 INVITE', 'CSeq: 1 ACK'],
  ...['INVITE', 'CANCEL', 'ACK', 'BYE', 'PRACK', 'REGISTER', 'SIP/2.0', 'SIP/2.0 200 OK', 'sips:'],
  ...['[::1]', '|', '#', 'Require: 100rel', 'RAck: 1 1 INVITE', 'Session-Expires: 90', 'Min-SE: 1'],
  ...['Record-Route: <sip:192.0.2.1;lr>', 'Contact: *', 'To: <sip:a@b>', 'Max-Forwards: 0'],
]

/** One datagram or stream is answered, refused or counted, and no transaction stays for ever. */
export const sipDatagrams: FuzzTarget = {
  name: 'sip',
  covers: ['gateway/sip-server/'],
  seeds: () => [...sipMessages(), ...TORTURE.map(({ text }) => Buffer.from(text, 'latin1'))],
  words: WORDS,
  maxBytes: 16_384,
  start: () => {
    let server = new MemoryServer()
    let taken = 0
    return {
      take: (input) => {
        const text = latin1(input)
        check(server.takeDatagram(text), 'datagram')
        check(server.takeStream(text), 'stream')
        taken += 1
        if (taken % 64 !== 0) return
        server.settle()
        if (server.transactions > 0) throw new Unsound(`${server.transactions} transactions stay`)
        server = new MemoryServer()
      },
    }
  },
}

function check({ answers, dropped, taken }: Reaction, what: string): void {
  if (answers.length > 0 || dropped > 0) return
  const isSilent = taken.every((item) => {
    return item.kind === 'keep_alive' || ('message' in item && /^ACK /.test(item.message.startLine))
  })
  if (!isSilent) throw new Unsound(`a ${what} left no trace`)
}

/** A stream is the same however it is cut into pieces, and a message that was read reads the same when written. */
export const sipStream: FuzzTarget = {
  name: 'sip-stream',
  covers: ['gateway/sip-server/'],
  seeds: () => {
    const messages = sipMessages()
    return messages.map((message, at) => Buffer.concat([message, messages.at(at - 1) ?? message]))
  },
  words: WORDS,
  maxBytes: 16_384,
  start: () => ({
    take: (input) => {
      const text = latin1(input)
      const whole = framed([text])
      const at = input[0] === undefined ? 0 : (input[0] * 37) % (text.length + 1)
      const inPieces = framed([text.slice(0, at), ...(text.slice(at).match(/[\s\S]{1,97}/g) ?? [])])
      if (shown(whole) !== shown(inPieces)) throw new Unsound('another stream in pieces')
      for (const item of whole) if (item.kind === 'message') checkWritten(item)
    },
  }),
}

function framed(cut: readonly string[]): readonly Received[] {
  const framer = new StreamFramer(DEFAULT_LIMITS)
  return cut.flatMap((piece) => framer.push(piece))
}

/** How many keep-alives there are depends on where the line ends are cut. */
function shown(items: readonly Received[]): string {
  const kept = items.filter(({ kind }) => kind !== 'keep_alive')
  return JSON.stringify(kept)
}

function checkWritten({ message }: Extract<Received, { readonly kind: 'message' }>): void {
  const head = parseHead(messageText(message), { maxHeadBytes: 1e6, maxHeaders: 1e6 })
  if (head.kind !== 'head') throw new Unsound('what was written cannot be read')
  const names = (headers: readonly { readonly key: string }[]) =>
    headers.map(({ key }) => key).join()
  if (names(head.message.headers) !== names(message.headers)) throw new Unsound('other headers')
}

/** Credentials and challenges of anybody. */
export const sipDigest: FuzzTarget = {
  name: 'sip-digest',
  covers: ['gateway/sip-door/', 'gateway/sip/digest'],
  seeds: () => [
    Buffer.from(
      'Digest username="bob", realm="tallenne", nonce="AAAAAAAAAAAAAAAA", uri="sip:recorder@127.0.0.1", response="0123456789abcdef0123456789abcdef", algorithm=MD5, cnonce="c", qop=auth, nc=00000001',
    ),
    Buffer.from(
      'Digest realm="a", nonce="b\\"c", opaque="", algorithm=MD5-sess, qop="auth,auth-int"',
    ),
  ],
  words: [
    'Digest ',
    'realm="tallenne"',
    'qop=auth',
    'nc=ffffffff',
    ', ',
    '\\"',
    'algorithm=SHA-256',
  ],
  maxBytes: 6_000,
  start: () => {
    const judge = new DigestJudge(
      { realm: 'tallenne', algorithms: ['SHA-256', 'MD5'] },
      new Nonces(new ManualClock()),
    )
    return {
      take: (input) => {
        const text = latin1(input)
        readChallenge(text)
        const value = text.replace(/[\r\n]/g, ' ')
        const head = parseHead(
          `INVITE sip:recorder@127.0.0.1 SIP/2.0\r\nAuthorization: ${value}\r\n\r\n`,
          DEFAULT_LIMITS,
        )
        if (head.kind !== 'head' || head.message.kind !== 'request') return
        const bob = { user: 'bob', password: 'secret' }
        const { kind } = judge.judge(head.message, '192.0.2.1', [bob])
        if (kind === 'right') throw new Unsound('credentials out of nothing')
      },
    }
  },
}

/** The protocol of drachtio clients. */
export const clientFrames: FuzzTarget = {
  name: 'client-frames',
  covers: ['gateway/sip-server/client-protocol'],
  seeds: () => [Buffer.from('21#1|authenticate|secret'), joined([Buffer.from('5#1|ping')])],
  words: ['#', '|', '\r\n', '|sip|', '|route|invite', '9999999#'],
  maxBytes: 4_096,
  start: () => ({
    take: (input) => {
      const text = latin1(input)
      const whole = new FrameReader(65_536).push(text)
      const reader = new FrameReader(65_536)
      const inPieces = (text.match(/[\s\S]{1,5}/g) ?? []).flatMap((piece) => reader.push(piece))
      if (JSON.stringify(whole) !== JSON.stringify(inPieces)) throw new Unsound('other frames')
    },
  }),
}
