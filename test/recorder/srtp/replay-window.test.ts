import fc from 'fast-check'
import t from 'tap'
import { ReplayWindow } from '../../../recorder/srtp/replay-window.ts'
import { estimateIndex, likelyRollovers } from '../../../recorder/srtp/rollover.ts'

t.test('an index is fresh once, and not at all 512 behind the highest', async (t) => {
  const window = new ReplayWindow()
  window.add(1000)
  t.equal(window.isFresh(1000), false)
  t.equal(window.isFresh(999), true)
  window.add(999)
  t.equal(window.isFresh(999), false)
  t.equal(window.isFresh(489), true)
  t.equal(window.isFresh(488), false)
  window.add(100_000)
  t.equal(window.isFresh(99_999), true, 'a jump forgets what was before it')
})

t.test('whatever the order, the window knows what came', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 300 }), (indices) => {
      const window = new ReplayWindow()
      const seen = new Set<number>()
      return indices.every((index) => {
        const isFresh = window.isFresh(index)
        const expected = index > window.highest - 512 && !seen.has(index)
        if (isFresh) {
          window.add(index)
          seen.add(index)
        }
        return isFresh === expected
      })
    }),
  )
  t.pass()
})

t.test('the rollover counter is guessed across the wrap, both ways', async (t) => {
  t.equal(estimateIndex(2, 0x1fffe), 0x20002)
  t.equal(estimateIndex(0xfffe, 0x20001), 0x1fffe)
  t.equal(estimateIndex(0xfffe, 1), 0xfffe, 'there is nothing before the first')
  t.equal(estimateIndex(100, 0x10064), 0x10064)
})

t.test('packets in a row try every rollover counter of a week, a few at a time', async (t) => {
  const tried = new Set<number>()
  for (let sequenceNumber = 500; sequenceNumber < 564; sequenceNumber++) {
    const some = likelyRollovers({ sequenceNumber, kept: 900, isOpen: true })
    t.ok(some.length <= 14)
    t.same(some.slice(0, 3), [0, 900, 901])
    for (const rollover of some) tried.add(rollover)
  }
  t.same(
    Array.from({ length: 390 }, (_, rollover) => rollover).filter((one) => !tried.has(one)),
    [],
  )
  t.same(likelyRollovers({ sequenceNumber: 1, kept: undefined, isOpen: false }), [0])
})
