import t from 'tap'
import { ReceivingTime } from '../../recorder/receiving-time.ts'
import { ManualClock } from '../manual-clock.ts'

t.test('time counts from the start to the stop, while the stream is active', async (t) => {
  const clock = new ManualClock()
  const time = new ReceivingTime(clock, true)
  clock.advance(1000)
  time.start()
  clock.advance(300)
  time.update(false)
  clock.advance(5000)
  time.update(true)
  clock.advance(40)
  time.stop()
  clock.advance(1000)
  time.stop()
  t.equal(time.totalMs, 340)
})

t.test('a stream that is inactive from the start counts from when it is not', async (t) => {
  const clock = new ManualClock()
  const time = new ReceivingTime(clock, false)
  time.start()
  clock.advance(2000)
  time.update(true)
  clock.advance(100)
  time.stop()
  t.equal(time.totalMs, 100)
})

t.test('a change before the start counts nothing', async (t) => {
  const clock = new ManualClock()
  const time = new ReceivingTime(clock, false)
  time.update(true)
  clock.advance(100)
  time.stop()
  t.equal(time.totalMs, 0)
})
