import fc from 'fast-check'
import t from 'tap'
import { isNearMiddle, offMiddle } from '../../recorder/packet-grid.ts'

t.test('an epoch begins 2 ms or more off every 10 ms, as near as can be', async (t) => {
  const at = (position: number) => offMiddle(position, { zero: 1000, floor: 0 })
  t.same(
    [1000, 1015, 1016, 1040, 1064, 1065, 1079, 1080].map(at),
    [1016, 1016, 1016, 1040, 1064, 1064, 1064, 1096],
  )
})

t.test('whatever the position, it is off the middle, near, and not before its floor', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1e9, max: 1e9 }),
      fc.nat(1e9),
      fc.nat(100),
      (at, zero, below) => {
        const floor = at - below
        const position = offMiddle(at, { zero, floor })
        return !isNearMiddle(position, zero) && position >= floor && Math.abs(position - at) <= 32
      },
    ),
  )
})
