import t from 'tap'
import { splitPorts } from '../../../gateway/media/port-ranges.ts'

t.test('every engine gets whole pairs of an even RTP port and its RTCP port', async (t) => {
  t.strictSame(splitPorts(20_000, 20_009, 2), [
    { from: 20_000, to: 20_005 },
    { from: 20_006, to: 20_009 },
  ])
})

t.test('an odd first port and a lone last port are left out', async (t) => {
  t.strictSame(splitPorts(20_001, 20_004, 1), [{ from: 20_002, to: 20_003 }])
})

t.test('ranges do not overlap and lie within what is configured', async (t) => {
  const ranges = splitPorts(10_000, 10_099, 7)
  t.equal(ranges.length, 7)
  const ports = ranges.flatMap(({ from, to }) =>
    Array.from({ length: to - from + 1 }, (_, index) => from + index),
  )
  t.equal(new Set(ports).size, 100)
  t.equal(Math.min(...ports), 10_000)
  t.equal(Math.max(...ports), 10_099)
})

t.test('fewer pairs than engines is an error that carries the numbers', async (t) => {
  t.throws(() => splitPorts(20_000, 20_003, 3), {
    code: 'too_few_ports',
    message: 'media.ports 20000–20003 hold 2 pairs of ports for 3 engines: widen the range',
  })
})
