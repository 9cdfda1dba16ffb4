import fc from 'fast-check'
import t, { type Test } from 'tap'
import { startSignallingNode } from '../gateway/signalling-node.ts'
import type { PeerMessage } from '../gateway/sip-peer.ts'
import { WAIT_MS } from '../until.ts'
import { settle } from './play-scenario.ts'
import { messageNames, readMessage, readScenarios, vendorNames } from './scenario.ts'
import { WireClient } from './wire-client.ts'

/** A gateway to which single datagrams are sent, whatever is in them. */
async function hostileWire(t: Pick<Test, 'teardown'>) {
  const node = await startSignallingNode(t, { unmarked: 'record' })
  const client = await WireClient.open(node)
  t.teardown(() => client.close())
  const sum = (counts: Readonly<Record<string, number>>) =>
    Object.values(counts).reduce((total, count) => total + count, 0)
  const dropped = () => sum(node.counters().dropped)
  const answered = () => {
    const { '1xx': provisional = 0, ...finals } = node.counters().responsesSent
    return sum(finals) + (node.counters().requestsReceived['ACK'] ?? 0)
  }

  /** Sends one and waits until it is dropped and counted, or finally answered; what was set up by it is ended. */
  async function send(text: string): Promise<'dropped' | 'answered'> {
    const before = { dropped: dropped(), answered: answered() }
    client.send('udp', text)
    const isDone = () => dropped() > before.dropped || answered() > before.answered
    if (!(await comesTrue(isDone))) throw new Error(`neither answered nor counted: ${text}`)
    const outcome = dropped() > before.dropped ? 'dropped' : 'answered'
    await comesTrue(() => {
      for (const response of client.drain()) acknowledge(response)
      return node.sessions.count === 0
    })
    // What was sent to end it is taken as well, so that it counts for nothing after it.
    await settle(client, { transport: 'udp' })
    return outcome
  }

  function acknowledge(response: PeerMessage): void {
    const { status, headers } = response
    const cseq = headers.get('cseq') ?? ''
    if (status < 200 || !/INVITE$/i.test(cseq)) return
    const target = /<([^>]+)>/.exec(headers.get('contact') ?? '')?.[1] ?? 'sip:recorder@127.0.0.1'
    const number = Number.parseInt(cseq, 10)
    const request = (method: string, at: number, via: string) =>
      [
        `${method} ${target} SIP/2.0`,
        `Via: ${via}`,
        'Max-Forwards: 70',
        ...['from', 'to', 'call-id'].map((name) => `${name}: ${headers.get(name) ?? ''}`),
        `CSeq: ${at} ${method}`,
        'Content-Length: 0',
        '\r\n',
      ].join('\r\n')
    const via = headers.get('via') ?? ''
    const own = (name: string) => via.replace(/branch=[^;\s]*/, `$&-${name}`)
    client.send('udp', request('ACK', number, status < 300 ? own('ack') : via))
    if (status < 300) client.send('udp', request('BYE', number + 1, own('bye')))
  }

  return { node, client, send }
}

