import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { DEFAULT_LIMITS } from '../../../gateway/sip-server/limits.ts'
import { clientFields } from '../../../gateway/sip-server/message-writer.ts'
import { StreamFramer } from '../../../gateway/sip-server/stream-framer.ts'
import { MemoryServer, type Reaction } from './memory-server.ts'
import { TORTURE } from './torture-messages.ts'

/** Fixtures are not compiled: from build/test/gateway/sip-server they are four folders up. */
const FOLDER = join(import.meta.dirname, '../../../../sip-fixtures')

/** Bodies of more than this are cut at fewer places, since nothing but their length tells these apart. */
const EVERY_BYTE = 6_000

const fixtures = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.txt'))
  .map((file) => ({ name: file, text: readFileSync(join(FOLDER, file), 'latin1') }))

/** An answer, a refusal, or a counted drop; nothing but an ACK, a keep-alive or the rest of a stream leaves no trace. */
function isAccountedFor({ answers, dropped, taken }: Reaction): boolean {
  if (answers.length > 0 || dropped > 0) return true
  return taken.every((item) => {
    return item.kind === 'keep_alive' || ('message' in item && isAck(item.message.startLine))
  })
}

function isAck(startLine: string): boolean {
  return startLine.startsWith('ACK ')
}

for (const { name, text } of fixtures) {
  t.test(`${name} cut off at every byte is answered, refused or counted`, async (t) => {
    const server = new MemoryServer()
    const bodyAt = text.indexOf('\r\n\r\n') + 4
    const unaccounted: string[] = []
    for (let end = 0; end <= text.length; end += end < bodyAt + EVERY_BYTE ? 1 : 997) {
      const cut = text.slice(0, end)
      if (!isAccountedFor(server.takeDatagram(cut))) unaccounted.push(`datagram ${end}`)
      if (!isAccountedFor(server.takeStream(cut))) unaccounted.push(`stream ${end}`)
      if (end % 64 === 0) server.settle()
    }
    server.settle()
    t.same(unaccounted, [])
    t.equal(server.transactions, 0)
  })
}

t.test('an INVITE in two pieces is the same as in one, wherever it is cut', async (t) => {
  const invites = fixtures.filter(({ name, text }) => {
    return name.endsWith('invite.txt') && text.length < EVERY_BYTE
  })
  t.ok(invites.length > 0)
  for (const { name, text } of invites) {
    const bodies = (...pieces: readonly string[]) => {
      const framer = new StreamFramer(DEFAULT_LIMITS)
      const items = pieces.flatMap((piece) => framer.push(piece))
      return items.map((item) => (item.kind === 'message' ? item.message.body : item.kind)).join()
    }
    const whole = bodies(text, text)
    const wrong: number[] = []
    for (let at = 0; at <= text.length; at += 1) {
      if (bodies(text.slice(0, at), text.slice(at) + text) !== whole) wrong.push(at)
    }
    t.same(wrong, [], name)
  }
})

const piece = fc.oneof(
  fc.constantFrom(
    '\r\n',
    '\n',
    '\r',
    '\r\n\r\n',
    '\r\n ',
    '\0',
    '\t',
    ' ',
    ';;',
    ',,',
    '"',
    '<',
    '>',
  ),
  fc.constantFrom('@', ':', '%00', '[', ']', '[::1]', '|', '#', 'z9hG4bK', ';tag=', ';branch='),
  fc.constantFrom(
    'Content-Length: 99999\r\n',
    'l: 0\r\n',
    'CSeq: 1 ACK\r\n',
    'Via: ',
    'ACK',
    'CANCEL',
  ),
  fc.constantFrom(
    '--',
    'Require: x\r\n',
    'SIP/2.0',
    'SIP/2.0 200 OK\r\n',
    'sips:',
    '4294967296',
    '-1',
  ),
  fc.string({ unit: 'binary-ascii', maxLength: 12 }),
  fc.integer({ min: 128, max: 255 }).map((code) => String.fromCharCode(code)),
)
const mutation = fc.record({
  /** In ten-thousandths; doubles would nearly all be next to zero. */
  at: fc.noBias(fc.nat({ max: 9_999 })),
  length: fc.nat({ max: 60 }),
  put: piece,
})
const source = fc.constantFrom(
  ...fixtures.map(({ text }) => text).filter((text) => text.length < EVERY_BYTE),
  ...TORTURE.map(({ text }) => text),
)

t.test('mutated messages are answered, refused or counted, and end', async () => {
  fc.assert(
    fc.property(source, fc.array(mutation, { minLength: 1, maxLength: 6 }), (text, mutations) => {
      const server = new MemoryServer()
      let mutated = text
      for (const { at, length, put } of mutations) {
        const from = Math.floor((at * mutated.length) / 10_000)
        mutated = mutated.slice(0, from) + put + mutated.slice(from + length)
      }
      const reactions = [server.takeDatagram(mutated), server.takeStream(mutated)]
      server.settle()
      return reactions.every(isAccountedFor) && server.transactions === 0
    }),
    { numRuns: 3000 },
  )
})

t.test('no value of a header that came can write another one', async (t) => {
  const local = { host: '192.0.2.1', port: 5060 }
  const names = (headers: string) => clientFields(headers, local).map(({ name }) => name)
  t.same(names('Subject: one\r\n two\r\n\tX-Evil: three\r\nPriority: four'), [
    'Subject',
    'Priority',
  ])
  t.same(clientFields('Subject: one\r\n\tX-Evil: two', local)[0]?.value, 'one X-Evil: two')
  const server = new MemoryServer()
  const text = TORTURE[0]?.text ?? ''
  const evil = text.replace('one value', 'one value\rX-Evil: 1\rContent-Length: 0')
  const { taken } = server.takeDatagram(evil)
  const [item] = taken
  const headers = item?.kind === 'message' ? item.message.headers : []
  t.equal(
    headers.find(({ key }) => key === 'newfangledheader')?.value,
    'one value X-Evil: 1 Content-Length: 0 continued on the next line',
  )
  t.notOk(headers.some(({ line }) => /\r(?!\n)/.test(line)))
})
