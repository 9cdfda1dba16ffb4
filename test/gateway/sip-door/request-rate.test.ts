import t from 'tap'
import { RequestRate } from '../../../gateway/sip-door/request-rate.ts'
import { ManualClock } from '../../manual-clock.ts'

const taken = (rate: RequestRate, source: string, times: number) =>
  Array.from({ length: times }, () => rate.take(source)).filter((isTaken) => isTaken).length

t.test(
  'a source may do two seconds’ worth at once, and so many a second from then on',
  async (t) => {
    const clock = new ManualClock()
    const rate = new RequestRate(10, clock)
    t.equal(taken(rate, 'a', 50), 20)
    t.equal(taken(rate, 'b', 1), 1, 'another source is not hindered')
    clock.advance(500)
    t.equal(taken(rate, 'a', 50), 5)
    clock.advance(60_000)
    t.equal(taken(rate, 'a', 50), 20)
  },
)

t.test('nothing at all is nothing', async (t) => {
  t.equal(taken(new RequestRate(0, new ManualClock()), 'a', 5), 0)
})
