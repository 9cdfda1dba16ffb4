import t from 'tap'
import { EncoderEffort } from '../../recorder/encoder-effort.ts'

const CALM = { load: 0.3, lagMs: 5 }
const BUSY = { load: 0.85, lagMs: 5 }

function seconds(effort: EncoderEffort, count: number, figures: typeof CALM): number {
  for (let second = 0; second < count; second++) effort.judge(figures)
  return effort.complexity
}

t.test('an engine that falls behind encodes with less effort, step by step', async (t) => {
  const effort = new EncoderEffort({ complexity: 5, bitrateBps: 24_000 }, 1)
  t.equal(seconds(effort, 1, BUSY), 5, 'one busy second is chance')
  t.equal(seconds(effort, 1, BUSY), 4)
  t.equal(seconds(effort, 2, { load: 0.2, lagMs: 300 }), 3, 'a late timer says the same')
  t.equal(seconds(effort, 1, { load: 0.95, lagMs: 5 }), 1, 'two steps at once under pressure')
  t.equal(seconds(effort, 5, BUSY), 1, 'no lower than configured')
})

t.test('effort comes back when there has been time for long enough', async (t) => {
  const effort = new EncoderEffort({ complexity: 3, bitrateBps: 24_000 }, 0)
  seconds(effort, 1, { load: 1, lagMs: 5 })
  t.equal(effort.complexity, 1)
  t.equal(seconds(effort, 9, CALM), 1)
  t.equal(seconds(effort, 1, { load: 0.7, lagMs: 5 }), 1, 'neither calm nor busy')
  t.equal(seconds(effort, 10, CALM), 2)
  t.equal(seconds(effort, 10, CALM), 3)
  t.equal(seconds(effort, 30, CALM), 3, 'no higher than configured')
})

t.test('what is left to be saved is part of the headroom', async (t) => {
  const effort = new EncoderEffort({ complexity: 5, bitrateBps: 24_000 }, 0)
  const least = effort.loadWhenExhausted(0.9)
  t.ok(least > 0.4 && least < 0.55, `${least}: encoding costs less, reading packets as much`)
  seconds(effort, 5, { load: 1, lagMs: 5 })
  t.equal(effort.loadWhenExhausted(0.9), 0.9)
})
