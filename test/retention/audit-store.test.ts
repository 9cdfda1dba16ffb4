import { existsSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import t from 'tap'
import { createSilentLog } from '../../base/log.ts'
import { newId } from '../../base/uuid.ts'
import { auditStore } from '../../retention/audit-store.ts'
import { openDiscrepancies } from '../../storage/completeness/discrepancies.ts'
import { findRecording } from '../../storage/contact-queries.ts'
import { storeFileOf } from '../../storage/store-file.ts'
import { ManualClock } from '../manual-clock.ts'
import { startMariadb } from '../mariadb.ts'
import { Archive } from './archive.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const pool = mariadb.pool()
const log = createSilentLog()
const CALL_END = Date.parse('2026-01-15T08:31:02.123Z')
const NOW = Date.parse('2026-01-20T00:00:00Z')
const DAY_S = 86_400

function audit(from: Archive) {
  return auditStore({ nodeId: 'node-1', pool, store: from.store, clock: new ManualClock(NOW), log })
}

/** Makes a file as old as it says. */
function age(path: string, seconds: number): void {
  utimesSync(path, NOW / 1000 - seconds, NOW / 1000 - seconds)
}

const from = await Archive.open(mariadb, t.testdir())

t.test('where rows and files agree there is nothing to tell', async (t) => {
  await from.add([
    { endedAtMs: CALL_END },
    { endedAtMs: CALL_END, state: 'failed', hasFile: false },
  ])
  t.strictSame(await audit(from), {
    filesWithoutRow: 0,
    filesErased: 0,
    partsErased: 0,
    filesAdopted: 0,
    rowsWithoutFile: 0,
    unruled: new Map(),
  })
})

t.test('a file that no row knows is told once it is older than a day, and stays', async (t) => {
  const id = newId()
  writeFileSync(from.store.spoolPathOf(id), 'OggS')
  await from.store.keep(id)
  age(from.pathOf(id), DAY_S - 60)
  t.match(await audit(from), { filesWithoutRow: 0 })
  age(from.pathOf(id), DAY_S + 60)
  t.match(await audit(from), { filesWithoutRow: 1 })
  t.match(await openDiscrepancies(pool, 'file_without_row'), [{ subject: id, nodeId: 'node-1' }])
  t.equal(from.hasFile(id), true)
  await from.store.erase(`${from.pathOf(id).slice(from.storePath.length + 1)}`)
  await audit(from)
  t.same(await openDiscrepancies(pool, 'file_without_row'), [])
})

t.test('a file whose recording was deleted is erased', async (t) => {
  const [id = ''] = await from.add([{ endedAtMs: CALL_END }])
  await pool.query("UPDATE recordings SET state = 'deleted' WHERE id = ?", [id])
  t.match(await audit(from), { filesErased: 1 })
  t.equal(from.hasFile(id), false)
})

t.test(
  'a file in the place of which is another is erased, once it is older than a day',
  async (t) => {
    const [id = ''] = await from.add([{ endedAtMs: CALL_END }])
    const encrypted = `${from.pathOf(id)}.age`
    writeFileSync(encrypted, 'age-encryption.org/v1')
    await pool.query('UPDATE recordings SET file = ? WHERE id = ?', [storeFileOf(id, 'age'), id])
    t.match(await audit(from), { filesErased: 0 })
    age(from.pathOf(id), DAY_S + 60)
    rmSync(encrypted)
    t.match(await audit(from), { filesErased: 0, rowsWithoutFile: 1 })
    t.equal(from.hasFile(id), true, 'it is all that is left')
    writeFileSync(encrypted, 'age-encryption.org/v1')
    t.match(await audit(from), { filesErased: 1, rowsWithoutFile: 0 })
    t.equal(from.hasFile(id), false)
    await from.store.erase(storeFileOf(id, 'age'))
    await pool.query("UPDATE recordings SET state = 'deleted' WHERE id = ?", [id])
  },
)

t.test('a file that a crash left half written is erased once it is older than a day', async (t) => {
  const [id = ''] = await from.add([{ endedAtMs: CALL_END }])
  const part = `${from.pathOf(id)}.age.part`
  const stranger = `${from.pathOf(newId())}.age.part`
  for (const path of [part, stranger]) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, 'age-encryption.org/v1')
  }
  age(part, DAY_S - 60)
  age(stranger, DAY_S + 60)
  t.match(await audit(from), { partsErased: 1, filesWithoutRow: 0, filesErased: 0 })
  t.notOk(existsSync(stranger))
  t.ok(existsSync(part), 'it may still be written')
  age(part, DAY_S + 60)
  t.match(await audit(from), { partsErased: 1 })
  t.notOk(existsSync(part))
  t.equal(from.hasFile(id), true)
})

