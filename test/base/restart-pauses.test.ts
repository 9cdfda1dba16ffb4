import t from 'tap'
import { RestartPauses } from '../../base/restart-pauses.ts'
import { ManualClock } from '../manual-clock.ts'

t.test(
  'what dies again and again is started after growing pauses, up to the longest',
  async (t) => {
    const clock = new ManualClock()
    const pauses = new RestartPauses({ clock, longestMs: 5000 })
    const told = Array.from({ length: 6 }, () => {
      pauses.started()
      clock.advance(1000)
      return pauses.died()
    })
    t.strictSame(told, [0, 1000, 2000, 4000, 5000, 5000])
    pauses.started()
    clock.advance(30_001)
    t.equal(pauses.died(), 0, 'what was well for half a minute is started at once')
  },
)
