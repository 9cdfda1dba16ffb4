import t from 'tap'
import type { Answer } from '../../../gateway/siprec/answer-plan.ts'
import type { StreamOrigin } from '../../../gateway/siprec/session-plane.ts'
import type { JournalEntry } from '../../../storage/model.ts'
import { watchedPlane } from '../../interoperability/watched-plane.ts'
import { until } from '../../until.ts'
import { answeredLines, bothBodies, MULTIPART, offer } from '../recording-offer.ts'
import { startSignallingNode } from '../signalling-node.ts'
import { startNode } from './start-node.ts'

const TYPE = 'application/rs-metadata+xml'
const two = [
  { port: 40_000, label: '1' },
  { port: 40_002, label: '2' },
]

interface ToldCall {
  readonly id: string
  readonly caller: string
  readonly agent: string
  readonly labels: readonly [string, string]
  readonly group?: string
  readonly stopped?: boolean
}

/** Metadata of some calls, each with a caller, an agent and two streams. */
function told(mode: 'complete' | 'partial', ...calls: readonly ToldCall[]): string {
  return [
    `<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>${mode}</datamode>`,
    ...calls.flatMap(({ id, caller, agent, labels, group, stopped }) => [
      `<session session_id="${id}">`,
      group === undefined ? '' : `<group-ref>${group}</group-ref>`,
      stopped ? '<stop-time>2026-01-05T10:10:00Z</stop-time>' : '',
      '</session>',
      ...(
        [
          ['c', caller, labels[0]],
          ['a', agent, labels[1]],
        ] as const
      ).flatMap(([who, number, label]) => [
        `<participant participant_id="${who}${id}"><nameID aor="sip:${number}@198.51.100.7"/></participant>`,
        `<stream stream_id="${who}t${id}" session_id="${id}"><label>${label}</label></stream>`,
        `<participantsessionassoc participant_id="${who}${id}" session_id="${id}"><associate-time>2026-01-05T10:00:00Z</associate-time></participantsessionassoc>`,
        `<participantstreamassoc participant_id="${who}${id}"><send>${who}t${id}</send></participantstreamassoc>`,
      ]),
    ]),
    '</recording>',
  ].join('')
}

const NOTHING =
  '<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode></recording>'
const first: ToldCall = { id: 's1', caller: '+12025550147', agent: '2000', labels: ['1', '2'] }
const second: ToldCall = { id: 's2', caller: '+12025550148', agent: '2000', labels: ['1', '2'] }

function all<Kind extends JournalEntry['kind']>(entries: readonly JournalEntry[], kind: Kind) {
  return entries.flatMap((entry) =>
    entry.kind === kind ? [entry as Extract<JournalEntry, { readonly kind: Kind }>] : [],
  )
}

t.test(
  'a session that is there before any call has no contact, and each call in it becomes one',
  async (t) => {
    const { peer, entries, journaled, sessions } = await startNode(t)
    const call = peer.call({
      callId: 'persistent',
      to: 'sip:+12025550100@127.0.0.1',
      contentType: MULTIPART,
      body: bothBodies(offer(two), NOTHING),
    })
    const response = await call.invite()
    t.match(answeredLines(response.body), [{ direction: 'recvonly' }, { direction: 'recvonly' }])
    t.strictSame(entries, [], 'nobody has called')
    t.strictSame(sessions.list(), [])

    const say = async (body: string) => {
      call.request('UPDATE', { contentType: TYPE, body })
      t.equal((await call.response('UPDATE')).status, 200)
    }
    await say(told('partial', first))
    t.match(await journaled('contact.started'), { caller: { e164: '+12025550147' }, agent: '2000' })
    const { contactId } = await journaled('contact.started')
    t.match(await journaled('recording.started'), { contactId })
    await say(told('partial', { ...first, stopped: true }))
    t.match(await journaled('contact.ended'), { endReason: 'session_stopped' })
    await say(told('partial', second))
    t.match(await journaled('contact.started', 2), { caller: { e164: '+12025550148' } })
    await journaled('recording.started', 2)
    t.equal(sessions.list().length, 1)
    await call.bye()
    t.match(await journaled('contact.ended', 2), { endReason: 'bye' })
    const started = all(entries, 'contact.started')
    t.strictSame(
      all(entries, 'recording.ended').map(({ contactId }) => contactId),
      started.map(({ contactId }) => contactId),
      'each has a recording of its own',
    )
    t.strictSame(
      all(entries, 'segment.started').map(({ contactId, agent }) => [contactId, agent]),
      started.map(({ contactId }) => [contactId, '2000']),
    )
  },
)

