import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { createSilentLog } from '../../base/log.ts'
import { countSweep, type SweepReport, sweepOnce } from '../../retention/sweep.ts'
import { createDatabasePool } from '../../storage/database.ts'
import { placeHold, releaseHold } from '../../storage/holds.ts'
import { storeFileOf } from '../../storage/store-file.ts'
import { ManualClock } from '../manual-clock.ts'
import { startMariadb } from '../mariadb.ts'
import { testTrail } from '../storage/audit/test-trail.ts'
import { Archive } from './archive.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const pool = mariadb.pool()
const trail = testTrail(pool)
const log = createSilentLog()
const CALL_END = Date.parse('2026-01-15T08:31:02.123Z')
const DUE = Date.parse('2026-03-15T08:31:02.123Z')

async function archive(t: Test): Promise<Archive> {
  await pool.query('DELETE FROM holds').catch(() => {})
  await pool.query('DELETE FROM recordings').catch(() => {})
  return Archive.open(mariadb, t.testdir())
}

function at(epochMs: number): ManualClock {
  return new ManualClock(epochMs)
}

async function sweep(from: Archive, nowMs: number, batchSize = 500): Promise<SweepReport> {
  const { store } = from
  const outcome = await sweepOnce({ pool, store, trail, clock: at(nowMs), log, batchSize })
  if (outcome.kind === 'busy') throw new Error('another sweep runs')
  return outcome.result
}

t.test('with a recording goes all that a crash left beside its file', async (t) => {
  const from = await archive(t)
  const [id = '', unknown = ''] = await from.add([
    { endedAtMs: CALL_END },
    { endedAtMs: CALL_END, hasFile: false },
  ])
  await pool.query('UPDATE recordings SET file = ? WHERE id = ?', [storeFileOf(id, 'age', 2), id])
  const left = [
    `${from.pathOf(id)}`,
    `${from.pathOf(id)}.age`,
    from.store.pathOf(storeFileOf(id, 'age', 2)),
    `${from.store.pathOf(storeFileOf(id, 'age', 2))}.part`,
    from.store.pathOf(storeFileOf(id, 'age', 3)),
    `${from.store.pathOf(storeFileOf(id, 'age', 3))}.part`,
    `${from.pathOf(unknown)}.age.part`,
    `${from.pathOf(unknown)}.part`,
  ]
  for (const path of left) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, 'OggS')
  }
  await sweep(from, DUE)
  t.same(left.filter(existsSync), [])
  t.same(await Promise.all([id, unknown].map((one) => from.stateOf(one))), ['deleted', 'deleted'])
})

t.test('a recording is deleted at the instant when its period ends, and not before', async (t) => {
  const from = await archive(t)
  const [id = ''] = await from.add([{ endedAtMs: CALL_END }])
  await sweep(from, DUE - 1)
  t.equal(await from.stateOf(id), 'complete')
  t.equal(from.hasFile(id), true)
  const report = await sweep(from, DUE)
  t.strictSame(report.lines.get('asiakastuki'), {
    deleted: 1,
    failed: 0,
    alreadyGone: 0,
    held: 0,
  })
  t.equal(from.hasFile(id), false)
  t.match(await from.row(id), {
    state: 'deleted',
    deleted_at: new Date(DUE),
    deleted_by_policy: 1,
    bytes: 4,
  })
})

t.test('the contact’s row stays, with its segments', async (t) => {
  const from = await archive(t)
  const [id = ''] = await from.add([{ endedAtMs: CALL_END }])
  await sweep(from, DUE)
  const { contact_id } = await from.row(id)
  const [{ n }] = await pool.query(
    'SELECT COUNT(*) AS n FROM contacts c JOIN segments s ON s.contact_id = c.id WHERE c.id = ?',
    [contact_id],
  )
  t.equal(n, 1)
})

t.test('each line has its own period, and the catch-all keeps for ever', async (t) => {
  const from = await archive(t)
  const lines = ['asiakastuki', 'puhelunvalitys', 'tunnistamaton', 'tuntematon']
  const ids = await from.add(lines.map((serviceLine) => ({ serviceLine, endedAtMs: CALL_END })))
  const statesAt = async (nowMs: number) => {
    await sweep(from, nowMs)
    return Promise.all(ids.map((id) => from.stateOf(id)))
  }
  t.same(await statesAt(DUE), ['deleted', 'complete', 'complete', 'complete'])
  const sixMonths = Date.parse('2026-07-15T07:31:02.123Z')
  t.same(await statesAt(sixMonths - 1), ['deleted', 'complete', 'complete', 'complete'])
  t.same(await statesAt(sixMonths), ['deleted', 'deleted', 'complete', 'complete'])
  t.same(await statesAt(Date.UTC(2040, 0)), ['deleted', 'deleted', 'complete', 'complete'])
})

