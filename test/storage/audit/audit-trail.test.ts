import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import t from 'tap'
import { createSilentLog } from '../../../base/log.ts'
import { AnchorFile, readAnchors } from '../../../storage/audit/audit-anchors.ts'
import { hashOfRow } from '../../../storage/audit/audit-chain.ts'
import { auditEvent } from '../../../storage/audit/audit-event.ts'
import { readRows } from '../../../storage/audit/audit-rows.ts'
import { AuditTrail } from '../../../storage/audit/audit-trail.ts'
import { guardAudit, isAuditGuarded } from '../../../storage/audit/guard-audit.ts'
import { verifyAudit } from '../../../storage/audit/verify-audit.ts'
import { createDatabasePool } from '../../../storage/database.ts'
import { migrate } from '../../../storage/migrate.ts'
import { ManualClock } from '../../manual-clock.ts'
import { startMariadb } from '../../mariadb.ts'

const folder = mkdtempSync(join(tmpdir(), 'tallenne-audit-'))
const mariadb = await startMariadb()
t.teardown(async () => {
  await mariadb.close()
  rmSync(folder, { recursive: true })
})
const pool = mariadb.pool()
await migrate(pool)
const clock = new ManualClock()
const actor = { kind: 'token', name: 'admin-token' } as const

function search(number: number) {
  return auditEvent({ atMs: clock.epochMs(), actor, action: 'search', details: { number } })
}

function trailOf(
  writer: string,
  { anchorFolder = folder, log = createSilentLog(), onBroken = () => {} } = {},
) {
  const anchors = new AnchorFile(anchorFolder, writer)
  return new AuditTrail({ pool, anchors, writer: `${writer}/node-1`, clock, log, onBroken })
}

async function emptied(): Promise<void> {
  await pool.query('TRUNCATE TABLE audit_trail')
  rmSync(folder, { recursive: true })
}

/** A fresh trail of ten rows. */
async function tenRows() {
  await emptied()
  const trail = trailOf('portal')
  for (let number = 1; number <= 10; number++) await trail.record(search(number))
  return trail
}

const verify = async () => verifyAudit(pool, (await readAnchors(folder)).anchors)

t.test('an empty trail is whole', async (t) => {
  t.match(await verify(), { rows: 0, anchorsHeld: 0, broken: undefined })
})

t.test('what was recorded is there in order, whole, and anchored', async (t) => {
  await tenRows()
  const { head, ...verdict } = await verify()
  t.match(verdict, { rows: 10, anchorsHeld: 10, broken: undefined })
  t.equal(head.sequence, 10)
  const [row] = await pool.query('SELECT * FROM audit_trail WHERE sequence = 3')
  t.match(row, {
    writer: 'portal/node-1',
    actor_kind: 'token',
    actor_name: 'admin-token',
    action: 'search',
    details: '{"number":3}',
    occurred_at: new Date(clock.epochMs()),
  })
})

t.test('many writers at once leave one whole chain', async (t) => {
  await emptied()
  const pools = Array.from({ length: 3 }, () => createDatabasePool(mariadb.settings))
  const writers = pools.map(
    (own, index) =>
      new AuditTrail({
        pool: own,
        anchors: new AnchorFile(folder, `writer-${index}`),
        writer: `writer-${index}/node-1`,
        clock,
        log: createSilentLog(),
      }),
  )
  await Promise.all(
    writers.flatMap((trail) =>
      Array.from({ length: 100 }, async (_, number) => {
        await new Promise<void>((resolve) => setImmediate(resolve))
        if (number % 10 > 0) return trail.record(search(number))
        // Several transactions of one process wait for each other as those of several do.
        return trail.alongside(async () => ({ result: undefined, events: [search(number)] }))
      }),
    ),
  )
  await Promise.all(pools.map((own) => own.end()))
  t.match(await verify(), { rows: 300, broken: undefined })
  const counts = await pool.query('SELECT COUNT(*) AS n FROM audit_trail GROUP BY writer')
  t.strictSame(
    counts.map(({ n }: { n: number }) => n),
    [100, 100, 100],
  )
})

t.test('names, quotes and halves of characters stay as they were hashed', async (t) => {
  await emptied()
  const trail = trailOf('portal')
  for (const name of [
    'Åsa Öberg ',
    'a"b\\c\n',
    `${'x'.repeat(254)}😀`,
    '\ud83d',
    '😀'.repeat(200),
  ]) {
    await trail.record(
      auditEvent({
        atMs: clock.epochMs() + 0.7,
        actor: { kind: 'user', name },
        action: 'search',
        details: { z: name, a: [1.5, null, { y: true, b: 'ä' }] },
      }),
    )
  }
  t.match(await verify(), { rows: 5, broken: undefined })
})