t.test('what is half written of a deleted recording is erased at once', async (t) => {
  const [id = ''] = await from.add([{ endedAtMs: CALL_END }])
  const part = `${from.pathOf(id)}.age.part`
  writeFileSync(part, 'age-encryption.org/v1')
  rmSync(from.pathOf(id))
  await pool.query("UPDATE recordings SET state = 'deleted' WHERE id = ?", [id])
  t.match(await audit(from), { partsErased: 1, filesErased: 0 })
  t.notOk(existsSync(part))
})

t.test('an encrypted file that a crash left becomes the row’s as what it is', async (t) => {
  const [id = ''] = await from.add([{ endedAtMs: CALL_END, state: 'failed' }])
  await pool.query('UPDATE recordings SET file = NULL, bytes = 0 WHERE id = ?', [id])
  const sealed = `${from.pathOf(id)}.sealed`
  renameSync(from.pathOf(id), sealed)
  age(sealed, 2 * DAY_S)
  t.match(await audit(from), { filesAdopted: 1 })
  t.match(await findRecording(pool, id, NOW), {
    file: storeFileOf(id, 'sealed'),
    view: { bytes: null },
    stored: { bytes: 4, encryption: 'sealed', keySet: null },
  })
})

t.test('a file of a running recording is left alone', async (t) => {
  const [id = ''] = await from.add([{ endedAtMs: CALL_END }])
  await pool.query("UPDATE recordings SET state = 'recording', file = NULL WHERE id = ?", [id])
  age(from.pathOf(id), 2 * DAY_S)
  t.match(await audit(from), { filesErased: 0, filesAdopted: 0, filesWithoutRow: 0 })
  t.equal(from.hasFile(id), true)
})

t.test('a file that a crash left without its row’s knowledge becomes the row’s', async (t) => {
  const [id = ''] = await from.add([{ endedAtMs: CALL_END, state: 'failed' }])
  await pool.query('UPDATE recordings SET file = NULL, bytes = 0 WHERE id = ?', [id])
  age(from.pathOf(id), 2 * DAY_S)
  t.match(await audit(from), { filesAdopted: 1 })
  t.match(await findRecording(pool, id, NOW), {
    file: new RegExp(`/${id}.opus$`),
    view: { bytes: 4, state: 'failed' },
  })
})

t.test(
  'a row without its file is marked, and told in the recording’s reasons until it is back',
  async (t) => {
    const [id = ''] = await from.add([{ endedAtMs: CALL_END }])
    rmSync(from.pathOf(id))
    t.match(await audit(from), { rowsWithoutFile: 1 })
    t.same((await findRecording(pool, id, NOW))?.view.reasons, ['file_missing'])
    t.match(await from.row(id), { state: 'complete', file_missing_since: new Date(NOW) })
    writeFileSync(from.pathOf(id), 'OggS')
    t.match(await audit(from), { rowsWithoutFile: 0 })
    t.same((await findRecording(pool, id, NOW))?.view.reasons, [])
  },
)

t.test('recordings of a line that no policy rules are counted', async (t) => {
  await from.add([{ serviceLine: 'tuntematon', endedAtMs: CALL_END }])
  t.strictSame((await audit(from)).unruled, new Map([['tuntematon', 1]]))
})

t.test('without the store nothing is marked', async (t) => {
  const [id = ''] = await from.add([{ endedAtMs: CALL_END }])
  rmSync(from.storePath, { recursive: true })
  await t.rejects(audit(from), { code: 'store_missing' })
  t.match(await from.row(id), { file_missing_since: null })
})
