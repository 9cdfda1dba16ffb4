import t from 'tap'
import { type Batch, BatchClock } from '../../recorder/batch-clock.ts'
import { ManualClock } from '../manual-clock.ts'

/** A batch clock that has been started, and its turns. */
function started() {
  const clock = new ManualClock()
  clock.advance(500)
  const turns: Batch[] = []
  const batches = new BatchClock(clock, (batch) => turns.push(batch))
  batches.start()
  batches.start()
  return { clock, turns, batches }
}

t.test('every 20 ms a fifth of the recordings has its turn, a tick behind the clock', async (t) => {
  const { clock, turns, batches } = started()
  clock.advance(120)
  t.same(
    turns.map(({ nowMs, timelineMs, phase }) => [nowMs, timelineMs, phase]),
    [
      [520, 500, 0],
      [540, 520, 1],
      [560, 540, 2],
      [580, 560, 3],
      [600, 580, 4],
      [620, 600, 0],
    ],
  )
  t.ok(turns.every(({ isOverloaded }) => !isOverloaded))
  t.equal(batches.takeWorstLagMs(), 0)
})

t.test('after a stall the timeline catches up at three times its pace', async (t) => {
  const { clock, turns, batches } = started()
  clock.advance(100)
  clock.stall(400)
  clock.advance(0)
  t.same([turns.at(-1)?.nowMs, turns.at(-1)?.timelineMs], [1000, 600])
  t.equal(batches.takeWorstLagMs(), 380)
  t.equal(batches.takeWorstLagMs(), 0, 'it is told once')
  clock.advance(20)
  t.equal(turns.at(-1)?.timelineMs, 660)
  clock.advance(180)
  t.same([turns.at(-1)?.nowMs, turns.at(-1)?.timelineMs], [1200, 1180])
})

t.test('a timeline that is more than a second behind is an overload', async (t) => {
  const { clock, turns } = started()
  clock.advance(100)
  clock.stall(1500)
  clock.advance(0)
  t.equal(turns.at(-1)?.isOverloaded, true)
  clock.advance(1000)
  t.equal(turns.at(-1)?.isOverloaded, false)
})

t.test('what is read may have waited as long as the thread was held up', async (t) => {
  const { clock, batches } = started()
  clock.advance(100)
  t.equal(batches.heldUpMs, 0)
  clock.stall(400)
  t.equal(batches.heldUpMs, 380, 'the timer is overdue')
  clock.advance(0)
  t.equal(batches.heldUpMs, 380, 'it came late, and nothing was read before it')
  clock.advance(20)
  t.equal(batches.heldUpMs, 0)
  const busy = new BatchClock(clock, () => clock.stall(60))
  busy.start()
  clock.advance(20)
  t.equal(busy.heldUpMs, 60, 'the batch took so long')
})

t.test('a closed clock has no turns', async (t) => {
  const { clock, turns, batches } = started()
  batches.close()
  batches.close()
  clock.advance(100)
  t.equal(turns.length, 0)
  t.equal(clock.timers, 0)
})