t.test('everything that holds audio expires, whatever its verdict', async (t) => {
  const from = await archive(t)
  const states = ['complete', 'partial', 'silent', 'failed'] as const
  const ids = await from.add(states.map((state) => ({ state, endedAtMs: CALL_END })))
  await sweep(from, DUE)
  for (const id of ids) {
    t.equal(await from.stateOf(id), 'deleted')
    t.equal(from.hasFile(id), false)
  }
})

t.test('a recording that still runs is not touched', async (t) => {
  const from = await archive(t)
  const [id = ''] = await from.add([{ endedAtMs: CALL_END }])
  await pool.query("UPDATE recordings SET state = 'recording' WHERE id = ?", [id])
  await sweep(from, Date.UTC(2040, 0))
  t.equal(await from.stateOf(id), 'recording')
  t.equal(from.hasFile(id), true)
})

t.test(
  '31 December plus two months is the last of February, for each call at its own hour',
  async (t) => {
    const from = await archive(t)
    const ends = ['28T20', '29T08', '30T12', '31T10'].map((end) =>
      Date.parse(`2025-12-${end}:00:00Z`),
    )
    const ids = await from.add(ends.map((endedAtMs) => ({ endedAtMs })))
    await sweep(from, Date.parse('2026-02-28T10:00:00Z'))
    t.same(await Promise.all(ids.map((id) => from.stateOf(id))), [
      'complete',
      'deleted',
      'complete',
      'deleted',
    ])
  },
)

t.test('a shortened period rules what still stands', async (t) => {
  const from = await archive(t)
  const [id = ''] = await from.add([{ endedAtMs: CALL_END }])
  const month = Date.parse('2026-02-15T08:31:02.123Z')
  await sweep(from, month)
  t.equal(await from.stateOf(id), 'complete')
  await from.setPeriods({ asiakastuki: 'P1M' })
  await sweep(from, month)
  const row = await from.row(id)
  t.equal(row.state, 'deleted')
  t.ok(row.deleted_by_policy > 1)
})

t.test('a hold stops deletion until it ends', async (t) => {
  const from = await archive(t)
  const [held = '', timed = ''] = await from.add([{ endedAtMs: CALL_END }, { endedAtMs: CALL_END }])
  const hold = { reason: 'complaint', placedBy: 'officer', nowMs: DUE - 1000 }
  const id = await placeHold(trail, { ...hold, recordingId: held, untilMs: null })
  await placeHold(trail, { ...hold, recordingId: timed, untilMs: DUE + 1000 })
  const report = await sweep(from, DUE)
  t.match(report.lines.get('asiakastuki'), { deleted: 0, held: 2 })
  await sweep(from, DUE + 1000)
  t.equal(await from.stateOf(held), 'complete')
  t.equal(await from.stateOf(timed), 'deleted')
  await releaseHold(trail, { id, releasedBy: 'officer', nowMs: DUE + 2000 })
  await sweep(from, DUE + 2000)
  t.equal(await from.stateOf(held), 'deleted')
})

t.test('many held recordings at the front hold up none behind them', async (t) => {
  const from = await archive(t)
  const ids = await from.add(
    Array.from({ length: 12 }, (_, index) => ({ endedAtMs: CALL_END + index })),
  )
  for (const recordingId of ids.slice(0, 7)) {
    await placeHold(trail, { recordingId, reason: 'x', placedBy: 'x', untilMs: null, nowMs: DUE })
  }
  const report = await sweep(from, DUE + 100, 3)
  t.match(report.lines.get('asiakastuki'), { deleted: 5, held: 7 })
})

t.test('a row without a file is deleted as well', async (t) => {
  const from = await archive(t)
  const [none = '', lost = ''] = await from.add([
    { endedAtMs: CALL_END, state: 'failed', hasFile: false },
    { endedAtMs: CALL_END },
  ])
  rmSync(from.pathOf(lost))
  const report = await sweep(from, DUE)
  t.match(report.lines.get('asiakastuki'), { deleted: 2, alreadyGone: 1, failed: 0 })
  t.equal(await from.stateOf(none), 'deleted')
})

t.test('a file that its row does not know of is erased with it', async (t) => {
  const from = await archive(t)
  const [id = ''] = await from.add([{ endedAtMs: CALL_END }])
  await pool.query('UPDATE recordings SET file = NULL WHERE id = ?', [id])
  await sweep(from, DUE)
  t.equal(from.hasFile(id), false)
})

t.test('a file that cannot be erased is tried again, and holds up no other', async (t) => {
  const from = await archive(t)
  const [stuck = '', free = ''] = await from.add([{ endedAtMs: CALL_END }, { endedAtMs: CALL_END }])
  // A folder with something in it stands where the file was: not even root unlinks it.
  rmSync(from.pathOf(stuck))
  mkdirSync(from.pathOf(stuck))
  writeFileSync(`${from.pathOf(stuck)}/x`, '')
  const report = await sweep(from, DUE)
  t.match(report.lines.get('asiakastuki'), { deleted: 1, failed: 1 })
  t.equal(await from.stateOf(stuck), 'deleting')
  t.equal(await from.stateOf(free), 'deleted')
  rmSync(from.pathOf(stuck), { recursive: true })
  t.match(await sweep(from, DUE), { resumed: 1 })
  t.equal(await from.stateOf(stuck), 'deleted')
})

