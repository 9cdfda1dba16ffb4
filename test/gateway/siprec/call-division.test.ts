import fc from 'fast-check'
import t from 'tap'
import { CallDivision } from '../../../gateway/siprec/call-division.ts'
import type { RecordingMetadata } from '../../../gateway/siprec/recording-metadata.ts'

const NOTHING: RecordingMetadata = {
  dataMode: 'complete',
  sessions: [],
  participants: [],
  streams: [],
  vendorFields: [],
}

interface Told {
  readonly id: string
  readonly group?: string
  readonly isStopped?: boolean
  readonly participants?: number
  readonly streams?: number
}

function metadata(
  mode: RecordingMetadata['dataMode'],
  ...calls: readonly Told[]
): RecordingMetadata {
  return {
    dataMode: mode,
    sessions: calls.map(({ id, group, isStopped }) => ({
      id,
      sipSessionIds: [],
      groupId: group ?? null,
      startTime: null,
      stopTime: isStopped ? '2026-01-05T10:00:00Z' : null,
    })),
    participants: calls.flatMap(({ id, participants = 2 }) =>
      Array.from({ length: participants }, (_, at) => ({
        id: `p${at}-${id}`,
        names: [{ aor: `sip:${at}@192.0.2.1`, name: '' }],
        sessions: [{ sessionId: id, associateTime: null, disassociateTime: null }],
        sends: [`t${at}-${id}`],
        receives: null,
        hasSent: [`t${at}-${id}`],
      })),
    ),
    streams: calls.flatMap(({ id, streams = 2 }) =>
      Array.from({ length: streams }, (_, at) => ({
        id: `t${at}-${id}`,
        label: String(at + 1),
        sessionId: id,
        mode: null,
      })),
    ),
    vendorFields: [],
  }
}

const ids = (division: CallDivision) => division.calls.map(({ id }) => id)

t.test('a session without metadata is one call, whatever it tells later', async (t) => {
  const division = new CallDivision(null, true)
  t.strictSame(ids(division), [1])
  division.learn(metadata('complete', { id: 's1' }), true)
  t.strictSame(ids(division), [1])
  t.equal(division.calls[0]?.isWhole, true)
})

t.test('metadata that could not be read whole never takes a call away', async (t) => {
  const division = new CallDivision(NOTHING, false)
  t.strictSame(ids(division), [1])
  division.learn(NOTHING, false)
  t.strictSame(ids(division), [1])
})

t.test('legs that a client describes as sessions of their own are one call', async (t) => {
  const division = new CallDivision(
    metadata('complete', { id: 's1', participants: 1 }, { id: 's2', participants: 1 }),
    true,
  )
  t.strictSame(ids(division), [1])
})

t.test('a call is told of its own people and streams alone', async (t) => {
  const division = new CallDivision(metadata('complete', { id: 's1' }, { id: 's2' }), true)
  t.strictSame(ids(division), [1, 2])
  t.strictSame(
    division.calls.map((call) => call.metadata?.participants.map(({ id }) => id)),
    [
      ['p0-s1', 'p1-s1'],
      ['p0-s2', 'p1-s2'],
    ],
  )
  t.strictSame(
    division.calls.map((call) => call.metadata?.streams.map(({ id }) => id)),
    [
      ['t0-s1', 't1-s1'],
      ['t0-s2', 't1-s2'],
    ],
  )
})

t.test('in a persistent session a snapshot without a call ends it', async (t) => {
  const division = new CallDivision(NOTHING, true)
  t.strictSame(ids(division), [])
  division.learn(metadata('complete', { id: 's1' }), true)
  division.learn(metadata('complete', { id: 's2' }), true)
  t.strictSame(ids(division), [2])
  division.learn(NOTHING, true)
  t.strictSame(ids(division), [])
})

t.test('whatever is told, calls are few and their numbers never come again', async (t) => {
  const call = fc.record({
    id: fc.constantFrom('', 'a', 'b', 'c', 'd', 'e'),
    group: fc.constantFrom('', 'g', 'h'),
    isStopped: fc.boolean(),
    participants: fc.integer({ min: 0, max: 3 }),
    streams: fc.integer({ min: 0, max: 2 }),
  })
  const update = fc.record({
    mode: fc.constantFrom('complete' as const, 'partial' as const),
    calls: fc.array(call, { maxLength: 4 }),
    isWhole: fc.boolean(),
  })
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(update, { maxLength: 12 }), (updates) => {
        const division = new CallDivision(null, true)
        const ended = new Set<number>()
        let live = new Set(ids(division))
        for (const { mode, calls, isWhole } of updates) {
          division.learn(metadata(mode, ...calls), isWhole)
          const now = new Set(ids(division))
          for (const id of live) if (!now.has(id)) ended.add(id)
          live = now
          if (live.size > 16 || [...live].some((id) => ended.has(id))) return false
        }
        return true
      }),
    ),
  )
})
