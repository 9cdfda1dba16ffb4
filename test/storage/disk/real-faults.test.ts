import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { SystemClock } from '../../../base/clock.ts'
import { createSilentLog } from '../../../base/log.ts'
import { DiskClient } from '../../../storage/disk/disk-client.ts'
import { DiskWatch } from '../../../storage/disk/disk-watch.ts'
import { openDiskThread } from '../../../storage/disk/open-disk-thread.ts'
import { RecordingFile } from '../../../storage/recording-file.ts'
import { until } from '../../until.ts'
import { RealDisk } from './real-disk.ts'

const clock = new SystemClock()
const PAGE_BYTES = 700
const obstacle = RealDisk.obstacle
const skip = obstacle === undefined ? false : obstacle

/** A broken disk with an open recording on it, and another disk that is well. */
async function open(t: Test) {
  const broken = RealDisk.open(t)
  const well = t.testdir()
  const [first, second] = ['broken', 'well'].map((name) => {
    const thread = openDiskThread({ name, clock, log: createSilentLog() })
    const disk = new DiskClient({ ports: thread.connect(), clock, hungAfterMs: 1000 })
    t.teardown(async () => {
      disk.close()
      await thread.close()
    })
    return disk
  })
  if (first === undefined || second === undefined) throw new Error('two disks')
  const watch = new DiskWatch({
    name: 'spool',
    folder: broken.path,
    disk: first,
    marks: { warnFreeBytes: 0, refuseFreeBytes: 0 },
    openRecordings: () => 0,
    lateAfterMs: 500,
    clock,
    log: createSilentLog(),
  })
  await watch.start()
  t.teardown(() => watch.close())
  await until(() => watch.state === 'well' && watch.room !== undefined)
  const path = join(broken.path, 'a.opus')
  const file = new RecordingFile(path, { disk: first })
  const other = new RecordingFile(join(well, 'b.opus'), { disk: second })
  let pages = 0
  const speak = async (count: number) => {
    for (let page = 0; page < count; page++) {
      file.write(new Uint8Array(PAGE_BYTES).fill(pages))
      other.write(new Uint8Array(PAGE_BYTES).fill(pages++))
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
  await speak(20)
  return { broken, first, watch, path, file, other, speak, pages: () => pages }
}

t.test(
  'a disk that is full ends its recording at a whole page, and no other',
  { skip },
  async (t) => {
    const { broken, watch, path, file, other, speak, pages } = await open(t)
    const empty = await broken.fill()
    while (file.failure === undefined) await speak(20)
    t.match(file.failure, { code: 'disk_full', message: /ENOSPC/ })
    const { bytes, sha256 } = await file.finish()
    t.ok(bytes >= 20 * PAGE_BYTES)
    t.equal(bytes % PAGE_BYTES, 0)
    await until(() => statSync(path).size === bytes)
    t.equal(createHash('sha256').update(readFileSync(path)).digest('hex'), sha256)
    t.equal((await other.finish()).bytes, pages() * PAGE_BYTES)
    await until(() => watch.obstacle !== undefined)
    empty()
    await until(() => watch.obstacle === undefined)
  },
)

t.test('a disk that answers with errors ends its recording, and no other', { skip }, async (t) => {
  const { broken, watch, file, other, speak, pages } = await open(t)
  await broken.breakDown()
  while (file.failure === undefined) await speak(20)
  t.match(file.failure, { code: 'write_failed', message: /EIO/ })
  t.equal((await file.finish()).bytes % PAGE_BYTES, 0)
  t.equal((await other.finish()).bytes, pages() * PAGE_BYTES)
  await until(() => watch.state === 'failing')
})

t.test('a disk that turns read-only is known, and its recording ends', { skip }, async (t) => {
  const { broken, watch, file, speak } = await open(t)
  await broken.turnReadOnly()
  await speak(20)
  await file.finish()
  t.match(file.failure, { code: 'write_failed' })
  await until(() => watch.state === 'failing')
  t.match(watch.obstacle, /EROFS/)
})

t.test('a disk that hangs ends its recording in time, and no other', { skip }, async (t) => {
  const { broken, first, watch, path, file, other, speak, pages } = await open(t)
  const writtenBytes = 20 * PAGE_BYTES
  const thaw = await broken.freeze()
  await speak(20)
  await until(() => watch.state === 'hung')
  t.equal((await other.finish()).bytes, pages() * PAGE_BYTES)
  t.equal((await file.finish()).bytes, writtenBytes)
  t.match(file.failure, { code: 'write_failed', message: /has not answered/ })
  await thaw()
  await until(() => watch.state === 'well')
  await first.run({ kind: 'probe', folder: broken.path })
  t.equal(statSync(path).size, writtenBytes, 'what came late is cut off again')
})
