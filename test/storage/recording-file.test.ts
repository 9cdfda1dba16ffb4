import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { TallenneError } from '../../base/tallenne-error.ts'
import { DirectDisk } from '../../storage/disk/direct-disk.ts'
import type { Disk, DiskOrder, DiskResults } from '../../storage/disk/disk.ts'
import { RecordingFile } from '../../storage/recording-file.ts'
import { sha256 } from '../sha256.ts'

const disk = new DirectDisk()

/** A disk that answers as it is told to, order by order; what it is not told it does. */
function scripted(answers: Partial<Record<DiskOrder['kind'], () => Promise<unknown>>>) {
  const orders: DiskOrder[] = []
  const scriptedDisk: Disk = {
    run: async (order) => {
      orders.push(order)
      const answer = await answers[order.kind]?.()
      return answer as DiskResults[typeof order.kind]
    },
  }
  return { disk: scriptedDisk, orders }
}

function page(fill: number, length = 100): Uint8Array {
  return new Uint8Array(length).fill(fill)
}

t.test('pages reach the file in order, and the facts are those of the file', async (t) => {
  const path = join(t.testdir(), 'a.opus')
  const file = new RecordingFile(path, { disk })
  const pages = Array.from({ length: 3000 }, (_, index) => page(index % 256, 1 + (index % 300)))
  for (const [index, one] of pages.entries()) {
    file.write(one)
    if (index % 500 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  const facts = await file.finish()
  t.same(readFileSync(path), Buffer.concat(pages))
  t.equal(facts.bytes, statSync(path).size)
  t.equal(facts.sha256, sha256(...pages))
  t.equal(file.failure, undefined)
  t.equal(file.pendingBytes, 0)
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.equal(await file.finish(), facts)
})

t.test('a page after the end is dropped', async (t) => {
  const path = join(t.testdir(), 'a.opus')
  const file = new RecordingFile(path, { disk })
  file.write(page(1))
  const facts = file.finish()
  file.write(page(2))
  t.equal((await facts).bytes, 100)
  t.equal(statSync(path).size, 100)
})

t.test('a file without a page is empty and well', async (t) => {
  const file = new RecordingFile(join(t.testdir(), 'a.opus'), { disk })
  t.same(await file.finish(), { bytes: 0, sha256: sha256() })
  t.equal(file.failure, undefined)
})

t.test(
  'a full disk is told as disk_full, and the file is cut to its last whole page',
  async (t) => {
    const { disk: full, orders } = scripted({
      append: async () => ({ writtenBytes: 250, failure: { code: 'ENOSPC', message: 'no space' } }),
    })
    const file = new RecordingFile('/full', { disk: full })
    for (const fill of [1, 2, 3]) file.write(page(fill))
    const facts = await file.finish()
    t.same(facts, { bytes: 200, sha256: sha256(page(1), page(2)) })
    t.match(file.failure, {
      code: 'disk_full',
      message: '/full: no space; 200 bytes are kept, 100 more were to be written',
    })
    t.match(orders.at(-1), { kind: 'abandon', path: '/full', keepBytes: 200 })
    file.write(page(4))
    t.equal(file.pendingBytes, 0)
  },
)

t.test('a folder that is missing and a file that exists are write_failed', async (t) => {
  const folder = t.testdir({ 'there.opus': 'kept' })
  for (const name of ['missing/a.opus', 'there.opus']) {
    const file = new RecordingFile(join(folder, name), { disk })
    file.write(page(1))
    t.equal((await file.finish()).bytes, 0)
    t.equal(file.failure?.code, 'write_failed')
  }
  t.equal(readFileSync(join(folder, 'there.opus'), 'utf8'), 'kept')
})

t.test('a disk that does not keep up fails the file instead of filling memory', async (t) => {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const { disk: slow, orders } = scripted({ open: () => opened })
  const file = new RecordingFile('/slow', { disk: slow, maxPendingBytes: 250 })
  file.write(page(1))
  file.write(page(2))
  t.equal(file.pendingBytes, 200)
  file.write(page(3))
  t.match(file.failure, { code: 'write_failed', message: /disk too slow: 200 bytes/ })
  t.equal(file.pendingBytes, 0)
  open()
  t.equal((await file.finish()).bytes, 0)
  t.strictSame(
    orders.map(({ kind }) => kind),
    ['open', 'abandon'],
  )
})

t.test(
  'a disk that hangs ends the file with what was written before, and is not waited for',
  async (t) => {
    let appends = 0
    const { disk: hung, orders } = scripted({
      append: async () => {
        if (appends++ === 0) return { writtenBytes: 100 }
        throw new TallenneError('disk_hung', 'the disk has not answered for 15000 ms')
      },
      abandon: () => new Promise(() => {}),
    })
    const file = new RecordingFile('/hung', { disk: hung })
    file.write(page(1))
    await new Promise((resolve) => setImmediate(resolve))
    file.write(page(2))
    t.same(await file.finish(), { bytes: 100, sha256: sha256(page(1)) })
    t.match(file.failure, { code: 'write_failed', message: /15000 ms/ })
    t.match(orders.at(-1), { kind: 'abandon', keepBytes: 100 })
  },
)