t.test('calls that go on at once in one session are recorded apart', async (t) => {
  const { peer, entries, journaled, sessions } = await startNode(t)
  const other: ToldCall = { ...second, agent: '2001', labels: ['3', '4'] }
  const four = [...two, { port: 40_004, label: '3' }, { port: 40_006, label: '4' }]
  const call = peer.call({
    callId: 'turret',
    contentType: MULTIPART,
    body: bothBodies(offer(two), told('complete', first)),
  })
  await call.invite()
  await call.reinvite({
    contentType: MULTIPART,
    body: bothBodies(offer(four, 2), told('partial', other)),
  })
  await journaled('recording.started', 2)
  t.match(all(entries, 'contact.started'), [
    { caller: { e164: '+12025550147' }, agent: '2000' },
    { caller: { e164: '+12025550148' }, agent: '2001' },
  ])
  t.equal(sessions.list().length, 2)
  call.request('UPDATE', {
    contentType: TYPE,
    body: told('partial', { ...first, stopped: true }),
  })
  await call.response('UPDATE')
  const ended = await journaled('recording.ended')
  t.equal(ended.contactId, all(entries, 'contact.started')[0]?.contactId)
  t.equal(sessions.list().length, 1, 'the other goes on')
  await call.bye()
  await journaled('recording.ended', 2)
})

t.test(
  'a stream that goes from one live call to another is taken from its recording',
  async (t) => {
    const held: { recordingId: string; labels: string[]; before: readonly string[] }[] = []
    const { peer, journaled } = await startSignallingNode(t, {
      engines: 2,
      watchPlane: (plane) => ({
        ...watchedPlane(plane, () => {}),
        open: (request) => {
          note(request.recordingId, request.answer, request.from)
          return plane.open(request)
        },
        update: (recordingId, answer, from) => {
          note(recordingId, answer, from)
          return plane.update(recordingId, answer, from)
        },
      }),
    })
    const note = (recordingId: string, { streams }: Answer, from: StreamOrigin | undefined) =>
      held.push({
        recordingId,
        labels: streams.map(({ streamId }) => streamId),
        before: from?.before ?? [],
      })
    const four = [...two, { port: 40_004, label: '3' }, { port: 40_006, label: '4' }]
    const other: ToldCall = { ...second, agent: '2001', labels: ['3', '4'] }
    const call = peer.call({
      callId: 'turret',
      contentType: MULTIPART,
      body: bothBodies(offer(four), told('complete', first, other)),
    })
    await call.invite()
    await journaled('recording.started', 2)
    const [one, another] = held
    t.match(held, [{ labels: ['1', '2'] }, { labels: ['3', '4'] }])
    held.length = 0
    await call.reinvite({
      contentType: MULTIPART,
      body: bothBodies(
        offer(four, 2),
        told('complete', { ...first, labels: ['1', '4'] }, { ...other, labels: ['3', '2'] }),
      ),
    })
    const moved = () => held.filter(({ before }) => before.length > 0)
    await until(() => moved().length === 2)
    t.match(moved(), [
      { recordingId: one?.recordingId, labels: ['1', '4'], before: [another?.recordingId] },
      { recordingId: another?.recordingId, labels: ['2', '3'], before: [one?.recordingId] },
    ])
    await call.bye()
    await journaled('recording.ended', 2)
  },
)

t.test(
  'a transfer that makes a new session in the group of the old one stays one contact',
  async (t) => {
    const { peer, entries, journaled } = await startNode(t)
    const transferred = { ...first, id: 's2', agent: '2001', group: 'g1' }
    const call = peer.call({
      callId: 'refer',
      contentType: MULTIPART,
      body: bothBodies(offer(two), told('complete', { ...first, group: 'g1' })),
    })
    await call.invite()
    call.request('UPDATE', {
      contentType: TYPE,
      body: told('partial', { ...first, group: 'g1', stopped: true }, transferred),
    })
    await call.response('UPDATE')
    t.match(await journaled('segment.started', 2), { agent: '2001' })
    await call.bye()
    await journaled('contact.ended')
    t.equal(all(entries, 'contact.started').length, 1)
    t.equal(all(entries, 'recording.ended').length, 1)
  },
)

t.test(
  'the old session may stop in one message and the new one of its group begin in the next',
  async (t) => {
    const { peer, entries, journaled } = await startNode(t)
    const call = peer.call({
      callId: 'refer-twice',
      contentType: MULTIPART,
      body: bothBodies(offer(two), told('complete', { ...first, group: 'g1' })),
    })
    await call.invite()
    const { contactId } = await journaled('contact.started')
    for (const body of [
      told('partial', { ...first, group: 'g1', stopped: true }),
      told('partial', { ...first, id: 's2', agent: '2001', group: 'g1' }),
    ]) {
      call.request('UPDATE', { contentType: TYPE, body })
      await call.response('UPDATE')
    }
    t.match(await journaled('contact.joined'), { into: contactId })
    await call.bye()
    await journaled('recording.ended', 2)
    t.equal(all(entries, 'contact.started').length, 1)
    t.ok(all(entries, 'recording.ended').every((ended) => ended.contactId === contactId))
  },
)

t.test('a client that gives everything new ids after a transfer means the same call', async (t) => {
  const { peer, entries, journaled } = await startNode(t)
  const call = peer.call({
    callId: 'renamed',
    contentType: MULTIPART,
    body: bothBodies(offer(two), told('complete', first)),
  })
  await call.invite()
  await call.reinvite({
    contentType: MULTIPART,
    body: bothBodies(offer(two, 2), told('complete', { ...first, id: 's9', agent: '2001' })),
  })
  t.match(await journaled('segment.started', 2), { agent: '2001' })
  await call.bye()
  await journaled('contact.ended')
  t.equal(all(entries, 'contact.started').length, 1)
})
