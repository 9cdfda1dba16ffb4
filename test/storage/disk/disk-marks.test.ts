import t from 'tap'
import { judgeRoom, marksOf, roomNeeded } from '../../../storage/disk/disk-marks.ts'

const MIB = 1024 ** 2
const GIB = 1024 ** 3

function room(freeBytes: number, totalBytes = 100 * GIB, freeFiles = 1e6) {
  return { freeBytes, totalBytes, freeFiles, totalFiles: 6e6 }
}

const disk = { marks: {}, openRecordings: 0, wasFull: false }

t.test('marks follow the disk’s size within bounds, and leave an hour to each call', async (t) => {
  t.strictSame(marksOf(room(0, 10_000 * GIB), {}, 0), {
    warnFreeBytes: 10 * GIB,
    refuseFreeBytes: GIB,
  })
  t.strictSame(marksOf(room(0, 1 * GIB), {}, 0), {
    warnFreeBytes: 256 * MIB,
    refuseFreeBytes: 64 * MIB,
  })
  t.equal(marksOf(room(0, 10_000 * GIB), {}, 100).refuseFreeBytes, GIB + 1000 * MIB)
  t.equal(marksOf(room(0), { refuseFreeBytes: 5 }, 100).refuseFreeBytes, 5)
})

t.test(
  'a disk warns, then refuses, and takes recordings again only with something to spare',
  async (t) => {
    t.equal(judgeRoom(room(50 * GIB), disk), 'well')
    t.equal(judgeRoom(room(9 * GIB), disk), 'low')
    t.equal(judgeRoom(room(0.9 * GIB), disk), 'full')
    t.equal(judgeRoom(room(1.05 * GIB), { ...disk, wasFull: true }), 'full')
    t.equal(judgeRoom(room(1.2 * GIB), { ...disk, wasFull: true }), 'low')
  },
)

t.test('a disk without files to make is full', async (t) => {
  t.equal(judgeRoom(room(50 * GIB, 100 * GIB, 500), disk), 'full')
  t.equal(judgeRoom(room(50 * GIB, 100 * GIB, 5000), disk), 'low')
  const uncounted = { ...room(50 * GIB, 100 * GIB, 0), totalFiles: 0 }
  t.equal(judgeRoom(uncounted, disk), 'well')
})

t.test('what another recording needs is what a disk is judged by', async (t) => {
  t.strictSame(roomNeeded(room(0), disk), { bytes: GIB, files: 1000 })
  const full = { ...disk, openRecordings: 10, wasFull: true }
  const needed = roomNeeded(room(0), full)
  t.strictSame(needed, { bytes: Math.ceil(1.1 * (GIB + 100 * MIB)), files: 1111 })
  t.equal(judgeRoom(room(needed.bytes - 1), full), 'full')
  t.equal(judgeRoom(room(needed.bytes), full), 'low')
})
