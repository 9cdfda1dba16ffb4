import { appendFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { createSilentLog } from '../../../base/log.ts'
import { type AuditEvent, auditEvent } from '../../../storage/audit/audit-event.ts'
import { AuditQueue } from '../../../storage/audit/audit-queue.ts'
import { ManualClock } from '../../manual-clock.ts'
import { until } from '../../until.ts'

const folder = mkdtempSync(join(tmpdir(), 'tallenne-queue-'))
t.teardown(() => rmSync(folder, { recursive: true }))

class StandInTrail {
  isAway = false
  isSlow = false
  readonly written = new Map<string, AuditEvent>()

  async record(event: AuditEvent): Promise<void> {
    if (this.isSlow) await new Promise(() => {})
    if (this.isAway) throw new Error('away')
    this.written.set(event.id, event)
  }
}

function pause(reason: string): AuditEvent {
  const actor = { kind: 'token', name: 'admin-token' } as const
  return auditEvent({ atMs: 1000, actor, action: 'call_paused', details: { reason } })
}

let count = 0
function queueOn(trail: StandInTrail, path = join(folder, `${count++}.queue`)) {
  const clock = new ManualClock()
  const queue = new AuditQueue({ trail, path, clock, log: createSilentLog() })
  return { queue, clock, path }
}

t.test('an event goes straight into the trail while that takes it', async (t) => {
  const trail = new StandInTrail()
  const { queue, path } = queueOn(trail)
  await queue.record(pause('card'))
  t.equal(trail.written.size, 1)
  t.equal(queue.depth, 0)
  t.notOk(existsSync(path))
  await queue.close()
})

t.test('events wait on the disk while the database is away, and enter in order', async (t) => {
  const trail = new StandInTrail()
  const { queue, clock, path } = queueOn(trail)
  trail.isAway = true
  const events = [pause('a'), pause('b'), pause('c')]
  for (const event of events) await queue.record(event)
  t.equal(queue.depth, 3)
  clock.advance(5000)
  await until(() => clock.timers > 0)
  t.equal(queue.depth, 3)
  trail.isAway = false
  clock.advance(5000)
  await until(() => queue.depth === 0)
  t.strictSame([...trail.written.values()], events)
  t.notOk(existsSync(path))
  await queue.close()
})

t.test('what waited when the process died enters after the next start', async (t) => {
  const trail = new StandInTrail()
  trail.isAway = true
  const { queue, path } = queueOn(trail)
  const event = pause('a')
  await queue.record(event)
  await queue.close()
  appendFileSync(path, '{"id":"torn')
  trail.isAway = false
  const next = queueOn(trail, path)
  await next.queue.start()
  t.equal(next.queue.depth, 1)
  next.clock.advance(1)
  await until(() => next.queue.depth === 0)
  t.strictSame([...trail.written.values()], [event])
  await next.queue.close()
})

t.test('an order does not wait for a database that says nothing', async (t) => {
  const trail = new StandInTrail()
  trail.isSlow = true
  const { queue, clock } = queueOn(trail)
  const recorded = queue.record(pause('a'))
  clock.advance(1500)
  await recorded
  t.equal(queue.depth, 1)
  await queue.close()
})
