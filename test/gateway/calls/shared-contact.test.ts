import t from 'tap'
import { ContactRecord } from '../../../gateway/calls/contact-record.ts'
import { HoldLog } from '../../../gateway/calls/hold-log.ts'
import type { ContactFacts } from '../../../gateway/calls/testimony.ts'
import type { FoundIn, JournalEntry } from '../../../storage/model.ts'
import { MemoryJournal } from '../memory-journal.ts'

const number = (display: string) => ({ raw: display, e164: display, display, isWithheld: false })
const told: FoundIn = { source: 'told', isGuess: false }
const guessed: FoundIn = { source: 'guessed', isGuess: true }

function facts(fields: Partial<ContactFacts> = {}, foundIn: Partial<ContactFacts['foundIn']> = {}) {
  const made: ContactFacts = {
    direction: 'unknown',
    caller: number('+12025550147'),
    serviceNumber: number('8000'),
    serviceLine: 'unknown-line',
    agent: null,
    platformReference: null,
    foundIn: {
      caller: guessed,
      serviceNumber: guessed,
      agent: null,
      platformReference: null,
      ...foundIn,
    },
    metadata: null,
    ...fields,
  }
  return made
}

function sessions() {
  const entries: JournalEntry[] = []
  const session = (
    callId: string,
    startedAtMs: number,
    {
      said = facts(),
      joins,
    }: { readonly said?: ContactFacts; readonly joins?: ContactRecord } = {},
  ) =>
    new ContactRecord({
      journal: new MemoryJournal(entries),
      nodeId: 'node-1',
      callId,
      capture: 'siprec',
      startedAtMs,
      facts: said,
      ...(joins === undefined ? {} : { joins: joins.contact }),
    })
  return { entries, session }
}

/** Two sessions of one contact: the first was told of an agent, the second names another. */
function twoAgents(foundSecond: FoundIn): readonly [ContactRecord, ContactRecord] {
  const { session } = sessions()
  const one = session('one', 1000, { said: facts({ agent: '4001' }, { agent: told }) })
  const said = facts({ agent: '4002' }, { agent: foundSecond })
  return [one, session('two', 1100, { joins: one, said })]
}

t.test('who was told of a party is believed before who guessed', async (t) => {
  const { entries, session } = sessions()
  const one = session('one', 1000)
  session('two', 1100, {
    joins: one,
    said: facts(
      {
        direction: 'inbound',
        caller: number('+12025550148'),
        serviceNumber: number('+12025550100'),
        serviceLine: 'support',
      },
      { caller: told, serviceNumber: told },
    ),
  })
  t.match(entries.at(-1), {
    kind: 'contact.changed',
    contactId: one.contactId,
    caller: number('+12025550148'),
    serviceNumber: number('+12025550100'),
    serviceLine: 'support',
  })
  t.equal(one.facts.direction, 'inbound')
})

t.test('what a session has told stays when it has gone', async (t) => {
  const { session } = sessions()
  const one = session('one', 1000, {
    said: facts({ caller: number('+12025550148') }, { caller: told }),
  })
  const two = session('two', 1100, { joins: one })
  one.ended(2000, 'bye')
  two.change(facts({ caller: number('+12025550149') }), 2100)
  t.equal(two.facts.caller.display, '+12025550148')
})

t.test('the contact ends with its last session, for all its rows', async (t) => {
  const { entries, session } = sessions()
  const one = session('one', 1000)
  const two = session('two', 1100, { joins: one })
  one.answered(1200)
  one.ended(2000, 'bye')
  t.notOk(entries.some(({ kind }) => kind === 'contact.ended'))
  two.ended(3000, 'session_expired')
  t.match(entries.slice(-3), [
    { kind: 'segment.ended', endedAtMs: 3000 },
    { kind: 'contact.ended', contactId: one.rowId, endedAtMs: 3000, endReason: 'session_expired' },
    { kind: 'contact.ended', contactId: two.rowId, endedAtMs: 3000 },
  ])
})

