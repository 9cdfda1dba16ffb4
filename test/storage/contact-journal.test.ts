import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pino from 'pino'
import t, { type Test } from 'tap'
import { SystemClock } from '../../base/clock.ts'
import { createSilentLog } from '../../base/log.ts'
import { newId } from '../../base/uuid.ts'
import { FileJournal, type FileJournalOptions } from '../../storage/contact-journal.ts'
import { connectDatabase } from '../../storage/database.ts'
import { migrate } from '../../storage/migrate.ts'
import type { JournalEntry } from '../../storage/model.ts'
import { SetAsideFolder } from '../../storage/set-aside.ts'
import { startMariadb } from '../mariadb.ts'
import { until } from '../until.ts'
import { contactStarted, number, recordingEnded, wholeCall } from './journal-entries.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const pool = mariadb.pool()
await migrate(pool)

function journal(t: Test, folder: string, options: Partial<FileJournalOptions> = {}): FileJournal {
  const made = new FileJournal({
    folder,
    connect: () => connectDatabase(mariadb.settings),
    clock: new SystemClock(),
    log: createSilentLog(),
    ...options,
  })
  t.teardown(() => made.close({ drainMs: 0 }))
  return made
}

/** The clock of a process does not keep it alive; its server would. */
const alive = setInterval(() => {}, 1000)
t.teardown(() => clearInterval(alive))

function appendAll(to: FileJournal, entries: readonly JournalEntry[]): void {
  for (const entry of entries) to.append(entry)
}

async function count(table: string, where: string, value: unknown): Promise<number> {
  const [row] = await pool.query(`SELECT COUNT(*) AS n FROM ${table} WHERE ${where} = ?`, [value])
  return row.n
}

t.test('a call becomes rows while it goes on', async (t) => {
  const made = journal(t, t.testdir())
  made.start()
  const call = wholeCall({ serviceLine: 'rows' })
  appendAll(made, call.entries)
  await made.drained()
  t.same(made.state, {
    depth: 0,
    oldestAgeMs: 0,
    unwritten: 0,
    rejected: 0,
    refused: 0,
    torn: 0,
    unreadable: 0,
    fault: undefined,
    readError: undefined,
    diskError: undefined,
  })
  const [contact] = await pool.query('SELECT * FROM contacts WHERE id = ?', [call.contactId])
  t.match(contact, {
    node_id: 'node-1',
    caller_e164: '+12025550147',
    service_line: 'rows',
    started_at: new Date('2026-01-15T08:30:00.123Z'),
    answered_at: new Date('2026-01-15T08:30:02.123Z'),
    ended_at: new Date('2026-01-15T08:31:02.123Z'),
    end_reason: 'bye',
  })
  const [segment] = await pool.query('SELECT * FROM segments WHERE id = ?', [call.segmentId])
  t.match(segment, { agent: 'agent-7', contact_started_at: contact.started_at })
  const [recording] = await pool.query('SELECT * FROM recordings WHERE id = ?', [call.recordingId])
  t.match(recording, {
    state: 'complete',
    service_line: 'rows',
    call_ended_at: contact.ended_at,
    bytes: 240_000,
    media: { streams: [] },
  })
})

t.test('what MariaDB has is not kept on the disk after the end', async (t) => {
  const folder = t.testdir()
  const made = journal(t, folder)
  made.start()
  appendAll(made, wholeCall().entries)
  await made.close()
  t.same(readdirSync(folder), ['applied'])
  t.throws(() => made.append(contactStarted()), { code: 'journal_closed' })
})

t.test('calls go on while MariaDB is away, and their rows are there when it is back', async (t) => {
  const made = journal(t, t.testdir())
  made.start()
  appendAll(made, wholeCall({ serviceLine: 'away' }).entries)
  await made.drained()
  await mariadb.stop('SIGKILL')
  for (let call = 0; call < 100; call++) {
    appendAll(made, wholeCall({ serviceLine: 'away' }).entries)
  }
  await until(() => made.state.fault !== undefined && made.state.oldestAgeMs > 0)
  t.equal(made.state.depth, 700)
  await mariadb.start()
  await made.drained()
  t.equal(made.state.fault, undefined)
  t.equal(await count('contacts', 'service_line', 'away'), 101)
  t.equal(await count('recordings', 'service_line', 'away'), 101)
})

t.test('what MariaDB did not get before the end is applied by the next start', async (t) => {
  const folder = t.testdir()
  const first = journal(t, folder, { segmentBytes: 3000 })
  for (let call = 0; call < 10; call++) {
    appendAll(first, wholeCall({ serviceLine: 'later' }).entries)
  }
  await first.close()
  const left = readdirSync(folder)
  t.ok(left.length > 3, 'segments were begun')
  const second = journal(t, folder)
  second.start()
  appendAll(second, wholeCall({ serviceLine: 'later' }).entries)
  await until(() => second.state.depth === 0)
  t.equal(await count('recordings', 'service_line', 'later'), 11)
  t.same(
    readdirSync(folder).filter((name) => left.includes(name)),
    [],
  )
})

t.test('a killed process loses no entry', async (t) => {
  const folder = t.testdir()
  const killed = await runChild([folder, mariadb.settings.socketPath ?? '', '20', 'kill'])
  t.equal(killed.signal, 'SIGKILL')
  const made = journal(t, folder)
  const [{ n: before }] = await pool.query('SELECT COUNT(*) AS n FROM contacts')
  made.start()
  await until(() => made.state.depth > 0)
  await made.drained()
  const [{ n: after }] = await pool.query('SELECT COUNT(*) AS n FROM contacts')
  t.equal(after - before, 20)
})

