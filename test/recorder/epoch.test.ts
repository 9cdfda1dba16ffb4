import t from 'tap'
import { Epoch } from '../../recorder/epoch.ts'

t.test('an epoch begins where it is wanted, and a small overlap is none', async (t) => {
  const epoch = new Epoch()
  t.equal(epoch.anchor, undefined)
  t.equal(epoch.begin(100, { near: 5000, floor: Number.NEGATIVE_INFINITY }), 4900)
  t.equal(epoch.start, 5000)
  epoch.begin(100, { near: 5000, floor: 5480 })
  t.equal(epoch.start, 5480, 'up to 60 ms')
  epoch.begin(100, { near: 5000, floor: 5481 })
  t.equal(epoch.start, 5000, 'and not beyond')
})

t.test('packets begin off the middle of slots, once the timeline has a zero', async (t) => {
  const epoch = new Epoch()
  epoch.alignTo(1000)
  for (const [near, start] of [
    [1000, 1016],
    [1016, 1016],
    [1040, 1040],
    [1070, 1064],
    [1079, 1064],
  ] as const) {
    epoch.begin(0, { near, floor: Number.NEGATIVE_INFINITY })
    t.equal(epoch.start, start)
    t.notOk(epoch.isNearMiddle(epoch.start))
  }
  t.ok(epoch.isNearMiddle(1000))
})

t.test('after a turn, what is older keeps its anchor', async (t) => {
  const epoch = new Epoch()
  epoch.begin(0, { near: 1000, floor: Number.NEGATIVE_INFINITY })
  epoch.settle()
  t.equal(epoch.turn(160, 1165), 1005)
  t.equal(epoch.positionOfStraggler(160), 1165)
  t.equal(epoch.positionOfStraggler(0), 1000)
})

t.test('until it is settled it can be moved, and begin with a straggler', async (t) => {
  const epoch = new Epoch()
  epoch.begin(320, { near: 1000, floor: 900 })
  t.equal(epoch.roomFor(40), 40)
  t.equal(epoch.roomFor(150), 100, 'up to its floor')
  epoch.moveEarlier(40)
  t.equal(epoch.start, 960)
  t.equal(epoch.anchor, 640)
  epoch.extendTo(epoch.positionOfStraggler(160))
  t.equal(epoch.start, 800)
  epoch.settle()
  epoch.extendTo(700)
  t.equal(epoch.start, 800)
  epoch.end()
  t.equal(epoch.anchor, undefined)
})
