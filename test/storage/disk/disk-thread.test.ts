import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { SystemClock } from '../../../base/clock.ts'
import { createSilentLog } from '../../../base/log.ts'
import { DiskClient } from '../../../storage/disk/disk-client.ts'
import { DiskWatch } from '../../../storage/disk/disk-watch.ts'
import { openDiskThread } from '../../../storage/disk/open-disk-thread.ts'
import { RecordingFile } from '../../../storage/recording-file.ts'
import { until } from '../../until.ts'

const clock = new SystemClock()

function openThread(t: Test, hungAfterMs = 10_000) {
  const thread = openDiskThread({ name: 'disk', clock, log: createSilentLog() })
  const disk = new DiskClient({ ports: thread.connect(), clock, hungAfterMs })
  t.teardown(async () => {
    disk.close()
    await thread.close()
  })
  return { thread, disk }
}

/** Makes every look at the folder's disk hang until it is released: a pipe in the place of the file that is written. */
function hangLooksAt(folder: string) {
  const path = join(folder, '.probe')
  execFileSync('mkfifo', [path])
  return () => closeSync(openSync(path, 'r+'))
}

t.test('files of several clients are written by one thread', async (t) => {
  const folder = t.testdir()
  const { thread, disk } = openThread(t)
  const other = new DiskClient({ ports: thread.connect(), clock, hungAfterMs: 10_000 })
  const files = [disk, other].map((client, index) => ({
    path: join(folder, `${index}.opus`),
    file: new RecordingFile(join(folder, `${index}.opus`), { disk: client }),
  }))
  for (const { file } of files) {
    for (let fill = 0; fill < 200; fill++) file.write(new Uint8Array(50).fill(fill))
  }
  for (const { path, file } of files) {
    t.equal((await file.finish()).bytes, 10_000)
    t.equal(readFileSync(path)[9999], 199)
  }
  const room = await disk.run({ kind: 'probe', folder })
  t.ok(room.totalBytes >= room.freeBytes && room.freeBytes > 0)
  t.notOk(existsSync(join(folder, '.probe')))
  await t.rejects(disk.run({ kind: 'probe', folder: '/proc/self' }), { code: /^E/ })
  other.close()
  await t.rejects(other.run({ kind: 'probe', folder }), { code: 'disk_gone' })
})

t.test('a disk that hangs holds up its own thread alone, and its files end', async (t) => {
  const folder = t.testdir()
  // A thread takes some hundred milliseconds to begin.
  const [hung, well] = [openThread(t, 2000), openThread(t)]
  const elsewhere = join(folder, 'elsewhere')
  mkdirSync(elsewhere)
  const path = join(folder, 'a.opus')
  const file = new RecordingFile(path, { disk: hung.disk })
  file.write(new Uint8Array(100).fill(1))
  await until(() => existsSync(path) && statSync(path).size === 100)

  const release = hangLooksAt(folder)
  const looked = t.rejects(hung.disk.run({ kind: 'probe', folder }), { code: 'disk_hung' })
  file.write(new Uint8Array(100).fill(2))
  t.equal(
    await Promise.all(Array.from({ length: 16 }, () => readFile('/proc/self/stat'))).then(
      (all) => all.length,
    ),
    16,
    'the threads that all file calls share are free',
  )
  t.ok((await well.disk.run({ kind: 'probe', folder: elsewhere })).totalBytes)

  await looked
  t.equal((await file.finish()).bytes, 100)
  t.match(file.failure, { code: 'write_failed', message: /has not answered/ })
  const late = new RecordingFile(join(folder, 'b.opus'), { disk: hung.disk })
  t.equal((await late.finish()).bytes, 0)

  release()
  await until(() => statSync(path).size === 100)
  const after = new RecordingFile(join(folder, 'c.opus'), { disk: hung.disk })
  after.write(new Uint8Array(100))
  t.equal((await after.finish()).bytes, 100, 'it takes files again')
  t.notOk(existsSync(join(folder, 'b.opus')), 'what never held anything is gone')
})

t.test('a disk that hangs is known before its recordings give it up', async (t) => {
  const folder = t.testdir()
  const { disk } = openThread(t)
  await disk.run({ kind: 'probe', folder })
  const release = hangLooksAt(folder)
  const watch = new DiskWatch({
    name: 'spool',
    folder,
    disk,
    marks: { warnFreeBytes: 0, refuseFreeBytes: 0 },
    openRecordings: () => 0,
    lateAfterMs: 100,
    clock,
    log: createSilentLog(),
  })
  t.teardown(() => watch.close())
  await watch.start()
  t.equal(watch.state, 'hung')
  t.match(watch.obstacle, /has not answered for \d+ ms/)
  t.equal(watch.headroom, 0)
  release()
  await until(() => watch.state === 'well')
  t.equal(watch.obstacle, undefined)
  t.ok(watch.headroom > 0)
})

t.test('a thread that hangs is left to the end of the process', async (t) => {
  const folder = t.testdir()
  const { thread, disk } = openThread(t)
  await disk.run({ kind: 'probe', folder })
  const release = hangLooksAt(folder)
  const look = disk.run({ kind: 'probe', folder }).catch(() => undefined)
  // Nothing tells when the thread has begun to hang; told to end before it has, it would.
  await delay(500)
  t.equal(await thread.close(), false)
  release()
  disk.close()
  await look
})
