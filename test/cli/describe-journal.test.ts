import t from 'tap'
import {
  describeJournal,
  isJournalWell,
  type JournalFindings,
} from '../../cli/journal/describe-journal.ts'

const well: JournalFindings = {
  node: 'node-1',
  folder: '/var/lib/tallenne/journal',
  survey: {
    ownerPid: 4711,
    waiting: 0,
    damagedLines: 0,
    oldestAtMs: undefined,
    bytes: 0,
    files: 1,
    setAside: 0,
    unreadableFiles: [],
  },
  gateway: { fault: null, unwritten: 0, isHung: false, refused: 0 },
  database: { place: 'tallenne', problem: null },
  nowMs: 0,
}

t.test('a journal whose disk hangs asks for somebody to look', async (t) => {
  t.ok(isJournalWell(well))
  const gateway = { fault: null, unwritten: 12, isHung: true, refused: 0 }
  const hung = { ...well, gateway }
  t.notOk(isJournalWell(hung))
  const told = describeJournal(hung, 'UTC').join('\n')
  t.match(told, /disk does not answer: 12 entries stand in memory alone, and new calls are/)
  t.notMatch(told, 'Make room')
})
