import t from 'tap'
import { RepeatedWork } from '../../base/repeated-work.ts'
import { ManualClock } from '../manual-clock.ts'

/** Work that ends when the test says so. */
function slowWork() {
  const clock = new ManualClock()
  const ends: Settling[] = []
  const work = new RepeatedWork({
    clock,
    everyMs: 1000,
    work: () =>
      new Promise<string>((resolve, reject) => {
        ends.push({ resolve, reject })
      }),
  })
  return { clock, ends, work }
}

interface Settling {
  readonly resolve: (result: string) => void
  readonly reject: (error: Error) => void
}

t.test('it is done once at a time, and whoever asks meanwhile gets the same result', async (t) => {
  const { clock, ends, work } = slowWork()
  work.start()
  work.start()
  t.equal(ends.length, 0, 'first after one interval')
  clock.advance(1000)
  const asked = work.run()
  clock.advance(5000)
  t.equal(ends.length, 1)
  ends[0]?.resolve('done')
  t.equal(await asked, 'done')
  clock.advance(1000)
  t.equal(ends.length, 2, 'and it goes on afterwards')
})

t.test('work that fails is done again at the next interval', async (t) => {
  const { clock, ends, work } = slowWork()
  work.start({ atOnce: true })
  const asked = work.run()
  ends[0]?.reject(new Error('away'))
  await t.rejects(asked, { message: 'away' })
  clock.advance(1000)
  t.equal(ends.length, 2)
})

t.test('closing waits for what runs, and begins nothing more', async (t) => {
  const { clock, ends, work } = slowWork()
  work.start({ atOnce: true })
  const order: string[] = []
  const closed = work.close().then(() => order.push('closed'))
  order.push('ended')
  ends[0]?.resolve('done')
  await closed
  t.strictSame(order, ['ended', 'closed'])
  t.equal(clock.timers, 0)
  clock.advance(10_000)
  t.equal(ends.length, 1)
})
