import t from 'tap'
import type { JournalEntry } from '../../../storage/model.ts'
import { until } from '../../until.ts'
import { bothBodies, MULTIPART, metadata, offer } from '../recording-offer.ts'
import { startSignallingNode } from '../signalling-node.ts'
import type { SipPeer } from '../sip-peer.ts'
import { startNode } from './start-node.ts'

const two = [
  { port: 40_000, label: '1' },
  { port: 40_002, label: '2' },
]
const call = {
  to: 'sip:+12025550100@127.0.0.1',
  contentType: MULTIPART,
  body: bothBodies(offer(two), metadata()),
}

/** What CUCM's built-in bridge says in From of one of its two sessions. */
function bridge(
  end: 'near' | 'far',
  {
    reference = '81234567',
    farReference = '81234568',
    agent = '4001',
    far = '2025550147',
  }: {
    readonly reference?: string
    readonly farReference?: string
    readonly agent?: string
    readonly far?: string
  } = {},
): string {
  return [
    `sip:${agent}@127.0.0.1;x-${end}end;x-refci=${reference};x-nearendclusterid=StandAloneCluster`,
    `x-nearenddevice=SEP001122334455;x-nearendaddr=${agent};x-farendrefci=${farReference}`,
    `x-farendclusterid=StandAloneCluster;x-farenddevice=TRUNK-A;x-farendaddr=${far}`,
  ].join(';')
}

/** Brings one of the bridge's sessions, whose offer comes late and whose answer is in the ACK. */
async function bring(peer: SipPeer, callId: string, from: string, port = 40_000) {
  const session = peer.call({ callId, from, to: 'sip:8000@127.0.0.1' })
  session.sendInvite()
  const response = await session.response('INVITE')
  session.ack(response, offer([{ port }, { port: 0 }]))
  return { session, status: response.status }
}

function kinds(entries: readonly JournalEntry[], ...wanted: readonly JournalEntry['kind'][]) {
  return entries.map(({ kind }) => kind).filter((kind) => wanted.includes(kind))
}

for (const order of [
  ['near', 'far'],
  ['far', 'near'],
] as const) {
  t.test(
    `an agent whose phone sends ${order[0]} and ${order[1]} end apart has one contact and one recording`,
    async (t) => {
      const { peer, entries, journaled } = await startSignallingNode(t)
      const [first, second] = order
      const one = await bring(peer, `${first}@phone`, bridge(first))
      const other = await bring(peer, `${second}@phone`, bridge(second))
      t.equal(one.status, 200)
      t.equal(other.status, 200)
      const started = await journaled('contact.started')
      t.match(started, { callId: `${first}@phone`, agent: '4001' })
      t.match(await journaled('contact.joined'), {
        into: started.contactId,
        callId: `${second}@phone`,
      })
      await one.session.bye()
      await other.session.bye()
      const recording = await journaled('recording.ended')
      t.match(recording, { contactId: started.contactId, state: 'complete' })
      await journaled('contact.ended', 2)
      t.strictSame(
        kinds(
          entries,
          'contact.started',
          'recording.started',
          'recording.ended',
          'segment.started',
        ),
        ['contact.started', 'segment.started', 'recording.started', 'recording.ended'],
      )
    },
  )
}

t.test('two calls of one phone at the same time stay two contacts', async (t) => {
  const { peer, entries, journaled } = await startNode(t)
  const calls = [
    await bring(peer, 'a-near', bridge('near')),
    await bring(peer, 'b-near', bridge('near', { reference: '91', farReference: '92' })),
    await bring(peer, 'b-far', bridge('far', { reference: '91', farReference: '92' })),
    await bring(peer, 'a-far', bridge('far')),
  ]
  t.equal(entries.filter(({ kind }) => kind === 'contact.started').length, 2)
  for (const { session } of calls) await session.bye()
  await journaled('contact.ended', 4)
  t.equal(entries.filter(({ kind }) => kind === 'recording.ended').length, 2)
})

t.test('a phone that restarts one of its two sessions goes on in the same recording', async (t) => {
  const { peer, entries, journaled } = await startNode(t)
  const near = await bring(peer, 'near-1', bridge('near'))
  const far = await bring(peer, 'far-1', bridge('far'))
  await far.session.bye()
  const again = await bring(peer, 'far-2', bridge('far'))
  await near.session.bye()
  await again.session.bye()
  await journaled('contact.ended', 3)
  t.equal(entries.filter(({ kind }) => kind === 'recording.ended').length, 1)
})

t.test(
  'a call whose sessions all end and come again within seconds stays one contact',
  async (t) => {
    const { peer, entries, journaled } = await startNode(t)
    const near = await bring(peer, 'near-1', bridge('near'))
    await near.session.bye()
    await journaled('contact.ended')
    const again = await bring(peer, 'near-2', bridge('near'))
    t.match(await journaled('contact.joined'), { callId: 'near-2' })
    await again.session.bye()
    await journaled('recording.ended', 2)
    t.equal(entries.filter(({ kind }) => kind === 'contact.started').length, 1)
  },
)