t.test('a session that comes after the end begins another segment', async (t) => {
  const { entries, session } = sessions()
  const said = facts({ agent: '2000' }, { agent: told })
  const one = session('one', 1000, { said })
  one.answered(1100)
  one.ended(2000, 'bye')
  const two = session('two', 2500, { joins: one, said })
  two.answered(2600)
  two.ended(3000, 'bye')
  t.match(
    entries.filter(({ kind }) => kind === 'segment.started'),
    [
      { contactId: one.rowId, agent: '2000', startedAtMs: 1100 },
      { contactId: one.rowId, agent: '2000', startedAtMs: 2600 },
    ],
  )
})

t.test(
  'an agent whose session begins before the last one’s has ended has the contact then',
  async (t) => {
    const { entries, session } = sessions()
    const first = session('first', 1000, { said: facts({ agent: '4001' }, { agent: told }) })
    first.answered(1100)
    const second = session('second', 5000, {
      joins: first,
      said: facts({ agent: '4002' }, { agent: told }),
    })
    second.answered(5100)
    t.equal(second.facts.agent, '4001', 'who came first')
    first.ended(4950, 'bye')
    t.equal(second.facts.agent, '4002')
    t.match(
      entries.filter(({ kind }) => kind === 'contact.changed'),
      [{ contactId: first.rowId, agent: '4002' }],
    )
    t.match(
      entries.filter(({ kind }) => kind === 'segment.started'),
      [{ agent: '4001' }, { agent: '4002' }],
    )
  },
)

t.test('which of two sessions ends first at a hang-up says nothing of the agent', async (t) => {
  const [one, two] = twoAgents(told)
  one.ended(9000, 'bye')
  two.ended(9200, 'bye')
  t.equal(two.facts.agent, '4001')
})

t.test('a guess that outlasts what was told of the agent is none the better', async (t) => {
  const [one, two] = twoAgents(guessed)
  one.ended(2000, 'bye')
  t.equal(two.facts.agent, '4001')
})

t.test('two contacts that turn out to be one are the earlier one', async (t) => {
  const { entries, session } = sessions()
  const one = session('one', 1000, { said: facts({ agent: '2000' }, { agent: told }) })
  const two = session('two', 1500, { said: facts({ agent: '2001' }, { agent: told }) })
  one.answered(1100)
  two.answered(1600)
  one.join(two.contact, 2000)
  t.equal(two.contactId, one.rowId)
  t.ok(one.contact.isBroughtBy('two'))
  t.match(
    entries.filter(({ kind }) => kind === 'contact.joined'),
    [{ contactId: two.rowId, into: one.rowId, callId: 'two' }],
  )
  one.ended(3000, 'bye')
  two.ended(4000, 'bye')
  t.match(
    entries.filter(({ kind }) => kind === 'contact.ended'),
    [
      { contactId: one.rowId, endedAtMs: 4000 },
      { contactId: two.rowId, endedAtMs: 4000 },
    ],
  )
  const open = new Set(
    entries.flatMap((entry) => (entry.kind === 'segment.started' ? entry.segmentId : [])),
  )
  for (const entry of entries) if (entry.kind === 'segment.ended') open.delete(entry.segmentId)
  t.equal(open.size, 0, 'no segment outlives the contact')
})

t.test('a session that says the same again changes nothing of what others have said', async (t) => {
  const { entries, session } = sessions()
  const one = session('one', 1000, { said: facts({ agent: '2000' }, { agent: told }) })
  const two = session('two', 1100, {
    joins: one,
    said: facts({ agent: '2001' }, { agent: told }),
  })
  one.ended(2000, 'bye')
  const before = entries.length
  two.change(facts({ agent: '2001' }, { agent: told }), 2500)
  t.equal(entries.length, before)
})

t.test('holds are told on the timeline of each recording', async (t) => {
  const holds = new HoldLog()
  holds.set('one', true, 1000)
  holds.set('two', true, 1200)
  holds.set('one', false, 1500)
  holds.set('two', false, 2000)
  holds.set('one', true, 5000)
  t.strictSame(holds.within(500, 2000), [{ fromMs: 500, toMs: 1500 }])
  t.strictSame(holds.within(1500, 4000.4), [
    { fromMs: 0, toMs: 500 },
    { fromMs: 3500, toMs: 4000 },
  ])
  t.strictSame(holds.within(2500, 1000), [])
})