for (const [what, sql, broken] of [
  ['a changed row', "UPDATE audit_trail SET actor_name = 'nobody' WHERE sequence = 4", 'changed 4'],
  [
    'a changed hash',
    "UPDATE audit_trail SET hash = REPEAT('a', 64) WHERE sequence = 4",
    'changed 4',
  ],
  [
    'a changed time',
    'UPDATE audit_trail SET occurred_at = 0 + 20260105 WHERE sequence = 1',
    'changed 1',
  ],
  ['a removed row', 'DELETE FROM audit_trail WHERE sequence = 4', 'removed 4'],
  ['removed first rows', 'DELETE FROM audit_trail WHERE sequence < 4', 'removed 1'],
  ['a removed row, the others moved up', 'closeGap', 'changed 4'],
  ['an end cut off', 'DELETE FROM audit_trail WHERE sequence > 8', 'cut_off 9'],
  ['the last row cut off', 'DELETE FROM audit_trail WHERE sequence = 10', 'cut_off 10'],
  ['all rows gone', 'DELETE FROM audit_trail', 'cut_off 1'],
  ['two rows exchanged', 'exchange', 'changed 4'],
  ['an inserted row', 'insert', 'changed 5'],
] as const) {
  t.test(`${what} is found and named`, async (t) => {
    await tenRows()
    await pool.query("SET sql_mode = ''")
    if (sql === 'closeGap') {
      await pool.query('DELETE FROM audit_trail WHERE sequence = 4')
      await pool.query(
        'UPDATE audit_trail SET sequence = sequence - 1 WHERE sequence > 4 ORDER BY sequence',
      )
    } else if (sql === 'exchange') {
      await pool.query('UPDATE audit_trail SET sequence = 100 WHERE sequence = 4')
      await pool.query('UPDATE audit_trail SET sequence = 4 WHERE sequence = 5')
      await pool.query('UPDATE audit_trail SET sequence = 5 WHERE sequence = 100')
    } else if (sql === 'insert') {
      await pool.query(
        'UPDATE audit_trail SET sequence = sequence + 1 WHERE sequence > 4 ORDER BY sequence DESC',
      )
      await pool.query(
        `INSERT INTO audit_trail SELECT 5, UUID(), occurred_at, writer, actor_kind, actor_name, action, contact_id,
           recording_id, details, hash, hash FROM audit_trail WHERE sequence = 4`,
      )
    } else {
      await pool.query(sql)
    }
    const verdict = await verify()
    t.equal(`${verdict.broken?.kind} ${verdict.broken?.sequence}`, broken)
  })
}

t.test('a row that was replaced with a right hash of its own is found by the next', async (t) => {
  await tenRows()
  await forgeFrom(4, 4)
  t.strictSame((await verifyAudit(pool, [])).broken, { kind: 'replaced', sequence: 4 })
  t.strictSame((await verify()).broken, { kind: 'replaced', sequence: 4 })
})

t.test('a chain forged to its end is found by the anchors', async (t) => {
  await tenRows()
  await forgeFrom(4, 10)
  const { broken, anchorsHeld } = await verify()
  const anchor = 'portal.anchors, line 8'
  t.strictSame(broken, { kind: 'rewritten', sequence: 4, anchor, laterHeld: 0 })
  t.equal(anchorsHeld, 3)
  t.equal((await verifyAudit(pool, [])).broken, undefined, 'nothing in the database tells')
})

for (const [what, change, broken, unreadable] of [
  [
    'an anchor’s hash was changed',
    (line) => line.replace(/"hash":"[^"]*"/, `"hash":"${'c'.repeat(64)}"`),
    { kind: 'rewritten', sequence: 4, anchor: 'portal.anchors, line 8', laterHeld: 6 },
    [],
  ],
  [
    'an anchor’s row was changed',
    (line) => line.replace('"sequence":4', '"sequence":40'),
    { kind: 'cut_off', sequence: 11, to: 40, anchor: 'portal.anchors, line 8' },
    [],
  ],
  [
    'an anchor is of no row',
    (line) => line.replace('"sequence":4', '"sequence":0'),
    undefined,
    ['portal.anchors, line 8'],
  ],
  ['an anchor is none', () => 'gone', undefined, ['portal.anchors, line 8']],
] as const satisfies readonly (readonly [string, (line: string) => string, ...unknown[]])[]) {
  t.test(`where ${what}, it is told which, and the others count all the same`, async (t) => {
    await tenRows()
    const path = join(folder, 'portal.anchors')
    const lines = readFileSync(path, 'utf8').split('\n')
    writeFileSync(path, lines.map((line, at) => (at === 7 ? change(line) : line)).join('\n'))
    const verdict = await verify()
    t.strictSame(verdict.broken, broken)
    t.equal(verdict.anchorsHeld, 9)
    t.strictSame((await readAnchors(folder)).unreadable, unreadable)
  })
}

