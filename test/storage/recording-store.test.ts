import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { newId } from '../../base/uuid.ts'
import { RecordingStore, spoolPathOf } from '../../storage/recording-store.ts'
import { recordingIdOf, storeFileOf } from '../../storage/store-file.ts'

async function store(t: Test) {
  const folder = t.testdir()
  const paths = { spoolPath: join(folder, 'spool'), storePath: join(folder, 'store') }
  const made = new RecordingStore(paths)
  await made.prepare()
  return { store: made, ...paths }
}

t.test('a recording stands under the UTC day of its id', (t) => {
  t.equal(
    storeFileOf('0195d3c5-5c00-7abc-8def-0123456789ab'),
    '2025/03/26/0195d3c5-5c00-7abc-8def-0123456789ab.opus',
  )
  t.end()
})

t.test('no text but a UUIDv7 becomes a path', (t) => {
  for (const id of [
    '../../../../etc/passwd',
    '',
    '0195d3c5-5c00-4abc-8def-0123456789ab',
    '0195D3C5-5C00-7ABC-8DEF-0123456789AB',
    'ffffffff-ffff-7abc-8def-0123456789ab',
    '0195d3c5-5c00-7abc-8def-0123456789ab\n',
  ]) {
    t.throws(() => storeFileOf(id), { code: 'bad_id' }, JSON.stringify(id))
  }
  t.end()
})

t.test('folders and marker are the owner’s alone', async (t) => {
  const { store: made, spoolPath, storePath } = await store(t)
  await made.check()
  t.equal(statSync(spoolPath).mode & 0o777, 0o700)
  t.equal(statSync(storePath).mode & 0o777, 0o700)
})

t.test('an ended recording moves from the spool to the store, once', async (t) => {
  const { store: made, spoolPath, storePath } = await store(t)
  const id = newId()
  writeFileSync(made.spoolPathOf(id), 'OggS')
  t.equal(made.spoolPathOf(id), spoolPathOf(spoolPath, id))
  t.same(await made.spooled(), [id])
  const file = await made.keep(id)
  t.equal(file, storeFileOf(id))
  t.equal(readFileSync(join(storePath, file), 'utf8'), 'OggS')
  t.same(await made.spooled(), [])
  t.equal(await made.keep(id), file)
  await t.rejects(made.keep(newId()), { code: 'ENOENT' })
})

t.test('a recording moves to another disk whole', async (t) => {
  const folder = t.testdir()
  if (!existsSync('/dev/shm') || statSync('/dev/shm').dev === statSync(folder).dev) {
    t.comment('there is one disk only')
    return
  }
  const spoolPath = join('/dev/shm', `tallenne-spool-${newId()}`)
  t.teardown(() => rmSync(spoolPath, { recursive: true }))
  const storePath = join(folder, 'store')
  const made = new RecordingStore({ spoolPath, storePath })
  await made.prepare()
  const id = newId()
  writeFileSync(made.spoolPathOf(id), 'OggS', { mode: 0o600 })
  const file = await made.keep(id)
  t.equal(readFileSync(join(storePath, file), 'utf8'), 'OggS')
  t.equal(statSync(join(storePath, file)).mode & 0o777, 0o600)
  t.equal(existsSync(made.spoolPathOf(id)), false)
  t.equal(existsSync(`${join(storePath, file)}.part`), false)
})

t.test('a stored recording is read with its size, and erased for good', async (t) => {
  const { store: made } = await store(t)
  const id = newId()
  writeFileSync(made.spoolPathOf(id), 'OggS')
  const file = await made.keep(id)
  const opened = await made.open(file)
  t.equal(String(await opened.readFile()), 'OggS')
  await opened.close()
  t.equal((await made.facts(file))?.bytes, 4)
  t.equal(await made.erase(file), 'erased')
  t.equal(await made.erase(file), 'gone')
  t.equal(await made.facts(file), undefined)
  await t.rejects(made.open(file), { code: 'file_missing' })
})

t.test('no path leads out of the store', async (t) => {
  const { store: made, storePath } = await store(t)
  writeFileSync(join(dirname(storePath), 'secret'), 'kept')
  const valid = storeFileOf(newId())
  const crooked = [
    '../secret',
    '/etc/passwd',
    `../store/${valid}`,
    `./${valid}`,
    valid.replace('/', '//'),
    valid.slice('2025/'.length),
    '',
  ]
  for (const file of crooked) await t.rejects(made.erase(file), { code: 'bad_file' }, file)
  await fc.assert(
    fc.asyncProperty(fc.string(), async (file) => {
      await t.rejects(made.open(file), { code: 'bad_file' })
    }),
    { numRuns: 50 },
  )
})

t.test('the store lists its recordings and nothing else', async (t) => {
  const { store: made, storePath } = await store(t)
  const ids = [newId(), newId()].sort()
  for (const id of ids) {
    writeFileSync(made.spoolPathOf(id), 'OggS')
    await made.keep(id)
  }
  writeFileSync(join(storePath, 'notes.txt'), '')
  writeFileSync(join(storePath, `${newId()}.opus`), 'in the wrong folder')
  const listed: string[] = []
  for await (const entry of made.entries()) {
    t.equal(entry.file, storeFileOf(entry.recordingId))
    listed.push(entry.recordingId)
  }
  t.same(listed.sort(), ids)
  t.equal(recordingIdOf('notes.txt'), undefined)
})

t.test('what is half written is listed as such, and goes with its file', async (t) => {
  const { store: made } = await store(t)
  const id = newId()
  const file = storeFileOf(id, 'age', 2)
  mkdirSync(dirname(made.pathOf(file)), { recursive: true })
  writeFileSync(`${made.pathOf(file)}.part`, 'age')
  const listed = []
  for await (const entry of made.entries()) listed.push(entry)
  t.same(listed, [{ recordingId: id, file, isPart: true }])
  t.equal((await made.partFacts(file))?.bytes, 3)
  t.equal(await made.facts(file), undefined)
  t.equal(await made.erase(file), 'gone')
  t.equal(await made.partFacts(file), undefined)
})

t.test('a folder without the marker is no store', async (t) => {
  const { storePath } = await store(t)
  rmSync(storePath, { recursive: true })
  mkdirSync(storePath)
  const made = new RecordingStore({ spoolPath: '/nonexistent', storePath })
  await t.rejects(made.check(), { code: 'store_missing', message: /disk is mounted/ })
})
