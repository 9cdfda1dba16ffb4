import t, { type Test } from 'tap'
import { createSilentLog } from '../../../base/log.ts'
import { salvagedOutcome } from '../../../gateway/crash-recovery.ts'
import { DirectPlane } from '../../../gateway/media/direct-plane.ts'
import type { RecordingPlan } from '../../../recorder/recording-plan.ts'
import { until } from '../../until.ts'
import { startEngines } from './start-engines.ts'

const log = createSilentLog()

async function startPlane(t: Test, { engines = 2, maxRecordings = 2 } = {}) {
  let deaths = 0
  let mostOpening = 0
  const pool = await startEngines(t, new URL('./stand-in-engine.js', import.meta.url), {
    ...{ engines, maxRecordings },
    advertisedAddress: '192.0.2.10',
    onReport: ({ counters }) => {
      mostOpening = Math.max(mostOpening, counters['mostOpening'] ?? 0)
    },
    onDeath: () => {
      deaths++
    },
  })
  const plane = new DirectPlane({
    engines: pool,
    salvage: async ({ recordingId, endedAtMs, reasons }) => ({
      ...salvagedOutcome({ recordingId, startedAtMs: endedAtMs }, undefined),
      reasons: ['engine_failed', ...reasons],
    }),
    log,
  })
  return { pool, plane, deaths: () => deaths, mostOpening: () => mostOpening }
}

function plan(recordingId: string, callId = 'call'): RecordingPlan {
  const stream = {
    role: 'caller',
    isReceiving: true,
    formats: [{ payloadType: 0, codec: 'PCMU', clockRate: 8000 }],
    eventPayloadTypes: [],
    comfortNoisePayloadTypes: [],
    remote: undefined,
  } as const
  return {
    recordingId,
    callId,
    streams: [
      { ...stream, streamId: '1' },
      { ...stream, streamId: '2', role: 'agent' },
    ],
  }
}

t.test('recordings are spread over the engines', async (t) => {
  const { plane } = await startPlane(t)
  const first = await plane.open(plan('a'))
  const second = await plane.open(plan('b'))
  t.strictSame(
    first.map((port) => port.streamId),
    ['1', '2'],
  )
  t.not(first[0]?.rtpPort, second[0]?.rtpPort)
  t.strictSame((await plane.live()).map((live) => live.recordingId).sort(), ['a', 'b'])
})

t.test('a recording that fits nowhere is refused with the engine’s code', async (t) => {
  const { plane } = await startPlane(t, { engines: 2, maxRecordings: 1 })
  await plane.open(plan('a'))
  await plane.open(plan('b'))
  await t.rejects(plane.open(plan('c')), { code: 'too_many_recordings' })
  await plane.close('a', 2000, [])
  t.equal((await plane.open(plan('c'))).length, 2)
})

t.test('a closed recording has the engine’s verdict and the reasons that were given', async (t) => {
  const { plane } = await startPlane(t)
  await plane.open(plan('a'))
  await plane.answered('a', 1000)
  t.match(await plane.close('a', 2000, ['shutdown']), {
    recordingId: 'a',
    verdict: 'complete',
    reasons: ['shutdown'],
  })
})

for (const way of ['die', 'throw']) {
  t.test(
    `an engine that is made to ${way} is replaced, and its recordings are told lost`,
    async (t) => {
      const { plane, pool, deaths } = await startPlane(t, { engines: 1, maxRecordings: 10 })
      await plane.open(plan('a'))
      const lost = new Promise<string>((resolve) => plane.onLost(resolve))
      await t.rejects(plane.open(plan('b', way)), { code: 'engine_failed' })
      t.equal(await lost, 'a')
      t.match(await plane.close('a', 2000, ['engine_failed']), {
        verdict: 'failed',
        reasons: ['engine_failed', 'engine_failed'],
      })
      t.equal(deaths(), 1)
      await until(() => pool.health.running === 1)
      t.equal((await plane.open(plan('c'))).length, 2)
    },
  )
}

t.test('a call that kills its engine is tried on no other', async (t) => {
  const { plane, deaths } = await startPlane(t, { engines: 2, maxRecordings: 10 })
  await plane.open(plan('a'))
  await plane.answered('a', 1000)
  await t.rejects(plane.open(plan('b', 'die')), { code: 'engine_failed' })
  t.match(await plane.close('a', 2000, []), { recordingId: 'a', verdict: 'complete' })
  t.equal(deaths(), 1)
})

t.test('an engine opens a few recordings at a time, and the others wait', async (t) => {
  const { plane, pool, mostOpening } = await startPlane(t, { engines: 1, maxRecordings: 100 })
  const opening = Array.from({ length: 20 }, (_, at) => plane.open(plan(`call-${at}`, 'slow')))
  t.equal(pool.waitingRoom, 1 - 16 / 50)
  t.equal(pool.openRecordings, 20, 'those that wait are counted')
  t.equal((await Promise.all(opening)).length, 20)
  t.equal((await plane.live()).length, 20)
  t.equal(mostOpening(), 4)
  t.equal(pool.waitingRoom, 1)
})

t.test('there is no room for more where an engine has too many to open', async (t) => {
  const { plane, pool } = await startPlane(t, { engines: 1, maxRecordings: 100 })
  const opening = Array.from({ length: 54 }, (_, at) => plane.open(plan(`call-${at}`, 'slow')))
  t.equal(pool.waitingRoom, 0)
  await opening[0]
  t.ok(pool.waitingRoom > 0)
  await Promise.allSettled(opening)
})

t.test(
  'a recording that has waited too long for its turn is refused, and leaves nothing',
  async (t) => {
    const { plane, pool } = await startPlane(t, { engines: 1, maxRecordings: 100 })
    const opening = Array.from({ length: 54 }, (_, at) => plane.open(plan(`call-${at}`, 'slow')))
    const settled = await Promise.allSettled(opening)
    const opened = settled.filter(({ status }) => status === 'fulfilled').length
    t.ok(opened >= 4 && opened < 40, `${opened} opened in two seconds`)
    t.match(settled.at(-1), { reason: { code: 'engine_overload' } })
    t.equal(pool.openRecordings, opened)
    t.equal((await plane.live()).length, opened)
  },
)

t.test('what goes on after a recording that is lost waits for no turn', async (t) => {
  const { plane, pool } = await startPlane(t, { engines: 1, maxRecordings: 100 })
  const opening = Array.from({ length: 16 }, (_, at) => plane.open(plan(`call-${at}`, 'slow')))
  t.equal((await plane.open({ ...plan('goes-on'), after: ['lost'] })).length, 2)
  t.equal(pool.waitingRoom, 1 - 12 / 50, 'those that came before wait still')
  await Promise.all(opening)
})

t.test('recordings that wait while their engine dies are opened by the next', async (t) => {
  const { plane, deaths } = await startPlane(t, { engines: 1, maxRecordings: 100 })
  const lost: string[] = []
  plane.onLost((recordingId) => lost.push(recordingId))
  await plane.open(plan('up'))
  const dying = ['slow', 'slow', 'slow', 'die'].map((way, at) => plane.open(plan(`in-${at}`, way)))
  const waiting = Array.from({ length: 10 }, (_, at) => plane.open(plan(`waiting-${at}`)))
  for (const one of dying) await t.rejects(one, { code: 'engine_failed' })
  t.equal((await Promise.all(waiting)).length, 10)
  t.equal((await plane.live()).length, 10)
  t.strictSame(lost, ['up'])
  t.equal(deaths(), 1)
})