t.test('without the store nothing is marked', async (t) => {
  const from = await archive(t)
  const [id = ''] = await from.add([{ endedAtMs: CALL_END }])
  rmSync(from.storePath, { recursive: true })
  mkdirSync(from.storePath)
  await t.rejects(sweep(from, DUE), { code: 'store_missing' })
  t.equal(await from.stateOf(id), 'complete')
})

t.test('counting first tells what would go, and deletes nothing', async (t) => {
  const from = await archive(t)
  const ids = await from.add([
    ...Array.from({ length: 5 }, () => ({ endedAtMs: CALL_END })),
    { endedAtMs: CALL_END - 90 * 86_400_000 },
    { endedAtMs: CALL_END - 90 * 86_400_000 },
    { endedAtMs: CALL_END + 1 },
    { serviceLine: 'puhelunvalitys', endedAtMs: CALL_END },
  ])
  for (const recordingId of [ids[0], ids[5]]) {
    const hold = { reason: 'x', placedBy: 'x', untilMs: null, nowMs: DUE }
    await placeHold(trail, { ...hold, recordingId: recordingId ?? '' })
  }
  const counts = await countSweep({ pool, clock: at(DUE) })
  t.strictSame(
    counts.find(({ serviceLine }) => serviceLine === 'asiakastuki'),
    { serviceLine: 'asiakastuki', due: 5, dueBytes: 20, held: 2 },
  )
  t.match(
    counts.find(({ serviceLine }) => serviceLine === 'puhelunvalitys'),
    { due: 0, dueBytes: 0 },
  )
  t.equal(await from.stateOf(ids[1] ?? ''), 'complete')
})

t.test('two sweepers at once delete each row once', async (t) => {
  const from = await archive(t)
  const ids = await from.add(
    Array.from({ length: 60 }, (_, index) => ({ endedAtMs: CALL_END - index })),
  )
  const erasedFiles: string[] = []
  const store = {
    check: () => from.store.check(),
    eraseAll: async (files: readonly string[]) => {
      const outcomes = await from.store.eraseAll(files)
      erasedFiles.push(...files.filter((_, at) => outcomes[at] === 'erased'))
      return outcomes
    },
  }
  const other = createDatabasePool(mariadb.settings)
  t.teardown(() => other.end())
  const options = { store, trail, clock: at(DUE), log, batchSize: 7 }
  const outcomes = await Promise.all(
    [pool, other].map((one) => sweepOnce({ ...options, pool: one })),
  )
  t.same(outcomes.map(({ kind }) => kind).sort(), ['busy', 'done'])
  // One after the other, when it waits.
  await Promise.all([pool, other].map((one) => sweepOnce({ ...options, pool: one, waitS: 10 })))
  t.equal(erasedFiles.length, ids.length)
  t.equal(new Set(erasedFiles).size, ids.length)
})

t.test('a sweep killed between the marks is finished by the next', async (t) => {
  const from = await archive(t)
  const ids = await from.add(Array.from({ length: 10 }, () => ({ endedAtMs: CALL_END })))
  const script = fileURLToPath(new URL('./sweep-child.js', import.meta.url))
  const { socketPath = '' } = mariadb.settings
  const child = spawn(
    process.execPath,
    [script, socketPath, dirname(from.storePath), String(DUE), '4'],
    { stdio: 'inherit' },
  )
  const signal = await new Promise((resolve) => child.once('close', (_code, how) => resolve(how)))
  t.equal(signal, 'SIGKILL')
  const left = await Promise.all(ids.map((id) => from.stateOf(id)))
  t.same(left, Array(10).fill('deleting'))
  t.equal(ids.filter((id) => !from.hasFile(id)).length, 4)
  // The server may not have noticed yet that the dead one’s lock is free.
  const options = { pool, trail, store: from.store, clock: at(DUE + 1000), log, waitS: 10 }
  const outcome = await sweepOnce(options)
  t.match(outcome, { kind: 'done', result: { resumed: 10 } })
  for (const id of ids) {
    t.equal(from.hasFile(id), false)
    t.match(await from.row(id), { state: 'deleted', deleted_at: new Date(DUE + 1000) })
  }
})

t.test('a sweep that is stopped ends with its batch', async (t) => {
  const from = await archive(t)
  const ids = await from.add(Array.from({ length: 9 }, () => ({ endedAtMs: CALL_END })))
  const stopping = new AbortController()
  const store = {
    check: () => from.store.check(),
    eraseAll: (files: readonly string[]) => {
      stopping.abort()
      return from.store.eraseAll(files)
    },
  }
  const { signal } = stopping
  await sweepOnce({ pool, store, trail, clock: at(DUE), log, batchSize: 4, signal })
  const states = await Promise.all(ids.map((id) => from.stateOf(id)))
  t.same(states.sort(), [...Array(5).fill('complete'), ...Array(4).fill('deleted')])
})
