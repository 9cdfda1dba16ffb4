import t from 'tap'
import { PacedClock } from '../../base/paced-clock.ts'
import { ManualClock } from '../manual-clock.ts'

t.test('goes on from where the other clock stood, so many times as fast', async (t) => {
  const clock = new ManualClock(1_000_000)
  clock.advance(500)
  const paced = new PacedClock(clock, 4)
  t.equal(paced.monotonicMs(), 500)
  t.equal(paced.epochMs(), 1_000_500)
  const told: number[] = []
  paced.after(400, () => told.push(paced.monotonicMs()))
  paced.every(1000, () => told.push(paced.monotonicMs()))
  clock.advance(500)
  t.same(told, [900, 1500, 2500])
  t.equal(paced.monotonicMs(), 2500)
  t.equal(paced.epochMs(), 1_002_500)
  t.equal(paced.epochAt(1_000_600), 1_000_900)
})
