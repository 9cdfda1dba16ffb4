import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { SystemClock } from '../../base/clock.ts'
import { createSilentLog } from '../../base/log.ts'
import { FileJournal } from '../../storage/contact-journal.ts'
import { connectDatabase } from '../../storage/database.ts'
import { segmentName } from '../../storage/journal-segment.ts'
import { migrate } from '../../storage/migrate.ts'
import { SetAsideFolder, setAsidePath } from '../../storage/set-aside.ts'
import { startMariadb } from '../mariadb.ts'
import { contactStarted, wholeCall } from '../storage/journal-entries.ts'

const MAIN = fileURLToPath(new URL('../../cli/main.js', import.meta.url))

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
await migrate(mariadb.pool())

/** A data folder whose gateway does not run, and the command line on it. */
function installation(t: Test, socketPath = mariadb.settings.socketPath) {
  const dataPath = t.testdir()
  const config = join(dataPath, 'tallenne.yaml')
  const { user, database } = mariadb.settings
  writeFileSync(
    config,
    stringify({
      dataPath,
      database: { socketPath, user, database },
      catchAll: { timeZone: 'UTC' },
      // Nobody listens on the discard port.
      http: { gateway: { port: 9 } },
    }),
  )
  const folder = join(dataPath, 'journal')
  return {
    folder,
    leave: async (append: (journal: FileJournal) => void) => {
      const journal = openJournal(folder)
      append(journal)
      await journal.close({ drainMs: 0 })
    },
    run: (...words: string[]) => run([...words, '--config', config]),
  }
}

function openJournal(folder: string): FileJournal {
  return new FileJournal({
    folder,
    connect: (timing) => connectDatabase(mariadb.settings, timing),
    clock: new SystemClock(),
    log: createSilentLog(),
  })
}

function run(words: readonly string[]): Promise<{ out: string; err: string; code: number }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...words], (error, out, err) => {
      resolve({ out, err, code: typeof error?.code === 'number' ? error.code : 0 })
    })
  })
}

t.test('what waits is counted, listed without numbers, and carried', async (t) => {
  const { folder, leave, run } = installation(t)
  const call = wholeCall({ serviceLine: 'cli' })
  await leave((journal) => {
    for (const entry of call.entries) journal.append(entry)
  })
  const status = await run('journal', 'status', '--json')
  t.match(JSON.parse(status.out), {
    node: 'node-1',
    folder,
    isWell: true,
    waiting: 7,
    setAside: 0,
    process: null,
    gateway: null,
    database: { problem: null },
  })
  t.equal(status.code, 0)
  t.match((await run('journal', 'status')).out, /gateway +does not run\n.*\n +waiting +7 entries/)

  const listed = await run('journal', 'inspect')
  t.match(listed.out, new RegExp(`contact\\.started +${call.contactId}`))
  const masked = await run('journal', 'inspect', '--json', '--limit', '1')
  t.match(JSON.parse(masked.out), {
    entry: { caller: { e164: '…47' }, metadata: '(12 characters)' },
  })
  t.notMatch(listed.out + masked.out, /2025550147/)
  t.match((await run('journal', 'inspect', '--json', '--numbers')).out, /\+12025550147/)

  t.match((await run('journal', 'replay', '--dry-run')).out, /^7 entries would be carried\.$/m)
  const replayed = await run('journal', 'replay', '--json')
  t.same(JSON.parse(replayed.out), { applied: 7, setAside: 0, left: 0 })
  t.equal((await run('journal', 'inspect')).out, 'Nothing waits.\n')
  const [row] = await mariadb
    .pool()
    .query('SELECT state FROM recordings WHERE id = ?', [call.recordingId])
  t.equal(row.state, 'complete')
})

t.test('what is set aside is shown with its reason, mended in its file, and applied', async (t) => {
  const { folder, leave, run } = installation(t)
  const bad = contactStarted({ serviceLine: 'x'.repeat(64) })
  await leave((journal) => journal.append(bad))
  const damaged = join(folder, segmentName(1))
  writeFileSync(damaged, `${readFileSync(damaged, 'utf8')}damaged\n`)
  t.match(await run('journal', 'replay'), { code: 1, out: /2 entries set aside/ })
  t.match(await run('journal', 'status'), { code: 1, out: /set aside +2 entries/ })

  const list = (await run('journal', 'inspect', '--set-aside', '--json')).out.trim().split('\n')
  const [entry, line] = list
    .map((one) => JSON.parse(one))
    .sort((a, b) => Number(a.entry === null) - Number(b.entry === null))
  t.match(entry, { entry: { contactId: bad.contactId }, reason: /too long/ })
  t.match(line, { entry: null, reason: 'no checksum' })
  const shown = await run('journal', 'inspect', entry.id)
  t.match(shown.out, /Set aside: Data too long for column 'service_line'/)
  t.match(await run('journal', 'replay', '--set-aside'), {
    code: 1,
    out: /0 entries applied, 2 left/,
  })

  const file = join(setAsidePath(folder), `${entry.id}.json`)
  writeFileSync(file, readFileSync(file, 'utf8').replace('x'.repeat(64), 'mended'))
  const mended = await run('journal', 'replay', '--set-aside', entry.id, '--json')
  t.match(JSON.parse(mended.out), { applied: 1, left: 0 })
  t.notOk(existsSync(file))
  const [row] = await mariadb
    .pool()
    .query('SELECT service_line FROM contacts WHERE id = ?', [bad.contactId])
  t.equal(row.service_line, 'mended')
})

