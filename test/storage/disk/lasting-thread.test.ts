import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { SystemClock } from '../../../base/clock.ts'
import { newId } from '../../../base/uuid.ts'
import { DiskClient } from '../../../storage/disk/disk-client.ts'
import { openDiskThread } from '../../../storage/disk/open-disk-thread.ts'
import { RecordingFile } from '../../../storage/recording-file.ts'
import { keptLog } from '../../kept-log.ts'
import { sha256 } from '../../sha256.ts'
import { until } from '../../until.ts'

const clock = new SystemClock()

/** A disk's thread that dies as each line says, then the next one, and two clients of it. */
function openMortal(t: Test, fates: string, hungAfterMs = 10_000) {
  const folder = t.testdir({ fates })
  process.env['MORTAL_WRITES'] = join(folder, 'fates')
  const { log, lines } = keptLog()
  const entry = new URL('./mortal-disk-worker.js', import.meta.url)
  const thread = openDiskThread({ name: 'spool-0', entry, clock, log })
  const connect = () => {
    const client = new DiskClient({ ports: thread.connect(), clock, hungAfterMs })
    t.teardown(() => client.close())
    return client
  }
  const clients = [connect(), connect()] as const
  t.teardown(() => thread.close())
  return { folder, thread, clients, lines }
}

t.test('recordings of two clients go on without a hole when their thread dies', async (t) => {
  const fates = 'write 21\nthrow 20\nmemory 20\n'
  const { folder, thread, clients, lines } = openMortal(t, fates)
  const open = clients.map((disk, index) => {
    const path = join(folder, `${index}.opus`)
    return { path, file: new RecordingFile(path, { disk }) }
  })
  const pages: Uint8Array[] = []
  while (thread.deaths < 3) {
    const page = new Uint8Array(700).fill(pages.length)
    pages.push(page)
    for (const { file } of open) file.write(page)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  for (const { path, file } of open) {
    const facts = await file.finish()
    t.equal(file.failure, undefined)
    t.equal(facts.bytes, pages.length * 700)
    t.equal(facts.sha256, sha256(...pages))
    t.equal(sha256(readFileSync(path)), facts.sha256)
  }
  t.match(lines(), [
    { level: 50, msg: 'disk’s thread died', thread: 'spool-0', restartInMs: 0 },
    { cause: 'nobody has thought of this', restartInMs: 1000 },
    { cause: /memory/, restartInMs: 2000 },
  ])
})

t.test('a file that a thread made and did not speak of is taken over', async (t) => {
  const { folder, clients } = openMortal(t, '')
  const [disk] = clients
  const path = join(folder, 'a.opus')
  writeFileSync(path, '')
  const file = new RecordingFile(path, { disk })
  file.write(new Uint8Array(100))
  await t.rejects(disk.run({ kind: 'open', path }), { code: 'EEXIST' }, 'but for one that is open')
  t.equal((await file.finish()).bytes, 100)
  t.equal(statSync(path).size, 100)
})

t.test('what is given up after a thread has died is cut by the next one', async (t) => {
  const { folder, clients, thread } = openMortal(t, 'write 2\n')
  const [disk] = clients
  const [kept, empty, others] = ['kept', 'empty', 'others'].map((name) => join(folder, name))
  if (!kept || !empty || !others) throw new Error('three paths')
  for (const path of [kept, empty]) await disk.run({ kind: 'open', path })
  const bytes = new Uint8Array(100)
  await disk.run({ kind: 'append', path: kept, position: 0, bytes })
  const dying = disk.run({ kind: 'append', path: empty, position: 0, bytes })
  await until(() => thread.deaths === 1)
  t.same(await dying, { writtenBytes: 100 })
  writeFileSync(others, 'others')
  await disk.run({ kind: 'abandon', path: kept, keepBytes: 60, wasOpened: true })
  await disk.run({ kind: 'abandon', path: empty, keepBytes: 0, wasOpened: true })
  await disk.run({ kind: 'abandon', path: others, keepBytes: 0, wasOpened: false })
  t.equal(statSync(kept).size, 60)
  t.notOk(existsSync(empty))
  t.equal(readFileSync(others, 'utf8'), 'others')
  rmSync(kept)
  writeFileSync(kept, new Uint8Array(50))
  await t.rejects(
    disk.run({ kind: 'append', path: kept, position: 60, bytes }),
    { code: 'EIO' },
    'no hole is left where the disk has lost something',
  )
})

t.test('a move and a look that a thread died of are done by the next one', async (t) => {
  const { folder, clients, thread } = openMortal(t, 'write 1\nwrite 1\n')
  const [disk, other] = clients
  const content = Buffer.from('A whole recording. '.repeat(10_000))
  const [from, to] = [join('/dev/shm', `tallenne-lasting-${newId()}`), join(folder, 'b', 'a.opus')]
  if (!existsSync('/dev/shm') || statSync('/dev/shm').dev === statSync(folder).dev) {
    t.comment('skipped: /dev/shm is no disk of its own here')
    return
  }
  t.teardown(() => rmSync(from, { force: true }))
  writeFileSync(from, content)
  const looked = other.run({ kind: 'probe', folder })
  const moved = await disk.run({ kind: 'move', choices: [{ from, to }], sha256: sha256(content) })
  t.same(moved, { movedTo: to, isChanged: false })
  t.same(readFileSync(to), content)
  t.notOk(existsSync(from))
  t.ok((await looked).totalBytes > 0)
  t.equal(thread.deaths, 2)
})

t.test('an order that thread after thread dies of is given up, and the next is done', async (t) => {
  const { folder, clients, thread } = openMortal(t, 'write 1\n'.repeat(3))
  const [disk] = clients
  await t.rejects(
    disk
      .run({ kind: 'place', path: join(folder, 'a'), content: 'well' })
      .then(() => disk.run({ kind: 'probe', folder })),
    { code: 'disk_gone', message: /3 threads/ },
  )
  t.equal(thread.deaths, 3)
  t.ok((await disk.run({ kind: 'probe', folder })).totalBytes > 0)
})

t.test('what waits too long for the next thread is given up as on a disk that hangs', async (t) => {
  const { folder, clients } = openMortal(t, 'write 1\nwrite 1\n', 300)
  const [disk] = clients
  await t.rejects(disk.run({ kind: 'probe', folder }), { code: 'disk_hung' })
})

t.test('a connection that was sent on to a thread ends with that thread', async (t) => {
  const { folder, thread, clients } = openMortal(t, '')
  const path = join(folder, 'a.opus')
  const words = `
    const { workerData } = require('node:worker_threads')
    workerData.ports.on('message', (port) => {
      port.on('message', () => process.exit(0))
      port.postMessage([{ requestId: 1, order: { kind: 'open', path: workerData.path } }])
    })`
  const ports = thread.connect()
  const engine = new Worker(words, {
    eval: true,
    workerData: { ports, path },
    transferList: [ports],
  })
  await new Promise((resolve) => engine.once('exit', resolve))
  t.ok(existsSync(path))
  // The thread closed its file: it is nobody's, and empty.
  const [disk] = clients
  await disk.run({ kind: 'open', path })
})

t.test('all connections of a thread that was ended end', async (t) => {
  const { folder, thread, clients } = openMortal(t, '')
  const [disk] = clients
  await disk.run({ kind: 'probe', folder })
  t.equal(await thread.close(), true)
  await t.rejects(
    until(() => disk.run({ kind: 'probe', folder }).then(() => false)),
    {
      code: 'disk_gone',
    },
  )
})
