import t from 'tap'
import { createSilentLog } from '../../../base/log.ts'
import { TallenneError } from '../../../base/tallenne-error.ts'
import { type MaskingConfig, maskingSchema } from '../../../config/masking-config.ts'
import { CallControl } from '../../../gateway/calls/call-control.ts'
import { ContactRecord } from '../../../gateway/calls/contact-record.ts'
import type { PausesChanged } from '../../../recorder/engine-protocol.ts'
import { switchOf } from '../../../recorder/pauses.ts'
import type { PauseCause } from '../../../recorder/recording-plan.ts'
import type { JournalEntry } from '../../../storage/model.ts'
import { ManualClock } from '../../manual-clock.ts'
import { contactStarted } from '../../storage/journal-entries.ts'
import { MemoryJournal } from '../memory-journal.ts'
import { recordingOutcome } from './recording-outcome.ts'

const API: PauseCause = { by: 'api', reason: 'card-data' }
const OFFER: PauseCause = { by: 'offer', reason: null }
const OUTCOME = recordingOutcome()

/** A control of a call whose recorder does as it is told, until it is gone. */
function controlled(masking: Partial<MaskingConfig> = {}) {
  const clock = new ManualClock()
  const entries: JournalEntry[] = []
  const events: string[] = []
  const orders: string[] = []
  const recorder = { isGone: false, causes: new Map<string, PauseCause>() }
  let tell: (change: PausesChanged) => void = () => {}
  const say = (recordingId: string) => {
    const pausedBy = [...recorder.causes.values()]
    const pauses = pausedBy.map((cause) => ({ fromMs: 5, toMs: null, ...cause }))
    tell({ kind: 'pausesChanged', recordingId, pausedBy, pauses })
  }
  const take = async (order: string) => {
    orders.push(order)
    if (recorder.isGone) throw new TallenneError('engine_failed', 'gone')
  }
  const {
    kind: _,
    contactId: __,
    nodeId: ___,
    callId,
    capture,
    startedAtMs,
    ...facts
  } = contactStarted()
  const contact = new ContactRecord({
    ...{ callId, capture, startedAtMs, facts, nodeId: 'node-1' },
    journal: new MemoryJournal(entries),
  })
  const control = new CallControl({
    contact,
    masking: () => ({ ...maskingSchema.parse({}), ...masking }),
    clock,
    log: createSilentLog(),
    events: {
      paused: (by) => events.push(`paused by ${by}`),
      pauseOverdue: () => events.push('overdue'),
      stopped: () => events.push('stopped'),
    },
    orders: {
      pause: async (recordingId, { cause }) => {
        await take(`pause ${recordingId}`)
        if (recorder.causes.has(switchOf(cause))) return
        recorder.causes.set(switchOf(cause), cause)
        say(recordingId)
      },
      resume: async (recordingId, { held }) => {
        await take(`resume ${recordingId}`)
        if (recorder.causes.delete(held)) say(recordingId)
      },
      stop: async (recordingId) => {
        await take(`stop ${recordingId}`)
        return OUTCOME
      },
      onPausesChanged: (_recordingId, listener) => {
        tell = listener
      },
    },
    onClosed: () => events.push('closed'),
  })
  return { control, clock, contact, entries, events, orders, recorder, say }
}

t.test('what was ordered while a recording is opened is ordered when it is open', async (t) => {
  const { control, orders } = controlled()
  t.same(control.opening('r1'), { pausedBy: [], isStopped: false })
  const paused = control.pause(API)
  t.same(orders, [])
  t.same(control.pausedBy, [API], 'and counts already')
  control.opened()
  await paused
  t.same(orders, ['pause r1'])
  t.match(control.pauses, [{ fromMs: 5, by: 'api' }])
})

t.test('a call whose engine dies over an order goes on as it was ordered', async (t) => {
  const { control, recorder, events } = controlled()
  control.opening('r1')
  control.opened()
  recorder.isGone = true
  await control.pause(API)
  t.same(control.pausedBy, [API])
  t.same(control.opening('r2'), { pausedBy: [API], isStopped: false })
  control.opened()
  t.same(events, ['paused by api'], 'which is one pause')
})

