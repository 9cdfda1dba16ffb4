import t from 'tap'
import { EngineCapacity } from '../../../gateway/media/engine-capacity.ts'

const MOST_LOAD = 0.85

/** How many recordings the engine bears by what it has reported. */
function bears(capacity: EngineCapacity): number {
  let recordings = 0
  while (capacity.loadOf(recordings + 1) <= MOST_LOAD) recordings++
  return recordings
}

function after(seconds: number, report: { recordings: number; leastLoad: number }): EngineCapacity {
  const capacity = new EngineCapacity()
  for (let second = 0; second < seconds; second++) capacity.learn(report)
  return capacity
}

t.test('an engine bears as many recordings as those that it has let expect', async (t) => {
  const slow = bears(after(10, { recordings: 60, leastLoad: 0.6 }))
  t.ok(slow > 85 && slow < 110, `${slow} at 1 % for each`)
  const fast = bears(after(10, { recordings: 200, leastLoad: 0.4 }))
  t.ok(fast > 380 && fast < 430, `${fast} at 0.2 % for each`)
})

t.test('before it has reported anything it is given what usual ones bear', async (t) => {
  t.equal(bears(new EngineCapacity()), 283)
})

t.test(
  'a second that was busy with hardly a recording up says little of what they cost',
  async (t) => {
    const capacity = after(30, { recordings: 2, leastLoad: 0.01 })
    capacity.learn({ recordings: 2, leastLoad: 0.9 })
    t.ok(bears(capacity) > 30, `${bears(capacity)}`)
  },
)

t.test('recordings that were opened in the middle of a second count for half of it', async (t) => {
  const steady = after(10, { recordings: 100, leastLoad: 0.5 })
  const growing = after(10, { recordings: 100, leastLoad: 0.5 })
  growing.learn({ recordings: 140, leastLoad: 0.6 })
  const change = bears(growing) / bears(steady)
  t.ok(change > 0.95 && change < 1.05, `${change}`)
})
