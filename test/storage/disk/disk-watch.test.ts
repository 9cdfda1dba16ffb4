import { setImmediate } from 'node:timers/promises'
import pino from 'pino'
import t, { type Test } from 'tap'
import type { DiskRoom } from '../../../storage/disk/disk.ts'
import { DiskWatch } from '../../../storage/disk/disk-watch.ts'
import { ManualClock } from '../../manual-clock.ts'

const MIB = 1024 ** 2

/** A watch over a disk of 1 GiB whose room a test sets, and the lines that it logs. */
async function watchRoom(t: Test, room: Partial<DiskRoom>, openRecordings = 0) {
  const lines: Record<string, unknown>[] = []
  const clock = new ManualClock()
  let answer: DiskRoom = roomWith(room)
  const watch = new DiskWatch({
    name: 'spool',
    folder: '/var/lib/tallenne/spool',
    disk: {
      // The watch asks for nothing but its room.
      run: async () => answer as never,
    },
    marks: {},
    openRecordings: () => openRecordings,
    lateAfterMs: 3000,
    clock,
    log: pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line)) }),
  })
  t.teardown(() => watch.close())
  await watch.start()
  return {
    watch,
    lines,
    becomes: async (next: Partial<DiskRoom>) => {
      answer = roomWith(next)
      // It looks, and tells of what it saw when it looks again.
      for (let look = 0; look < 2; look++) {
        clock.advance(2000)
        await setImmediate()
      }
    },
  }
}

function roomWith(room: Partial<DiskRoom>): DiskRoom {
  return {
    freeBytes: 900 * MIB,
    totalBytes: 1024 * MIB,
    freeFiles: 60_000,
    totalFiles: 65_536,
    ...room,
  }
}

t.test('a full disk is told of with its path, and what is free and needed', async (t) => {
  const { watch, lines } = await watchRoom(t, { freeBytes: 80 * MIB }, 2)
  t.equal(watch.state, 'full')
  t.equal(
    watch.obstacle,
    'the disk of /var/lib/tallenne/spool is too full: 80 MiB are free, and 92 MiB are needed for another recording',
  )
  t.match(lines, [
    {
      msg: 'disk cannot be recorded to',
      disk: 'spool',
      folder: '/var/lib/tallenne/spool',
      state: 'full',
      freeBytes: 80 * MIB,
      warnFreeBytes: 276 * MIB,
    },
  ])
  t.equal(Math.round(Number(lines[0]?.['neededBytes']) / MIB), 92)
})

t.test('a disk without files to make is told of as that', async (t) => {
  const { watch } = await watchRoom(t, { freeFiles: 12 })
  t.equal(
    watch.obstacle,
    'the disk of /var/lib/tallenne/spool has too many files: 12 can be made, and 1100 are needed for another recording',
  )
})

t.test('each change is told once, with the marks', async (t) => {
  const { watch, lines, becomes } = await watchRoom(t, {})
  t.same(lines, [])
  await becomes({ freeBytes: 200 * MIB })
  t.equal(watch.obstacle, undefined)
  await becomes({ freeBytes: 190 * MIB })
  await becomes({})
  t.match(lines, [
    { level: 40, msg: 'disk is filling up', freeBytes: 200 * MIB, warnFreeBytes: 256 * MIB },
    { level: 30, msg: 'disk is well again', before: 'low' },
  ])
})
