import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { RecordingFile } from '../../storage/recording-file.ts'

function page(fill: number, length = 100): Uint8Array {
  return new Uint8Array(length).fill(fill)
}

function sha256(...pages: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const one of pages) hash.update(one)
  return hash.digest('hex')
}

t.test('pages reach the file in order, and the facts are those of the file', async (t) => {
  const path = join(t.testdir(), 'a.opus')
  const file = new RecordingFile(path)
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
  const file = new RecordingFile(path)
  file.write(page(1))
  const facts = file.finish()
  file.write(page(2))
  t.equal((await facts).bytes, 100)
  t.equal(statSync(path).size, 100)
})

t.test('a file without a page is empty and well', async (t) => {
  const file = new RecordingFile(join(t.testdir(), 'a.opus'))
  t.same(await file.finish(), { bytes: 0, sha256: sha256() })
  t.equal(file.failure, undefined)
})

t.test('a full disk is told as disk_full, and later pages are dropped', async (t) => {
  const file = new RecordingFile('/full', { openForWriting: () => open('/dev/full', 'w') })
  file.write(page(1))
  const facts = await file.finish()
  t.same(facts, { bytes: 0, sha256: sha256() })
  t.match(file.failure, { code: 'disk_full', message: /ENOSPC/ })
  file.write(page(2))
  t.equal(file.pendingBytes, 0)
})

t.test('a folder that is missing and a file that exists are write_failed', async (t) => {
  const folder = t.testdir({ 'there.opus': 'kept' })
  for (const name of ['missing/a.opus', 'there.opus']) {
    const file = new RecordingFile(join(folder, name))
    file.write(page(1))
    t.equal((await file.finish()).bytes, 0)
    t.equal(file.failure?.code, 'write_failed')
  }
  t.equal(readFileSync(join(folder, 'there.opus'), 'utf8'), 'kept')
})

t.test('a disk that does not keep up fails the file instead of filling memory', async (t) => {
  const path = join(t.testdir(), 'a.opus')
  let release: (handle: FileHandle) => void = () => {}
  const opened = new Promise<FileHandle>((resolve) => {
    release = resolve
  })
  const file = new RecordingFile(path, { maxPendingBytes: 250, openForWriting: () => opened })
  file.write(page(1))
  file.write(page(2))
  t.equal(file.pendingBytes, 200)
  file.write(page(3))
  t.match(file.failure, { code: 'write_failed', message: /disk too slow: 200 bytes/ })
  t.equal(file.pendingBytes, 0)
  release(await open(path, 'wx'))
  t.equal((await file.finish()).bytes, 0)
})

t.test('a write that is cut short goes on where it stopped', async (t) => {
  const path = join(t.testdir(), 'a.opus')
  const file = new RecordingFile(path, {
    openForWriting: async () => {
      const handle = await open(path, 'wx')
      return Object.assign(handle, {
        writev: async (pages: readonly Uint8Array[]) =>
          handle.write(Buffer.concat(pages).subarray(0, 33)),
      })
    },
  })
  for (const fill of [1, 2, 3]) file.write(page(fill))
  const facts = await file.finish()
  t.same(readFileSync(path), Buffer.concat([page(1), page(2), page(3)]))
  t.same(facts, { bytes: 300, sha256: sha256(page(1), page(2), page(3)) })
})
