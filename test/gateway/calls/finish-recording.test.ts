import t from 'tap'
import { createSilentLog } from '../../../base/log.ts'
import { TallenneError } from '../../../base/tallenne-error.ts'
import { finishRecording } from '../../../gateway/calls/finish-recording.ts'
import { ManualClock } from '../../manual-clock.ts'
import { recordingOutcome } from './recording-outcome.ts'

const log = createSilentLog()
const outcome = recordingOutcome()

/** Lets a clock that stands still run until the work is done. */
async function runOut<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let isDone = false
  void work.finally(() => {
    isDone = true
  })
  while (!isDone) {
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(1000)
  }
  return work
}

t.test('a recording without a file is not looked for', async (t) => {
  const clock = new ManualClock()
  const files = { keep: () => Promise.reject(new Error('asked')) }
  const empty = { ...outcome, sha256: null }
  t.strictSame(await finishRecording(empty, { files, clock, log }), { outcome: empty, file: null })
})

t.test('a move that fails is tried again', async (t) => {
  const clock = new ManualClock()
  let attempts = 0
  const files = {
    keep: async () => {
      if (++attempts < 3) throw new Error('busy')
      return 'kept'
    },
  }
  const finished = await runOut(clock, finishRecording(outcome, { files, clock, log }))
  t.strictSame(finished, { outcome, file: 'kept' })
})

t.test('a store that takes nothing costs no verdict, and gets the recording later', async (t) => {
  const refuse = () => Promise.reject(new Error('full'))
  const hang = () => new Promise<string>(() => {})
  for (const keep of [refuse, hang]) {
    const clock = new ManualClock()
    const later: unknown[] = []
    const files = { keep, keepLater: (...given: unknown[]) => later.push(given) }
    const finished = await runOut(clock, finishRecording(outcome, { files, clock, log }))
    t.strictSame(finished, { outcome, file: null })
    t.strictSame(later, [['r1', { bytes: 100, sha256: 'a'.repeat(64) }]])
    t.ok(clock.monotonicMs() < 60_000)
  }
})

t.test('a recording whose file is gone is failed', async (t) => {
  const clock = new ManualClock()
  const files = { keep: () => Promise.reject(new TallenneError('ENOENT', 'no such file')) }
  const finished = await finishRecording(outcome, { files, clock, log })
  t.match(finished, { outcome: { verdict: 'failed', reasons: ['write_failed'] }, file: null })
})
