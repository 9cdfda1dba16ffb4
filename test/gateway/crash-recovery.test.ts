import t from 'tap'
import { createSilentLog } from '../../base/log.ts'
import { TallenneError } from '../../base/tallenne-error.ts'
import { recoverFromCrash, type SalvagedFile, salvageLost } from '../../gateway/crash-recovery.ts'
import type { JournalEntry } from '../../storage/model.ts'
import type { UnfinishedContact } from '../../storage/unfinished-contacts.ts'
import { ManualClock } from '../manual-clock.ts'
import { MemoryJournal } from './memory-journal.ts'

const log = createSilentLog()
const salvaged: SalvagedFile = { durationMs: 4000, bytes: 1000, sha256: 'a'.repeat(64) }

function contact(contactId: string, recordingIds: readonly string[]): UnfinishedContact {
  return {
    contactId,
    startedAtMs: 1000,
    answeredAtMs: 2000,
    hasEnded: false,
    judgedUntilMs: null,
    segmentIds: [`segment-of-${contactId}`],
    recordings: recordingIds.map((recordingId) => ({ recordingId, startedAtMs: 2000 })),
  }
}

async function recover(options: {
  readonly spooled: readonly string[]
  readonly contacts: readonly UnfinishedContact[]
  readonly repair?: (recordingId: string) => Promise<SalvagedFile | undefined>
}) {
  const entries: JournalEntry[] = []
  const kept: string[] = []
  await recoverFromCrash({
    spooled: options.spooled,
    findUnfinished: async () => options.contacts,
    repair: options.repair ?? (async () => salvaged),
    files: {
      keep: async (recordingId) => {
        kept.push(recordingId)
        return `kept/${recordingId}`
      },
    },
    journal: new MemoryJournal(entries),
    clock: new ManualClock(),
    log,
  })
  return { entries, kept }
}

t.test('a recording is repaired, kept and judged before its contact ends', async (t) => {
  const { entries, kept } = await recover({ spooled: ['r1'], contacts: [contact('c1', ['r1'])] })
  t.strictSame(kept, ['r1'])
  t.match(entries, [
    {
      kind: 'recording.ended',
      recordingId: 'r1',
      contactId: 'c1',
      state: 'partial',
      reasons: ['crash_recovered'],
      durationMs: 4000,
      bytes: 1000,
      file: 'kept/r1',
    },
    { kind: 'segment.ended', segmentId: 'segment-of-c1', endedAtMs: 6000 },
    { kind: 'contact.ended', contactId: 'c1', endedAtMs: 6000, endReason: 'crash' },
  ])
})

t.test('a contact without a file ends when it was last heard of', async (t) => {
  const { entries } = await recover({
    spooled: [],
    contacts: [contact('c1', ['r1']), contact('c2', [])],
    repair: async () => undefined,
  })
  const ends = entries.filter(({ kind }) => kind === 'contact.ended')
  t.match(ends, [
    { contactId: 'c2', endedAtMs: 2000 },
    { contactId: 'c1', endedAtMs: 2000 },
  ])
  t.match(
    entries.find(({ kind }) => kind === 'recording.ended'),
    { recordingId: 'r1', state: 'failed', reasons: ['crash_recovered', 'no_media'], file: null },
  )
})

t.test('a file that was in the store already gets the verdict that it had not got', async (t) => {
  const { entries, kept } = await recover({ spooled: [], contacts: [contact('c1', ['r1'])] })
  t.strictSame(kept, ['r1'])
  t.match(entries[0], { kind: 'recording.ended', state: 'partial', file: 'kept/r1' })
})

t.test('a contact ends no earlier than its recordings that have a verdict', async (t) => {
  const { entries } = await recover({
    spooled: [],
    contacts: [{ ...contact('c1', []), judgedUntilMs: 9000 }],
  })
  t.match(entries.at(-1), { kind: 'contact.ended', endedAtMs: 9000 })
})

t.test('a recording of a contact that has ended gets its verdict, and the end stays', async (t) => {
  const { entries } = await recover({
    spooled: ['r1'],
    contacts: [{ ...contact('c1', ['r1']), hasEnded: true, segmentIds: [] }],
  })
  t.strictSame(
    entries.map(({ kind }) => kind),
    ['recording.ended'],
  )
})

t.test(
  'a file that no contact waits for is kept where the sweep for orphans finds it',
  async (t) => {
    const { entries, kept } = await recover({ spooled: ['orphan'], contacts: [] })
    t.strictSame(kept, ['orphan'])
    t.strictSame(entries, [
      { kind: 'recording.stored', recordingId: 'orphan', file: 'kept/orphan' },
    ])
  },
)

t.test('one file that cannot be repaired holds up no other', async (t) => {
  const { entries } = await recover({
    spooled: ['bad', 'good'],
    contacts: [contact('c1', ['bad']), contact('c2', ['good'])],
    repair: async (recordingId) => {
      if (recordingId === 'bad') throw new Error('unreadable')
      return salvaged
    },
  })
  t.match(
    entries.filter(({ kind }) => kind === 'contact.ended'),
    [{ contactId: 'c2' }],
  )
})

t.test(
  'a recording whose engine died keeps the signalling’s reasons and its call’s length',
  async (t) => {
    const lost = { recordingId: 'r1', answeredAtMs: 1000, endedAtMs: 9000, reasons: [] }
    t.match(await salvageLost(lost, { repair: async () => salvaged, log }), {
      verdict: 'partial',
      reasons: ['engine_failed'],
      durationMs: 4000,
      callDurationMs: 8000,
    })
    const broken = async () => {
      throw new Error('unreadable')
    }
    t.match(await salvageLost(lost, { repair: broken, log }), { verdict: 'failed', bytes: 0 })
  },
)

t.test(
  'what a store that hangs keeps from being judged waits, and the rest does not',
  async (t) => {
    const later: string[] = []
    const entries: JournalEntry[] = []
    const hung = () => Promise.reject(new TallenneError('disk_hung', 'it hangs'))
    const waiting = await recoverFromCrash({
      spooled: ['r1', 'orphan'],
      findUnfinished: async () => [contact('c1', ['r1']), contact('c2', ['in-store'])],
      repair: async (recordingId) => (recordingId === 'in-store' ? hung() : salvaged),
      files: { keep: hung, keepLater: (recordingId) => later.push(recordingId) },
      journal: new MemoryJournal(entries),
      clock: new ManualClock(),
      log,
    })
    t.equal(waiting, 1)
    t.same(later.sort(), ['orphan', 'r1'])
    t.match(
      entries.filter(({ kind }) => kind === 'recording.ended'),
      [{ recordingId: 'r1', state: 'partial', file: null }],
    )
    t.notOk(entries.some((entry) => 'contactId' in entry && entry.contactId === 'c2'))
  },
)
