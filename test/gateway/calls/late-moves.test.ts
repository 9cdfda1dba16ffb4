import t from 'tap'
import { createSilentLog } from '../../../base/log.ts'
import { TallenneError } from '../../../base/tallenne-error.ts'
import { LateMoves } from '../../../gateway/calls/late-moves.ts'
import type { JournalEntry } from '../../../storage/model.ts'
import { ManualClock } from '../../manual-clock.ts'
import { MemoryJournal } from '../memory-journal.ts'

const FILE = { bytes: 1, sha256: '0'.repeat(64) }

t.test(
  'recordings go to the store as soon as it takes them, and their rows are told',
  async (t) => {
    const clock = new ManualClock()
    const entries: JournalEntry[] = []
    let code: string | undefined = 'ENOSPC'
    const asked: string[] = []
    const moves = new LateMoves({
      files: {
        keep: async (recordingId) => {
          asked.push(recordingId)
          if (recordingId === 'gone') throw new TallenneError('ENOENT', 'no such file')
          if (code !== undefined) throw new TallenneError(code, 'not now')
          return `kept/${recordingId}`
        },
      },
      journal: new MemoryJournal(entries),
      clock,
      log: createSilentLog(),
    })
    moves.start()
    const turn = async () => {
      clock.advance(10_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await turn()
    for (const recordingId of ['a', 'gone', 'b']) moves.keepLater(recordingId, FILE)
    await turn()
    t.strictSame(asked, ['a', 'gone', 'b'], 'one that cannot be moved holds up no other')
    t.equal(moves.count, 2, 'one that is gone is not asked for again')
    code = 'disk_hung'
    asked.length = 0
    await turn()
    t.strictSame(asked, ['a'], 'a store that hangs is asked once')
    code = undefined
    await turn()
    t.equal(moves.count, 0)
    t.strictSame(entries, [
      { kind: 'recording.stored', recordingId: 'a', file: 'kept/a' },
      { kind: 'recording.stored', recordingId: 'b', file: 'kept/b' },
    ])
    await moves.close()
    t.equal(clock.timers, 0)
  },
)

t.test('a move that hangs is not waited for at the end', async (t) => {
  const clock = new ManualClock()
  let answer = (_file: string) => {}
  const moves = new LateMoves({
    files: {
      keep: () =>
        new Promise((resolve) => {
          answer = resolve
        }),
    },
    journal: new MemoryJournal(),
    clock,
    log: createSilentLog(),
  })
  moves.start()
  moves.keepLater('hung', FILE)
  moves.keepLater('next', FILE)
  clock.advance(10_000)
  let isClosed = false
  const closed = moves.close().then(() => {
    isClosed = true
  })
  clock.advance(499)
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(isClosed, false, 'its row is to be told')
  clock.advance(1)
  await closed
  t.equal(moves.count, 2)
  answer('kept/hung')
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(moves.count, 1, 'no other move is begun')
})
