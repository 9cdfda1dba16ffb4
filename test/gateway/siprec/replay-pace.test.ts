import t from 'tap'
import { replayPace } from '../../../gateway/siprec/replay-pace.ts'

function pace(value: string | undefined, address = '127.0.0.1'): number {
  return replayPace((name) => (name === 'X-Tallenne-Replay-Speed' && value ? [value] : []), address)
}

t.test('a replay on this machine may say how fast it plays', async (t) => {
  t.equal(pace('5'), 5)
  t.equal(pace('5', '::1'), 5)
  t.equal(pace(undefined), 1)
})

t.test('nobody else may, and nothing but 1 to 8 counts', async (t) => {
  t.equal(pace('5', '192.0.2.1'), 1)
  for (const value of ['0', '9', '80', '-1', '1.5', 'fast', '']) t.equal(pace(value), 1, value)
})