t.test('a writer whose chain was exchanged under it tells once and goes on', async (t) => {
  const lines: string[] = []
  const log = pino({ level: 'error' }, { write: (line: string) => lines.push(line) })
  let broken = 0
  await tenRows()
  await forgeFrom(10, 10)
  const next = trailOf('portal', { log, onBroken: () => broken++ })
  await next.record(search(11))
  await next.record(search(12))
  t.equal(broken, 1)
  t.equal(lines.length, 1)
  t.match(lines[0], /not the one that was written/)
  t.match((await verify()).broken, { kind: 'rewritten', sequence: 10 }, 'the old anchor stays')
})

t.test('an event that is handed over twice is written once', async (t) => {
  await emptied()
  const trail = trailOf('portal')
  const event = search(1)
  await Promise.all([trail.record(event), trail.record(search(2))])
  await trail.record(event)
  t.match(await verify(), { rows: 2, broken: undefined })
})

t.test('work and its row stand or fall together', async (t) => {
  await emptied()
  await pool.query('CREATE TABLE IF NOT EXISTS worked (n INT)')
  const trail = trailOf('retention')
  const work = (n: number, fails: boolean) =>
    trail.alongside(async (connection) => {
      await connection.query('INSERT INTO worked VALUES (?)', [n])
      if (fails) throw new Error('no')
      return { result: n, events: [search(n)] }
    })
  t.equal(await work(1, false), 1)
  await t.rejects(work(2, true), { message: 'no' })
  t.equal(await trail.alongside(async () => ({ result: 3, events: [] })), 3)
  t.same(await pool.query('SELECT n FROM worked'), [{ n: 1 }])
  t.match(await verify(), { rows: 1, broken: undefined })
})

t.test('anchors outlive torn lines and are thinned where they grow', async (t) => {
  await emptied()
  const file = new AnchorFile(folder, 'portal')
  const hash = 'b'.repeat(64)
  await file.append({ sequence: 1, hash, atMs: 0 })
  const path = join(folder, 'portal.anchors')
  writeFileSync(path, `${readFileSync(path, 'utf8')}{"at":"1970-01-01T00:00:00.000Z","seq`)
  await file.append({ sequence: 2, hash, atMs: 0 })
  t.same(await readAnchors(folder), {
    anchors: [
      { sequence: 1, hash, atMs: 0, place: 'portal.anchors, line 2' },
      { sequence: 2, hash, atMs: 0, place: 'portal.anchors, line 4' },
    ],
    unreadable: ['portal.anchors, line 3'],
  })
  const many = Array.from(
    { length: 9000 },
    (_, n) => `{"at":"1970-01-01T00:00:00.000Z","sequence":${n + 3},"hash":"${hash}"}\n`,
  )
  writeFileSync(path, many.join(''))
  await file.append({ sequence: 9003, hash, atMs: 0 })
  const { anchors: kept } = await readAnchors(folder)
  t.equal(kept.at(-1)?.sequence, 9003)
  t.equal(kept[0]?.sequence, 3)
  t.equal(kept.filter(({ sequence }) => sequence > 8003).length, 1000)
})

t.test('the server refuses to change and to delete rows once the trail is guarded', async (t) => {
  await tenRows()
  t.equal(await isAuditGuarded(pool), false)
  t.equal(await guardAudit(pool), undefined)
  t.equal(await guardAudit(pool), undefined, 'twice is no harm')
  t.equal(await isAuditGuarded(pool), true)
  await t.rejects(pool.query("UPDATE audit_trail SET actor_name = 'x'"), /never changed or deleted/)
  await t.rejects(pool.query('DELETE FROM audit_trail'), /never changed or deleted/)
  await trailOf('portal').record(search(11))
  t.match(await verify(), { rows: 11, broken: undefined })
})

t.test('a trail that cannot be written says so', async (t) => {
  const trail = trailOf('portal')
  await mariadb.stop('SIGKILL')
  await t.rejects(trail.record(search(1)), { code: 'audit_unavailable' })
  const work = async () => ({ result: 1, events: [search(1)] })
  await t.rejects(trail.alongside(work), { code: 'audit_unavailable' })
  await mariadb.start()
  await trail.record(search(2))
  t.match(await verify(), { rows: 12, broken: undefined })
})

/** What somebody who can write to the table and knows how it is made would do. */
async function forgeFrom(first: number, last: number): Promise<void> {
  let previousHash: string | undefined
  for await (const row of readRows(pool)) {
    if (row.sequence < first || row.sequence > last) continue
    const forged = { ...row, actorName: 'forged', previousHash: previousHash ?? row.previousHash }
    previousHash = hashOfRow(forged)
    await pool.query(
      'UPDATE audit_trail SET actor_name = ?, previous_hash = ?, hash = ? WHERE sequence = ?',
      [forged.actorName, forged.previousHash, previousHash, row.sequence],
    )
  }
}