t.test('a transferred caller is one contact, with a segment for each agent’s phone', async (t) => {
  const { peer, entries, journaled } = await startNode(t)
  const first = await bring(peer, 'first', bridge('near', { reference: '1', farReference: '9' }))
  const { contactId } = await journaled('contact.started')
  await first.session.bye()
  await journaled('recording.ended')
  const second = await bring(
    peer,
    'second',
    bridge('near', { agent: '4002', reference: '2', farReference: '9' }),
  )
  t.match(await journaled('contact.joined'), { into: contactId })
  t.match(await journaled('contact.changed'), { contactId, agent: '4002' })
  await second.session.bye()
  await journaled('contact.ended', 2)
  const segments = entries.flatMap((entry) => (entry.kind === 'segment.started' ? entry : []))
  t.match(segments, [
    { contactId, agent: '4001' },
    { contactId, agent: '4002' },
  ])
})

t.test('a second recording server’s copy of a call is the same contact', async (t) => {
  const { peer, entries, journaled } = await startNode(t)
  const headers = ['Cisco-Guid: 0168496141-0300945902-2147592891-3437096703']
  const one = peer.call({ ...call, callId: 'copy-1', headers })
  const two = peer.call({ ...call, callId: 'copy-2', headers })
  await one.invite()
  await two.invite()
  const { contactId } = await journaled('contact.started')
  t.match(await journaled('contact.joined'), { into: contactId, callId: 'copy-2' })
  t.match(await journaled('contact.keyed'), {
    contactId,
    keys: [{ key: 'cisco-guid:0a0b0c0d11f011ee8001aabbccddeeff', afterEndMs: 10_000 }],
  })
  await one.bye()
  t.equal(kinds(entries, 'contact.ended').length, 0, 'the contact goes on with the copy')
  await two.bye()
  await journaled('contact.ended', 2)
  t.equal(kinds(entries, 'recording.ended').length, 2, 'each copy has a recording of its own')
  t.equal(kinds(entries, 'segment.started').length, 1)
})

t.test('sessions that name one call for two different callers stay two contacts', async (t) => {
  const { peer, entries } = await startNode(t)
  const told = (caller: string) => ({
    ...call,
    headers: ['User-to-User: 00FA080001183F5093914D;encoding=hex'],
    body: bothBodies(
      offer(two),
      metadata({ caller })
        .replace('</nameID>', '</nameID>')
        .replace(
          `<participant participant_id="p1">`,
          `<participant participant_id="p1"><extensiondata xmlns:apkt="http://acmepacket.com/siprec/extensiondata"><apkt:callingParty>true</apkt:callingParty></extensiondata>`,
        ),
    ),
  })
  const one = peer.call({ callId: 'caller-1', ...told('+12025550147') })
  const other = peer.call({ callId: 'caller-2', ...told('+12025550148') })
  await one.invite()
  await other.invite()
  t.equal(kinds(entries, 'contact.started').length, 2)
  await one.bye()
  await other.bye()
})

t.test('a session that tells late which call it brings is joined then', async (t) => {
  const { peer, entries, journaled } = await startNode(t)
  const ucid = metadata().replace('session_id="s1"', 'session_id="00FA080001183F5093914D"')
  const one = peer.call({ ...call, callId: 'early', body: bothBodies(offer(two), ucid) })
  await one.invite()
  const { contactId } = await journaled('contact.started')
  const other = peer.call({ callId: 'late', to: call.to, body: offer(two) })
  await other.invite()
  t.equal(kinds(entries, 'contact.started').length, 2)
  other.request('UPDATE', { contentType: 'application/rs-metadata+xml', body: ucid })
  await other.response('UPDATE')
  t.match(await journaled('contact.joined'), { into: contactId, callId: 'late' })
  await one.bye()
  await other.bye()
  await journaled('contact.ended', 2)
  t.match(await journaled('recording.ended', 2), { contactId })
})

t.test(
  'an engine that dies costs a phone’s pair nothing: both go on in one new recording',
  async (t) => {
    const { peer, entries, journaled, sessions } = await startSignallingNode(t)
    const near = await bring(peer, 'near-1', bridge('near'))
    const far = await bring(peer, 'far-1', bridge('far'))
    await until(() => sessions.list().every(({ isHeld }) => !isHeld))
    const killer = peer.call({ callId: 'die', body: offer(two) })
    t.equal((await killer.invite()).status, 503)
    for (const { session } of [near, far]) {
      const renewed = await session.received('INVITE')
      session.accept(renewed, offer([{ port: 40_000 }, { port: 0 }], 2))
      await session.received('ACK')
    }
    await journaled('recording.started', 2)
    await near.session.bye()
    await far.session.bye()
    const ended = await journaled('recording.ended', 2)
    t.equal(ended.state, 'complete')
    const ofPair = entries.flatMap((entry) =>
      entry.kind === 'recording.ended' && entry.contactId === ended.contactId
        ? [entry.reasons]
        : [],
    )
    t.strictSame(ofPair, [['engine_failed'], []])
  },
)

t.test('one party’s client that falls silent pauses nothing of the other party', async (t) => {
  const { peer, sessions, journaled } = await startNode(t)
  const near = await bring(peer, 'near@silent', bridge('near'))
  const far = await bring(peer, 'far@silent', bridge('far'), 40_010)
  await journaled('contact.joined')
  const answer = await far.session.reinvite({
    body: offer([{ port: 40_010, direction: 'inactive' }, { port: 0 }], 2),
  })
  t.equal(answer.status, 200)
  t.same(
    sessions.list().map(({ isPaused }) => isPaused),
    [false, false],
  )
  await near.session.bye()
  await far.session.bye()
})
