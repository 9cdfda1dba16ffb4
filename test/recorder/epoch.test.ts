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
  epoch.extendTo(160, epoch.positionOfStraggler(160))
  t.equal(epoch.start, 800)
  epoch.settle()
  epoch.extendTo(60, 700)
  t.equal(epoch.start, 800)
  epoch.end()
  t.equal(epoch.anchor, undefined)
})

t.test(
  'what is older than an epoch stands by the one before, and does not extend it',
  async (t) => {
    const epoch = new Epoch()
    epoch.begin(0, { near: 1000, floor: Number.NEGATIVE_INFINITY })
    epoch.begin(320, { near: 5000, floor: 1320 })
    t.equal(epoch.positionOfStraggler(160), 1160)
    epoch.extendTo(160, 1160)
    t.equal(epoch.start, 5000)
    epoch.moveEarlier(80)
    t.equal(epoch.positionOfStraggler(160), 1160)
    t.equal(epoch.positionOfStraggler(480), 5080)
  },
)
