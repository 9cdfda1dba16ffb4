import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { MessageChannel } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { SystemClock } from '../../base/clock.ts'
import { createSilentLog, type Log } from '../../base/log.ts'
import { DiskThread } from '../../storage/disk/disk-thread.ts'
import type { ServedUser } from '../../storage/disk/lasting-thread.ts'
import { JournalClient } from '../../storage/journal-client.ts'
import { journalThread } from '../../storage/journal-thread.ts'
import { migrate } from '../../storage/migrate.ts'
import { keptLog } from '../kept-log.ts'
import { startMariadb } from '../mariadb.ts'
import { until } from '../until.ts'
import { RealDisk } from './disk/real-disk.ts'
import { contactStarted, recordingEnded, wholeCall } from './journal-entries.ts'

const CHILD = fileURLToPath(new URL('./journal-child.js', import.meta.url))
const obstacle = RealDisk.obstacle
const skip = obstacle === undefined ? false : obstacle

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const pool = mariadb.pool()
await migrate(pool)

/** The clock of a process does not keep it alive; its server would. */
const alive = setInterval(() => {}, 1000)
t.teardown(() => clearInterval(alive))

const clock = new SystemClock()

interface OpenOptions {
  readonly log?: Log
  /** The thread's entry, beside this file; the gateway's own by default. */
  readonly entry?: string
  readonly mostHeapMb?: number
}

async function open(t: Test, folder: string, options: OpenOptions = {}) {
  const { log = createSilentLog(), entry = '../../gateway/journal-worker.js', mostHeapMb } = options
  const thread = journalThread({
    start: (onDied) =>
      new DiskThread({
        entry: new URL(entry, import.meta.url),
        name: 'journal',
        ...(mostHeapMb !== undefined && { mostHeapMb }),
        onDied,
        clock,
      }),
    clock,
    log,
  })
  t.teardown(() => thread.close())
  const journal = new JournalClient({ thread, clock, log })
  await journal.open({
    folder,
    database: mariadb.settings,
    sync: { policy: 'interval', intervalMs: 50 },
    logLevel: 'silent',
  })
  t.teardown(() => journal.close({ drainMs: 0 }))
  return { journal, thread }
}

function appendCalls(to: JournalClient, serviceLine: string, calls: number): void {
  for (let call = 0; call < calls; call++) {
    for (const entry of wholeCall({ serviceLine }).entries) to.append(entry)
  }
}

async function complete(serviceLine: string): Promise<number> {
  const [row] = await pool.query(
    `SELECT COUNT(*) AS n FROM recordings WHERE service_line = ? AND state = 'complete'`,
    [serviceLine],
  )
  return row.n
}

t.test('entries are written by another thread, in order, and become rows', async (t) => {
  const folder = t.testdir()
  const { journal } = await open(t, folder)
  t.equal(journal.hasHistory, false)
  journal.start()
  appendCalls(journal, 'thread', 300)
  t.equal(journal.state.depth, 2100)
  await journal.written()
  await journal.drained()
  t.match(journal.state, { depth: 0, unwritten: 0, rejected: 0, refused: 0, isHung: false })
  t.equal(await complete('thread'), 300)
  await journal.close()
  t.same(readdirSync(folder), ['applied'])
  t.throws(() => journal.append(contactStarted()), { code: 'journal_closed' })
})

t.test('a journal that another has is not opened', async (t) => {
  const folder = t.testdir()
  await open(t, folder)
  await t.rejects(open(t, folder), { code: 'journal_in_use' })
})

t.test('an entry that is none is refused and counted', async (t) => {
  const { journal } = await open(t, t.testdir())
  journal.append(recordingEnded('c', 'r', { media: 1n }))
  journal.append(contactStarted({ metadata: 'x'.repeat(2_000_000) }))
  await journal.written()
  t.match(journal.state, { refused: 2 })
})

t.test('what waits for a thread that takes nothing is bounded', async (t) => {
  const { port1, port2 } = new MessageChannel()
  const thread = {
    serve: ({ onStarted }: ServedUser) => onStarted(port1),
    hasten: () => {},
    deaths: 0,
  }
  const journal = new JournalClient({ thread, clock, log: createSilentLog() })
  t.teardown(() => {
    port1.close()
    port2.close()
  })
  for (let entry = 0; entry < 70; entry++) {
    journal.append(contactStarted({ metadata: 'x'.repeat(1_000_000) }))
  }
  t.match(journal.state, { depth: 67, refused: 3 })
})

