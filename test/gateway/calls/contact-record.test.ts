import t from 'tap'
import { type ContactFacts, ContactRecord } from '../../../gateway/calls/contact-record.ts'
import type { JournalEntry } from '../../../storage/model.ts'
import { MemoryJournal } from '../memory-journal.ts'

const number = (display: string) => ({ raw: display, e164: display, display, isWithheld: false })
const facts: ContactFacts = {
  direction: 'inbound',
  caller: number('+12025550147'),
  serviceNumber: number('+12025550100'),
  serviceLine: 'support',
  agent: '2000',
  platformReference: null,
  foundIn: { caller: null, serviceNumber: null, agent: null, platformReference: null },
  metadata: null,
}

function record() {
  const entries: JournalEntry[] = []
  const contact = new ContactRecord({
    journal: new MemoryJournal(entries),
    nodeId: 'node-1',
    callId: 'call-1',
    capture: 'siprec',
    startedAtMs: 1000,
    facts,
  })
  return { contact, entries }
}

t.test('the contact stands in the journal before anything else happens', async (t) => {
  const { contact, entries } = record()
  t.strictSame(entries, [
    {
      kind: 'contact.started',
      contactId: contact.contactId,
      nodeId: 'node-1',
      callId: 'call-1',
      capture: 'siprec',
      startedAtMs: 1000,
      ...facts,
    },
  ])
})

t.test('metadata that comes later is kept as it is, once, and up to a limit', async (t) => {
  const { contact, entries } = record()
  contact.change({ ...facts, metadata: '<first/>' }, 2000)
  contact.change({ ...facts, metadata: '<first/>' }, 3000)
  contact.change({ ...facts, metadata: null }, 4000)
  contact.change({ ...facts, metadata: '<second/>' }, 5000)
  const long = (at: number) => `${at}${'x'.repeat(60_000)}`
  for (let at = 0; at < 10; at++) contact.change({ ...facts, metadata: long(at) }, 6000)
  const kept = entries.filter((entry) => entry.kind === 'metadata.received')
  t.match(kept.slice(0, 2), [
    { contactId: contact.contactId, receivedAtMs: 2000, document: '<first/>' },
    { contactId: contact.contactId, receivedAtMs: 5000, document: '<second/>' },
  ])
  t.equal(kept.length, 2 + 4)
})

t.test('another agent ends one segment and begins the next', async (t) => {
  const { contact, entries } = record()
  contact.answered(2000)
  contact.change({ ...facts, agent: '2001' }, 3000)
  contact.ended(4000, 'bye')
  t.match(entries.slice(1), [
    { kind: 'contact.answered', answeredAtMs: 2000 },
    { kind: 'segment.started', agent: '2000', startedAtMs: 2000 },
    { kind: 'contact.changed', agent: '2001' },
    { kind: 'segment.ended', endedAtMs: 3000 },
    { kind: 'segment.started', agent: '2001', startedAtMs: 3000 },
    { kind: 'segment.ended', endedAtMs: 4000 },
    { kind: 'contact.ended', endedAtMs: 4000, endReason: 'bye' },
  ])
})

t.test('a change carries what differs and nothing else', async (t) => {
  const { contact, entries } = record()
  contact.change(facts, 2000)
  t.equal(entries.length, 1)
  contact.change({ ...facts, caller: number('+12025550148') }, 2000)
  t.strictSame(entries[1], {
    kind: 'contact.changed',
    contactId: contact.contactId,
    caller: number('+12025550148'),
  })
})

t.test('the first end stays', async (t) => {
  const { contact, entries } = record()
  contact.ended(2000, 'cancelled')
  contact.ended(3000, 'bye')
  t.match(entries.slice(1), [{ kind: 'contact.ended', endedAtMs: 2000, endReason: 'cancelled' }])
  t.equal(entries.length, 2)
})
