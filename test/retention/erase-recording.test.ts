import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { TallenneError } from '../../base/tallenne-error.ts'
import { newId } from '../../base/uuid.ts'
import { eraseRecordings } from '../../retention/erase-recording.ts'
import { DirectDisk } from '../../storage/disk/direct-disk.ts'
import type { Disk, DiskOrder } from '../../storage/disk/disk.ts'
import { RecordingStore } from '../../storage/recording-store.ts'
import { partOf, storeFileOf } from '../../storage/store-file.ts'

async function open(folder: string) {
  const orders: DiskOrder['kind'][] = []
  const direct = new DirectDisk()
  const disk: Disk = {
    run: (order) => {
      orders.push(order.kind)
      return direct.run(order)
    },
  }
  const store = new RecordingStore({
    spoolPath: join(folder, 'spool'),
    storePath: join(folder, 'store'),
    disk,
  })
  await store.prepare()
  orders.length = 0
  const place = (file: string) => {
    const path = store.pathOf(file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, 'audio')
    return path
  }
  return { store, orders, place }
}

t.test('the files of many recordings go in one order to the disk', async (t) => {
  const { store, orders, place } = await open(t.testdir())
  const ids = Array.from({ length: 20 }, newId)
  const paths = ids.map((id) => place(storeFileOf(id)))
  const [encrypted] = ids
  if (encrypted === undefined) throw new Error('an id')
  paths.push(place(storeFileOf(encrypted, 'age')))
  const half = partOf(store.pathOf(storeFileOf(encrypted, 'age', 2)))
  writeFileSync(half, 'half an age file')
  const outcomes = await eraseRecordings(
    store,
    ids.map((id) => ({ id, file: id === encrypted ? storeFileOf(id, 'age') : storeFileOf(id) })),
  )
  t.same(outcomes, Array(20).fill('erased'))
  t.strictSame(orders, ['erase'])
  for (const path of [...paths, half]) t.notOk(existsSync(path), path)
})

t.test('what is said of one recording is not said of another', async (t) => {
  const { store, place } = await open(t.testdir())
  const [stuck, crooked, gone, there] = [newId(), newId(), newId(), newId()]
  mkdirSync(store.pathOf(storeFileOf(stuck)), { recursive: true })
  const path = place(storeFileOf(there))
  const outcomes = await eraseRecordings(store, [
    { id: stuck, file: storeFileOf(stuck) },
    { id: crooked, file: '../../etc/passwd' },
    { id: gone, file: null },
    { id: there, file: storeFileOf(there) },
  ])
  t.match(outcomes, [{ code: /^E/ }, { code: 'bad_file' }, 'gone', 'erased'])
  t.notOk(existsSync(path))
})

t.test('a disk that does not answer is said of all', async (t) => {
  const hung = new TallenneError('disk_hung', 'the disk has not answered for 15000 ms')
  const store = { eraseAll: () => Promise.reject(hung) }
  const recordings = [newId(), newId()].map((id) => ({ id, file: null }))
  t.strictSame(await eraseRecordings(store, recordings), [hung, hung])
})