t.test('a disk that takes no more costs no row while MariaDB answers', async (t) => {
  const args = [t.testdir(), mariadb.settings.socketPath ?? '', '50', 'apply']
  const { stdout, stderr, code } = await runChild(args, { maxFileKiB: 8 })
  t.equal(code, 0, stderr)
  const { before, after } = JSON.parse(stdout)
  t.equal(before.depth, 350)
  t.ok(before.unwritten > 300 && before.unwritten < 350, `${before.unwritten} unwritten`)
  t.match(before.diskError, /EFBIG|bytes/)
  t.match(after, { depth: 0, unwritten: 0, rejected: 0 })
})

t.test('an entry that is bad in itself is set aside and holds nothing up', async (t) => {
  const folder = t.testdir()
  const made = journal(t, folder)
  const unknownContact = newId()
  const bad: JournalEntry[] = [
    contactStarted({ serviceLine: 'x'.repeat(64) }),
    contactStarted({ startedAtMs: Number.NaN }),
    { kind: 'contact.answered', contactId: unknownContact, answeredAtMs: 0 },
    recordingEnded(unknownContact, newId()),
  ]
  const good = wholeCall({ serviceLine: 'good' })
  const other = wholeCall({ serviceLine: 'good' })
  appendAll(made, [...good.entries, ...bad, ...other.entries])
  made.start()
  await made.drained()
  t.equal(await count('recordings', 'service_line', 'good'), 2)
  t.equal(made.state.rejected, 4)
  const aside = new SetAsideFolder(folder).list()
  t.same(
    aside.map(({ entry }) => entry?.kind),
    bad.map(({ kind }) => kind),
  )
  t.match(aside[2], { reason: /no row is there/, sequence: 10, segment: 1 })
})

t.test('the log says of what is set aside which it is and why, and no number', async (t) => {
  const folder = t.testdir()
  const lines: string[] = []
  const made = journal(t, folder, {
    log: pino({ base: null }, { write: (line: string) => lines.push(line) }),
  })
  // The server quotes the value that it does not take.
  const caller = { ...number('+12025550147'), isWithheld: 'x2025550147' as unknown as boolean }
  const bad = contactStarted({ caller })
  made.append(bad)
  made.start()
  await made.drained()
  const [aside] = new SetAsideFolder(folder).list()
  t.match(JSON.parse(lines.at(-1) ?? ''), {
    msg: 'journal entry cannot be applied',
    setAsideId: aside?.id,
    contactId: bad.contactId,
    reason: /Incorrect integer value: 'x…47'/,
  })
  t.notMatch(lines.join(''), /2025550147/)
})

t.test('an entry that cannot be written is refused and counted', async (t) => {
  const made = journal(t, t.testdir())
  made.append(contactStarted({ metadata: 'x'.repeat(2_000_000) }))
  made.append(recordingEnded(newId(), newId(), { media: 1n }))
  t.match(made.state, { depth: 0, refused: 2, rejected: 0 })
})

t.test('text that is too long costs no row', async (t) => {
  const made = journal(t, t.testdir())
  made.start()
  const raw = `${'9'.repeat(300)}😀`
  const started = contactStarted({
    callId: 'c'.repeat(1000),
    agent: 'a'.repeat(300),
    caller: { raw, e164: '+1234567890123456789', display: raw, isWithheld: false },
  })
  made.append(started)
  await made.drained()
  const [row] = await pool.query('SELECT * FROM contacts WHERE id = ?', [started.contactId])
  t.match(row, { call_id: 'c'.repeat(512), agent: 'a'.repeat(255), caller_e164: null })
})

t.test('a bad line is set aside, a torn end is dropped, and the rest is applied', async (t) => {
  const folder = t.testdir()
  const first = journal(t, folder)
  const calls = [wholeCall({ serviceLine: 'torn' }), wholeCall({ serviceLine: 'torn' })]
  for (const call of calls) appendAll(first, call.entries)
  await first.close()
  const [name = ''] = readdirSync(folder)
  const lines = readFileSync(join(folder, name), 'utf8').split('\n')
  lines[7] = `garbage ${lines[7]}`
  writeFileSync(join(folder, name), lines.join('\n').slice(0, -10))
  const second = journal(t, folder)
  second.start()
  await until(() => second.state.rejected > 0)
  await second.drained()
  await until(() => second.state.torn > 0)
  t.equal(second.state.torn, 1)
  // The second call lost its first line, so the rest of it has no contact to belong to.
  t.equal(await count('recordings', 'service_line', 'torn'), 1)
  t.equal(second.state.rejected, 6)
})

function runChild(
  args: readonly string[],
  { maxFileKiB }: { readonly maxFileKiB?: number } = {},
): Promise<{ stdout: string; stderr: string; signal: string | null; code: number | null }> {
  const script = fileURLToPath(new URL('./journal-child.js', import.meta.url))
  // What the test runner puts into child processes ends them at the first write beyond the limit.
  const limit = maxFileKiB === undefined ? '' : `unset NODE_OPTIONS; ulimit -f ${maxFileKiB}; `
  const child = spawn('bash', ['-c', `${limit}exec "$0" "$@"`, process.execPath, script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ stdout, signal, code, stderr }))
  })
}