t.test('what keys did in the recorder outlives it too', async (t) => {
  const { control, recorder, say } = controlled()
  control.opening('r1')
  control.opened()
  recorder.causes.set('control', { by: 'dtmf', reason: null })
  say('r1')
  t.match(control.opening('r2'), { pausedBy: [{ by: 'dtmf' }] })
  recorder.causes.clear()
  say('r1')
  t.match(
    control.pausedBy,
    [{ by: 'dtmf' }],
    'what is told of a recording before is not of this one',
  )
})

t.test('pauses are journaled once the recording has a row', async (t) => {
  const { control, contact, entries } = controlled()
  control.opening('r1')
  control.opened()
  await control.pause(API)
  const pausesOf = () =>
    entries.flatMap((entry) => (entry.kind === 'recording.pauses' ? entry : []))
  t.same(pausesOf(), [])
  contact.recordingStarted('r1', 0)
  t.match(pausesOf(), [{ recordingId: 'r1', pauses: [{ by: 'api', toMs: null }] }])
  await control.pause(OFFER)
  t.match(pausesOf()[1], { pauses: [{ by: 'api' }, { by: 'offer' }] })
})

t.test('keys count by the line’s rule, those of each party apart', async (t) => {
  const keys = { pause: '*71', resume: '*70', from: 'agent' } as const
  const { control, orders } = controlled({ keys })
  control.opening('r1')
  control.opened()
  t.same(control.codesOf('agent'), { pause: '*71', resume: '*70' })
  t.equal(control.codesOf('caller'), undefined)
  t.equal(control.codesOf('mixed'), undefined, 'nobody knows whose key it was')
  for (const key of '*71') control.pressed('caller', key)
  for (const [role, key] of [
    ['agent', '*'],
    ['agent', '7'],
    ['agent', 'flash'],
    ['agent', '1'],
  ] as const) {
    control.pressed(role, key)
  }
  await Promise.resolve()
  t.same(orders, ['pause r1'])
  t.same(controlled({ keys: { ...keys, from: 'either' } }).control.codesOf('mixed'), {
    pause: '*71',
    resume: '*70',
  })
  t.equal(controlled().control.codesOf('agent'), undefined, 'none by default')
})

t.test('a key that a client tells of both ways does not spoil a code', async (t) => {
  const { control, orders } = controlled({ keys: { pause: '*71', resume: '*70', from: 'agent' } })
  control.opening('r1')
  control.opened()
  for (const key of '*71') {
    control.pressed('agent', key)
    control.pressed('agent', key, 'info')
  }
  await Promise.resolve()
  t.same(new Set(orders), new Set(['pause r1']))
})

t.test('a pause that lasts too long is told once, and ends where the line says so', async (t) => {
  for (const resumesByItself of [false, true]) {
    const { control, clock, events } = controlled({ longestPauseS: 10, resumesByItself })
    control.opening('r1')
    control.opened()
    await control.pause(OFFER)
    clock.advance(60_000)
    t.same(events, ['paused by offer'], 'a client’s own is its own affair')
    await control.pause(API)
    clock.advance(9999)
    await control.resume('control')
    clock.advance(60_000)
    await control.pause(API)
    clock.advance(10_000)
    t.same(events.slice(1), ['paused by api', 'paused by api', 'overdue'])
    clock.advance(60_000)
    t.equal(control.pausedBy.length, resumesByItself ? 1 : 2)
    control.close()
    t.equal(clock.timers, 0)
  }
})

t.test('a recording is stopped once, and what follows it finds that', async (t) => {
  const { control, orders, events } = controlled()
  control.opening('r1')
  control.opened()
  const outcomes: unknown[] = []
  control.onStopped(async (outcome) => void outcomes.push(outcome))
  await Promise.all([control.stop(), control.stop()])
  t.same(orders, ['stop r1'])
  t.same(outcomes, [OUTCOME])
  t.same(events, ['stopped'])
  t.match(control.opening('r2'), { isStopped: true })
})
