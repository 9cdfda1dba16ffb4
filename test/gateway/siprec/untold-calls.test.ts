import t from 'tap'
import { UntoldCalls } from '../../../gateway/siprec/untold-calls.ts'
import type { LiveRecording } from '../../../recorder/recording-plan.ts'
import { ManualClock } from '../../manual-clock.ts'

function recording(recordingId: string, quietMs: number): LiveRecording {
  return { recordingId, quietMs, durationMs: 0, bytes: 0, levelsDb: [-100, -100], lostMs: 0 }
}

t.test('a session that keeps sending and names no call is taken for one, once', async (t) => {
  const clock = new ManualClock(0)
  const assumed: string[] = []
  const session = (recordingId: string) => ({
    recordingId,
    isUntold: true,
    assumeCall() {
      assumed.push(recordingId)
      this.isUntold = false
    },
  })
  const [sending, alive] = [session('sending'), session('alive')]
  let aliveQuietMs = 100
  const untold = new UntoldCalls({
    sessions: () => [sending, alive],
    recordings: async () => [recording('sending', 20), recording('alive', aliveQuietMs)],
    clock,
  })
  t.teardown(() => untold.close())
  untold.start()
  const look = async () => {
    clock.advance(5000)
    await new Promise(setImmediate)
  }
  await look()
  t.strictSame(assumed, [], 'one packet may be a keep-alive')
  aliveQuietMs = 5100
  await look()
  t.strictSame(assumed, ['sending'])
  await look()
  t.strictSame(assumed, ['sending'])
})
