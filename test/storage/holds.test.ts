import t from 'tap'
import { newId } from '../../base/uuid.ts'
import { activeHolds, placeHold, releaseHold } from '../../storage/holds.ts'
import { migrate } from '../../storage/migrate.ts'
import { startMariadb } from '../mariadb.ts'
import { applyEntries } from './apply.ts'
import { testTrail } from './audit/test-trail.ts'
import { wholeCall } from './journal-entries.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const pool = mariadb.pool()
const trail = testTrail(pool)
await migrate(pool)
const nowMs = Date.UTC(2026, 1, 1)
const hold = { reason: 'a complaint is open', placedBy: 'officer', untilMs: null, nowMs }

async function recording(): Promise<string> {
  const call = wholeCall()
  await applyEntries(mariadb.settings, call.entries)
  return call.recordingId
}

t.test('a hold says who holds what, why and until when', async (t) => {
  const recordingId = await recording()
  const id = await placeHold(trail, { ...hold, recordingId, untilMs: nowMs + 1000 })
  t.strictSame(await activeHolds(pool, [recordingId, newId()], nowMs), [
    {
      id,
      recordingId,
      reason: 'a complaint is open',
      placedBy: 'officer',
      placedAtMs: nowMs,
      untilMs: nowMs + 1000,
    },
  ])
  t.same(await activeHolds(pool, [recordingId], nowMs + 1000), [])
  t.same(await activeHolds(pool, [], nowMs), [])
})

t.test('a released hold holds no more, and the first release stands', async (t) => {
  const recordingId = await recording()
  const id = await placeHold(trail, { ...hold, recordingId })
  await releaseHold(trail, { id, releasedBy: 'officer', nowMs: nowMs + 1 })
  await releaseHold(trail, { id, releasedBy: 'somebody', nowMs: nowMs + 2 })
  t.same(await activeHolds(pool, [recordingId], nowMs), [])
  const [row] = await pool.query('SELECT released_by, released_at FROM holds WHERE id = ?', [id])
  t.match(row, { released_by: 'officer', released_at: new Date(nowMs + 1) })
  await t.rejects(releaseHold(trail, { id: newId(), releasedBy: 'officer', nowMs }), {
    code: 'no_such_hold',
  })
})

t.test('what is being deleted, deleted or unknown cannot be held', async (t) => {
  const recordingId = await recording()
  for (const state of ['deleting', 'deleted']) {
    await pool.query('UPDATE recordings SET state = ? WHERE id = ?', [state, recordingId])
    await t.rejects(placeHold(trail, { ...hold, recordingId }), { code: 'recording_deleted' })
  }
  await t.rejects(placeHold(trail, { ...hold, recordingId: newId() }), {
    code: 'no_such_recording',
  })
})