async function comesTrue(isSo: () => boolean): Promise<boolean> {
  for (const deadline = Date.now() + WAIT_MS; !isSo(); ) {
    if (Date.now() > deadline) return false
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return true
}

let serial = 0

/** A message over UDP in a call of its own. */
function afresh(name: string): string {
  const number = ++serial
  return readMessage(name)
    .replace(/^(Via: *SIP\/2\.0\/)\w+([^\r\n]*)/im, `$1UDP$2${number};rport`)
    .replace(/^(Call-ID: *)/im, `$1${number}-`)
}

/** The first message of each vendor's. */
const FIRST = vendorNames().flatMap((vendor) => {
  const file = readScenarios(vendor)[0]?.messages[0]?.file
  return file === undefined ? [] : [`${vendor}/${file}`]
})

t.test(
  'an INVITE cut off anywhere is answered or dropped and counted, and nothing stays',
  async (t) => {
    const { node, send } = await hostileWire(t)
    const outcomes = { dropped: 0, answered: 0 }
    for (const [at, name] of FIRST.entries()) {
      const { length } = readMessage(name)
      for (let end = 1 + at; end < length; end += 113) {
        outcomes[await send(afresh(name).slice(0, end))] += 1
      }
    }
    t.ok(outcomes.dropped > 0 && outcomes.answered > 0, JSON.stringify(outcomes))
    t.equal(node.sessions.count, 0)
    t.equal(node.counters().dialogs, 0)
    // The messages of one vendor are all of one call, by the names that they give it.
    const rows = node.entries.flatMap((entry) =>
      entry.kind === 'contact.started' || entry.kind === 'contact.joined' ? [entry.contactId] : [],
    )
    const ended = node.entries.flatMap((entry) =>
      entry.kind === 'contact.ended' ? [entry.contactId] : [],
    )
    t.same(ended.toSorted(), rows.toSorted())
  },
)

t.test('a mutated message is answered or dropped and counted, and calls go on', async (t) => {
  const { node, send } = await hostileWire(t)
  const names = messageNames().filter((name) => readMessage(name).length < 6000)
  const mutation = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.nat({ max: 30 }),
    put: fc.oneof(
      fc.constantFrom('\r\n', '\n', '\0', ':', ';', '<', '>', '"', '=', '@', '--', '\r\n\r\n'),
      fc.constantFrom('Content-Length: 5', 'CSeq: x', 'm=audio', '<!DOCTYPE', ']]>', 'é'),
      fc.string({ maxLength: 12 }),
    ),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...names),
      fc.array(mutation, { minLength: 1, maxLength: 6 }),
      async (name, mutations) => {
        let text = afresh(name)
        // Not the Via: what is answered elsewhere cannot be acknowledged, and holds its session until it is missed.
        const from = text.indexOf('\r\n', text.indexOf('Via:'))
        for (const { at, length, put } of mutations) {
          const start = from + Math.floor(at * (text.length - from))
          text = text.slice(0, start) + put + text.slice(start + length)
        }
        await send(text)
      },
    ),
    { numRuns: 150 },
  )
  t.equal(node.sessions.count, 0)
  t.equal(await send(afresh('generic/invite')), 'answered')
})

const SDP = 'v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\na=sendonly\r\na=label:1\r\n'
const LONG = 200_000

/** Bodies that would cost a trusting reader dear, by what they do. */
const BOMBS: Readonly<Record<string, string>> = {
  'entities that multiply': `<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">${Array.from({ length: 500 }, (_, at) => `<!ENTITY a${at} "${'&a;'.repeat(10)}">`).join('')}]><recording>&a9;</recording>`,
  'elements within elements': '<a>'.repeat(LONG / 3),
  'elements side by side': `<a>${'<b/>'.repeat(LONG / 4)}</a>`,
  'attributes without end': `<a ${'b="c" '.repeat(LONG / 6)}/>`,
  'one long attribute': `<a b="${'x'.repeat(LONG)}"/>`,
  'comments without end': `<a>${'<!-- -->'.repeat(LONG / 8)}</a>`,
  'brackets without end': '<'.repeat(LONG),
  'references without end': `<a>${'&#x41;'.repeat(LONG / 6)}</a>`,
  'participants without end': `<recording>${'<participant id="x"><nameID aor="sip:1@x"/></participant>'.repeat(3000)}</recording>`,
}

t.test('metadata that is a bomb is given up, and the call is recorded', async (t) => {
  const { node, client } = await hostileWire(t)
  for (const [at, [what, xml]] of Object.entries(BOMBS).entries()) {
    const metadata = `--b\r\nContent-Type: application/rs-metadata+xml\r\n\r\n${xml}\r\n`
    const sdp = `--b\r\nContent-Type: application/sdp\r\n\r\n${SDP}\r\n`
    t.equal(await status(client, `bomb-${at}`, `${sdp}${metadata}--b--\r\n`), 200, what)
  }
  const parts = `--b\r\nContent-Type: application/sdp\r\n\r\n${SDP}\r\n${'--b\r\n\r\nx\r\n'.repeat(20_000)}`
  t.equal(await status(client, 'parts', parts), 200, 'parts without end')
  await node.journaled('recording.started', Object.keys(BOMBS).length + 1)
  await node.sessions.drain()
})

async function status(client: WireClient, callId: string, body: string): Promise<number> {
  const lines = [
    'INVITE sip:+12025550100@192.0.2.10 SIP/2.0',
    `Via: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK-${callId}`,
    'Max-Forwards: 70',
    'From: <sip:src@192.0.2.1>;tag=1',
    'To: <sip:+12025550100@192.0.2.10>',
    `Call-ID: ${callId}`,
    'CSeq: 1 INVITE',
    'Contact: <sip:src@127.0.0.1:9>;+sip.src',
    'Require: siprec',
    'Content-Type: multipart/mixed;boundary=b',
    `Content-Length: ${body.length}`,
    '',
    body,
  ]
  client.send('tcp', lines.join('\r\n'))
  const response = await client.finalResponse(callId, '1 INVITE')
  return response?.status ?? 0
}
