import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import type { JournalEntry } from '../../../storage/model.ts'
import { bothBodies, MULTIPART, metadata, offer } from '../recording-offer.ts'
import type { PeerCall } from '../sip-peer.ts'
import { startNode } from './start-node.ts'

const TYPE = 'application/rs-metadata+xml'
const two = [
  { port: 40_000, label: '1' },
  { port: 40_002, label: '2' },
]
const invite = {
  to: 'sip:+12025550100@127.0.0.1',
  contentType: MULTIPART,
  body: bothBodies(
    offer(two),
    metadata().replace(
      '</recording>',
      `${['p1', 'p2']
        .map((id) => association(id, '<associate-time>2026-01-05T10:00:00Z</associate-time>'))
        .join('')}</recording>`,
    ),
  ),
}

function association(participantId: string, times: string): string {
  return `<participantsessionassoc participant_id="${participantId}" session_id="s1">${times}</participantsessionassoc>`
}

const LEFT = '<disassociate-time>2026-01-05T10:05:00Z</disassociate-time>'
const JOINED = '<associate-time>2026-01-05T10:05:00Z</associate-time>'

function partial(...elements: readonly string[]): string {
  return `<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>partial</datamode>${elements.join('')}</recording>`
}

function person(id: string, user: string): string {
  return `<participant participant_id="${id}"><nameID aor="sip:${user}@198.51.100.8"/></participant>`
}

async function say(call: PeerCall, body: string): Promise<void> {
  call.request('UPDATE', { contentType: TYPE, body })
  await call.response('UPDATE')
}

/** Agents with the moments at which each began and ended, as positions in the list of all moments. */
function segmentsOf(entries: readonly JournalEntry[]) {
  const ends = new Map(
    entries.flatMap((entry) =>
      entry.kind === 'segment.ended' ? [[entry.segmentId, entry.endedAtMs]] : [],
    ),
  )
  return entries.flatMap((entry) =>
    entry.kind === 'segment.started'
      ? [{ agent: entry.agent, from: entry.startedAtMs, to: ends.get(entry.segmentId) ?? 0 }]
      : [],
  )
}

t.test(
  'a transfer by re-INVITE ends one agent’s segment where the next one’s begins',
  async (t) => {
    const { peer, entries, journaled } = await startNode(t)
    const call = peer.call({ callId: 'transfer', ...invite })
    await call.invite()
    await call.reinvite({
      contentType: MULTIPART,
      body: bothBodies(
        offer(two, 2),
        partial(
          person('p3', '2001'),
          association('p2', LEFT),
          association('p3', JOINED),
          '<participantstreamassoc participant_id="p3"><send>t2</send><recv>t1</recv></participantstreamassoc>',
        ),
      ),
    })
    t.match(await journaled('contact.changed'), { agent: '2001' })
    await call.bye()
    const { endedAtMs } = await journaled('contact.ended')
    const [one, two_] = segmentsOf(entries)
    t.equal(one?.agent, '2000')
    t.equal(two_?.agent, '2001')
    t.equal(one?.to, two_?.from)
    t.equal(two_?.to, endedAtMs)
    t.equal(one?.from, (await journaled('recording.started')).startedAtMs)
    t.equal((await journaled('recording.ended')).state, 'complete')
  },
)

t.test('agents of a conference have segments that overlap', async (t) => {
  const { peer, entries, journaled } = await startNode(t)
  const call = peer.call({ callId: 'conference', ...invite })
  await call.invite()
  await say(call, partial(person('p3', '2001'), association('p3', JOINED)))
  await journaled('segment.started', 2)
  await say(
    call,
    partial(association('p3', JOINED.replaceAll('associate-time', 'disassociate-time'))),
  )
  await journaled('segment.ended')
  await call.bye()
  await journaled('contact.ended')
  const [host, guest, ...others] = segmentsOf(entries)
  t.strictSame(others, [])
  t.equal(host?.agent, '2000')
  t.equal(guest?.agent, '2001')
  t.ok((host?.from ?? 0) <= (guest?.from ?? 0))
  t.ok((guest?.to ?? 0) <= (host?.to ?? 0))
  t.equal(entries.filter(({ kind }) => kind === 'contact.changed').length, 0)
})