t.test('a killed process loses no entry that was written', async (t) => {
  const folder = t.testdir()
  const { signal } = await runChild([folder, mariadb.settings.socketPath ?? '', '50', 'written'])
  t.equal(signal, 'SIGKILL')
  const [{ n: before }] = await pool.query('SELECT COUNT(*) AS n FROM contacts')
  const { journal } = await open(t, folder)
  journal.start()
  await journal.drained()
  const [{ n: after }] = await pool.query('SELECT COUNT(*) AS n FROM contacts')
  t.equal(after - before, 50)
})

/** Threads of the journal that die as each line says, one after the other. */
async function openMortal(t: Test, folder: string, { fates, log }: { fates: string; log: Log }) {
  const path = join(t.testdir({ fates }), 'fates')
  process.env['MORTAL_WRITES'] = path
  return open(t, folder, { log, entry: './mortal-journal-worker.js', mostHeapMb: 64 })
}

t.test('a thread that dies in mid-write is followed by another, and rows come once', async (t) => {
  const { log, lines } = keptLog()
  const folder = mkdtempSync(join(tmpdir(), 'tallenne-mortal-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const fates = 'write 60\nmemory 60\nthrow 60\n'
  const { journal } = await openMortal(t, folder, { fates, log })
  journal.start()
  let calls = 0
  for (; journal.state.deaths < 3; calls++) {
    appendCalls(journal, 'mortal', 1)
    await delay(20)
  }
  await journal.drained()
  t.match(journal.state, { depth: 0, unwritten: 0, rejected: 0, refused: 0, isHung: false })
  t.equal(await complete('mortal'), calls)
  const [rows] = await pool.query(
    `SELECT COUNT(*) AS contacts, COUNT(DISTINCT call_id) AS calls, COUNT(ended_at) AS ended
     FROM contacts WHERE service_line = 'mortal'`,
  )
  t.match(rows, { contacts: calls, calls, ended: calls })
  const died = lines().filter(({ msg }) => msg === 'journal’s thread died')
  t.match(died, [
    { level: 50, cause: 'it ended with code 1', restartInMs: 0 },
    { cause: /memory/, restartInMs: 1000 },
    { cause: 'nobody has thought of this', restartInMs: 2000 },
  ])
  t.equal(journal.state.torn, 1, 'what was half written is known')
  await journal.close()
  t.strictSame(readdirSync(folder), ['applied'])
})

t.test('what a full disk has not taken outlives the thread that held it', { skip }, async (t) => {
  const disk = RealDisk.open(t)
  const { log } = keptLog()
  const { journal } = await openMortal(t, `${disk.path}/journal`, { fates: 'full 2\n', log })
  const empty = await disk.fill()
  appendCalls(journal, 'full', 3)
  await journal.written()
  await until(() => journal.state.deaths === 1)
  appendCalls(journal, 'full', 1)
  await until(() => journal.state.diskError?.includes('the journal is not open: ENOSPC'))
  t.ok(journal.state.unwritten > 0)
  empty()
  await until(() => journal.state.unwritten === 0)
  journal.start()
  await journal.drained()
  t.match(journal.state, { rejected: 0, refused: 0, deaths: 1 })
  t.equal(await complete('full'), 4)
})

t.test(
  'a disk that hangs at the start is known at once, and opened when it answers',
  { skip },
  async (t) => {
    const disk = RealDisk.open(t)
    const { log, lines } = keptLog()
    const thaw = await disk.freeze()
    t.teardown(() => thaw().catch(() => undefined))
    const { journal } = await open(t, `${disk.path}/journal`, { log })
    t.equal(journal.isOpen, false)
    t.match(journal.state, { isHung: true, diskError: /disk has not answered for \d+ ms/ })
    t.match(lines().at(-1), { level: 50, msg: 'journal hangs' })
    journal.start()
    appendCalls(journal, 'started-hung', 1)
    await thaw()
    await journal.drained()
    t.equal(await complete('started-hung'), 1)
    t.match(journal.state, { isHung: false, diskError: undefined })
  },
)

t.test('while its disk hangs entries wait in order, and nothing else does', { skip }, async (t) => {
  const disk = RealDisk.open(t)
  const { log, lines } = keptLog()
  const { journal } = await open(t, `${disk.path}/journal`, { log })
  journal.start()
  appendCalls(journal, 'frozen', 1)
  await journal.drained()
  const thaw = await disk.freeze()
  t.teardown(() => thaw().catch(() => undefined))
  appendCalls(journal, 'frozen', 1)
  let isWritten = false
  const written = journal.written().then(() => {
    isWritten = true
  })
  await until(() => journal.state.isHung)
  for (let call = 0; call < 20; call++) {
    appendCalls(journal, 'frozen', 1)
    await delay(5)
  }
  t.notOk(isWritten)
  const { state } = journal
  t.match(state.diskError, /disk has not answered for \d+ ms/)
  t.equal(state.unwritten, 21 * 7)
  t.ok(state.depth >= 21 * 7)
  t.ok(state.oldestAgeMs > 0)
  await thaw()
  await written
  await journal.drained()
  t.match(journal.state, { depth: 0, unwritten: 0, rejected: 0, isHung: false })
  t.equal(await complete('frozen'), 22)
  const told = (msg: string) => lines().find((line) => line['msg'] === msg)
  t.match(told('journal hangs'), { level: 50, reason: /has not answered/ })
  await until(() => told('journal’s disk answers again') !== undefined)
})

t.test(
  'a disk that hangs at the end is waited for, and what is lost is said',
  { skip },
  async (t) => {
    const disk = RealDisk.open(t)
    const { log, lines } = keptLog()
    const { journal, thread } = await open(t, `${disk.path}/journal`, { log })
    const thaw = await disk.freeze()
    t.teardown(() => thaw().catch(() => undefined))
    appendCalls(journal, 'lost', 1)
    const startedAt = clock.monotonicMs()
    await journal.close({ drainMs: 300 })
    t.ok(clock.monotonicMs() - startedAt >= 300)
    t.match(lines().at(-1), {
      msg: 'journal ends while its disk hangs',
      entries: 7,
    })
    t.equal(await thread.close(), false)
    await thaw()
  },
)

const canInject =
  spawnSync('strace', ['-f', '--seccomp-bpf', '-o', '/dev/null', 'true']).status === 0

const cannotInject = canInject ? false : 'strace is not here, or may not trace'

for (const [name, injection] of [
  ['does not take lines', 'pwrite64:error=EIO:when=5..8'],
  ['is full for a while', 'pwrite64:error=ENOSPC:when=5..8'],
  ['takes lines and cannot put them on itself for good', 'fdatasync:error=EIO:when=1..3'],
] as const) {
  t.test(
    `a disk that ${name} costs no row, nor does a kill after it`,
    { skip: cannotInject },
    async (t) => {
      const folder = t.testdir()
      const args = [folder, mariadb.settings.socketPath ?? '', '2', 'fail']
      const { stdout } = await runChild(args, injection)
      const { appended } = JSON.parse(stdout)
      const count = async () => {
        const [row] = await pool.query('SELECT COUNT(*) AS n FROM recordings')
        return row.n
      }
      const before = await count()
      const { journal } = await open(t, folder)
      journal.start()
      await journal.drained()
      t.match(journal.state, { depth: 0, rejected: 0, torn: 0 })
      t.equal((await count()) - before, appended)
    },
  )
}

t.test(
  'a disk that takes lines and hangs over putting them on itself for good is known, too',
  { skip: cannotInject },
  async (t) => {
    // The kernel holds up the first of the child's syncs (strace(1), --inject).
    const { stdout } = await runChild(
      [t.testdir(), mariadb.settings.socketPath ?? '', '1', 'sync'],
      'fdatasync:delay_enter=2000000:when=1',
    )
    t.match(JSON.parse(stdout), {
      during: { isHung: true, unwritten: 0 },
      after: { isHung: false },
    })
  },
)

function runChild(
  args: readonly string[],
  inject?: string,
): Promise<{ stdout: string; signal: string | null }> {
  const command = [process.execPath, CHILD, ...args]
  // Only the calls that are spoilt are looked at: all others would take a hundred times as long.
  const [call] = inject?.split(':') ?? []
  const words = ['strace', '-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', '-e', `trace=${call}`]
  const [program = '', ...rest] =
    inject === undefined ? command : [...words, '-e', `inject=${inject}`, ...command]
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  let stdout = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  return new Promise((resolve) => {
    child.once('close', (_code, signal) => resolve({ stdout, signal }))
  })
}