t.test('what nobody wants is dropped with a reason, which the audit trail keeps', async (t) => {
  const { folder, leave, run } = installation(t)
  const bad = contactStarted({ serviceLine: 'x'.repeat(64) })
  const kept = contactStarted({ serviceLine: 'y'.repeat(64) })
  await leave((journal) => {
    journal.append(bad)
    journal.append(kept)
  })
  t.match(await run('journal', 'replay'), { code: 1, out: /2 entries set aside/ })
  const aside = new SetAsideFolder(folder)
  const [dropped, stays] = aside.list().map(({ id }) => id)
  const broken = '0123456789abcdef'
  writeFileSync(join(setAsidePath(folder), `${broken}.json`), '{')

  t.match(await run('journal', 'drop', String(dropped)), { code: 2, err: /needs --reason TEXT/ })
  t.match(await run('journal', 'drop', 'fedcba9876543210', '--reason', 'why'), {
    code: 2,
    err: /No entry fedcba9876543210 is set aside/,
  })
  t.equal(aside.count(), 3)
  const reason = 'a call of the installer'
  t.match(await run('journal', 'drop', String(dropped), broken, '--reason', reason), {
    code: 0,
    out: '2 entries dropped.\n',
  })
  t.same(
    aside.list().map(({ id }) => id),
    [stays],
  )
  const rows = await mariadb
    .pool()
    .query(
      "SELECT contact_id, details FROM audit_trail WHERE action = 'journal_entry_dropped' ORDER BY sequence",
    )
  t.same(
    rows.map(({ contact_id, details }: { contact_id: string; details: string }) => [
      contact_id,
      JSON.parse(details),
    ]),
    [
      [null, { entry: null, reason, setAsideId: broken }],
      [bad.contactId, { entry: 'contact.started', reason, setAsideId: dropped }],
    ],
  )
})

t.test('without a database nothing is dropped', async (t) => {
  const { folder, run } = installation(t, '/nonexistent/mariadb.sock')
  mkdirSync(setAsidePath(folder), { recursive: true })
  const file = join(setAsidePath(folder), '0123456789abcdef.json')
  writeFileSync(file, '{')
  t.match(await run('journal', 'drop', '0123456789abcdef', '--reason', 'why'), {
    code: 2,
    err: /MariaDB does not answer/,
  })
  t.ok(existsSync(file))
})

t.test('a set-aside file that cannot be read holds up no other', async (t) => {
  const { folder, leave, run } = installation(t)
  await leave((journal) => journal.append(contactStarted({ serviceLine: 'x'.repeat(64) })))
  await run('journal', 'replay')
  const [entry] = new SetAsideFolder(folder).list()
  const file = join(setAsidePath(folder), `${entry?.id}.json`)
  writeFileSync(file, readFileSync(file, 'utf8').replace('x'.repeat(64), 'unblocked'))
  const broken = '0123456789abcdef'
  writeFileSync(join(setAsidePath(folder), `${broken}.json`), '{')
  t.match(
    (await run('journal', 'inspect', '--set-aside')).out,
    /0123456789abcdef .* cannot be read/,
  )
  t.match(await run('journal', 'replay', '--set-aside'), {
    code: 1,
    out: /0123456789abcdef .* cannot be read .*: mend it, or drop it\.\n1 entry applied, 1 left/,
  })
})

t.test('a database that fails is one line', async (t) => {
  const { leave, run } = installation(t)
  await leave((journal) => journal.append(contactStarted({ serviceLine: 'x'.repeat(64) })))
  await run('journal', 'replay')
  const pool = mariadb.pool()
  await pool.query('RENAME TABLE contacts TO contacts_away')
  t.match(await run('journal', 'replay', '--set-aside'), {
    code: 2,
    err: /^tallenne: The database did not do it: [^\n]*contacts' doesn't exist\.\n$/,
  })
  await pool.query('RENAME TABLE contacts_away TO contacts')
})

t.test('mistakes are told in a sentence each', async (t) => {
  const { folder, leave, run } = installation(t, '/nonexistent/mariadb.sock')
  t.match(await run('journal', 'status'), { code: 2, err: /There is no journal in .*--data/ })
  await leave((journal) => journal.append(contactStarted()))
  t.match((await run('journal', 'status')).out, /database +.*ENOENT/)
  t.match(await run('journal', 'replay'), { code: 2, err: /MariaDB does not answer/ })
  t.match((await run('journal', 'inspect', '0000000000000000')).err, /No entry 0{16} is set aside/)
  t.match(await run('journal', 'inspect', '--limit', 'all'), { code: 2, err: /--limit is all/ })
  t.match((await run('journal', 'replay', 'abc')).err, /takes an ID with --set-aside alone/)
  mkdirSync(setAsidePath(folder), { recursive: true })
  writeFileSync(join(setAsidePath(folder), '0123456789abcdef.json'), '{')
  t.match((await run('journal', 'inspect', '0123456789abcdef')).err, /cannot be read .*mend it/)
  const held = openJournal(folder)
  t.teardown(() => held.close({ drainMs: 0 }))
  t.match((await run('journal', 'replay')).err, /process \d+\) has this journal/)
})