t.test('while nobody handles the call its segment names nobody', async (t) => {
  const { peer, entries, journaled } = await startNode(t)
  const call = peer.call({ callId: 'queue', ...invite })
  await call.invite()
  await say(call, partial(association('p2', LEFT)))
  await journaled('segment.started', 2)
  await say(call, partial(person('p3', '2001'), association('p3', JOINED)))
  await journaled('segment.started', 3)
  await call.bye()
  await journaled('contact.ended')
  t.strictSame(
    segmentsOf(entries).map(({ agent }) => agent),
    ['2000', null, '2001'],
  )
})

t.test('metadata at the end that dismisses everybody changes nobody’s segment', async (t) => {
  const { peer, entries, journaled } = await startNode(t)
  const call = peer.call({ callId: 'dismissed', ...invite })
  await call.invite()
  await say(call, partial(person('p3', '2001'), association('p2', LEFT), association('p3', JOINED)))
  await call.bye({
    contentType: TYPE,
    body: partial(association('p1', LEFT), association('p3', LEFT.replace('05', '09'))),
  })
  await journaled('contact.ended')
  t.strictSame(
    segmentsOf(entries).map(({ agent }) => agent),
    ['2000', '2001'],
  )
  t.match(await journaled('contact.changed'), { agent: '2001' })
})

t.test(
  'an X-Cisco-Recording-Participant that changes in a re-INVITE is another agent',
  async (t) => {
    const { peer, entries, journaled } = await startNode(t, { unmarked: 'record' })
    const headers = (agent: string) => [
      'X-Cisco-Recording-Participant: sip:+12025550147@198.51.100.7;media-index="0"',
      `X-Cisco-Recording-Participant: sip:${agent}@198.51.100.9;media-index="1"`,
    ]
    const unlabelled = (port: number, version: number) =>
      offer([{ port }, { port: port + 2 }], version)
    const call = peer.call({
      callId: 'network-based',
      isPlain: true,
      headers: headers('4001'),
      body: unlabelled(40_000, 1),
    })
    await call.invite()
    t.match(await journaled('contact.started'), { agent: '4001' })
    await call.reinvite({ headers: headers('4002'), body: unlabelled(40_010, 2) })
    t.match(await journaled('contact.changed'), { agent: '4002' })
    await call.bye()
    await journaled('contact.ended')
    t.strictSame(
      segmentsOf(entries).map(({ agent }) => agent),
      ['4001', '4002'],
    )
  },
)

/** Lets a hold last, since one of no length is none. */
const hold = () => delay(30)

t.test('hold is marked on the recording’s timeline, told by metadata or by SDP', async (t) => {
  const { peer, journaled } = await startNode(t)
  const held = partial(
    '<participantstreamassoc participant_id="p1"><recv>t2</recv></participantstreamassoc>',
    '<participantstreamassoc participant_id="p2"><send>t2</send></participantstreamassoc>',
  )
  const resume = partial(
    '<participantstreamassoc participant_id="p1"><send>t1</send><recv>t2</recv></participantstreamassoc>',
    '<participantstreamassoc participant_id="p2"><send>t2</send><recv>t1</recv></participantstreamassoc>',
  )
  const byMetadata = peer.call({ callId: 'held-1', ...invite })
  await byMetadata.invite()
  await say(byMetadata, held)
  await hold()
  await say(byMetadata, resume)
  await byMetadata.bye()
  const first = await journaled('recording.ended')
  t.equal(first.onHold?.length, 1)

  const bySdp = peer.call({ callId: 'held-2', ...invite })
  await bySdp.invite()
  await bySdp.reinvite({
    body: offer(two, 2).replace('c=IN IP4 127.0.0.1', 'c=IN IP4 0.0.0.0'),
  })
  await hold()
  await bySdp.reinvite({ body: offer(two, 3) })
  await bySdp.bye()
  t.equal((await journaled('recording.ended', 2)).onHold?.length, 1)

  const paused = peer.call({ callId: 'paused', ...invite })
  await paused.invite()
  await paused.reinvite({
    body: offer(
      two.map((line) => ({ ...line, direction: 'inactive' as const })),
      2,
    ),
  })
  await paused.bye()
  t.strictSame((await journaled('recording.ended', 3)).onHold, [], 'a pause is no hold')
})
