import fc from 'fast-check'
import t from 'tap'
import { JitterEstimator } from '../../recorder/jitter.ts'
import { ReceivedSequence, Unwrapper } from '../../recorder/sequence.ts'

t.test('numbers go on across the wrap, forwards and backwards', async (t) => {
  const sequences = new Unwrapper(16)
  t.same(
    [65_534, 65_535, 0, 65_533, 1, 65_535].map((number) => sequences.unwrap(number)),
    [65_534, 65_535, 65_536, 65_533, 65_537, 65_535],
  )
  const timestamps = new Unwrapper(32)
  t.same(
    [2 ** 32 - 160, 0, 160].map((number) => timestamps.unwrap(number)),
    [2 ** 32 - 160, 2 ** 32, 2 ** 32 + 160],
  )
})

t.test('a packet from before the wrap that comes after it gets a number below zero', async (t) => {
  const sequences = new Unwrapper(16)
  sequences.unwrap(2)
  t.equal(sequences.unwrap(65_535), -1)
})

t.test('steps of less than half the range are kept exactly', async () => {
  fc.assert(
    fc.property(
      fc.nat(65_535),
      fc.array(fc.integer({ min: -300, max: 3000 }), { maxLength: 200 }),
      (start, steps) => {
        const unwrapper = new Unwrapper(16)
        let highest = start
        unwrapper.unwrap(start)
        return steps.every((step) => {
          const number = highest + step
          highest = Math.max(highest, number)
          return unwrapper.unwrap(((number % 65_536) + 65_536) % 65_536) === number
        })
      },
    ),
  )
})

t.test('duplicates are told, reordered packets are not taken for them', async (t) => {
  const received = new ReceivedSequence()
  t.same(
    [10, 12, 11, 12, 10, 13, 9, 9].map((sequence) => received.add(sequence)),
    [true, true, true, false, false, true, true, false],
  )
  t.match(received, { highest: 13, received: 5, expected: 5 })
})

t.test('what never came is counted, also over a gap wider than the memory', async (t) => {
  const received = new ReceivedSequence()
  received.add(1)
  received.add(5000)
  t.match(received, { received: 2, expected: 5000 })
  t.equal(received.add(1), false, 'too old to be told from a duplicate')
  t.equal(received.add(4999), true)
})

t.test('jitter is the smoothed difference of transit times', async (t) => {
  const jitter = new JitterEstimator()
  jitter.observe(0, 0)
  jitter.observe(176, 160)
  t.equal(jitter.samples, 1)
  jitter.observe(336, 320)
  t.equal(jitter.samples, 15 / 16)
  jitter.interrupt()
  jitter.observe(99_999, 480)
  t.equal(jitter.samples, 15 / 16)
})
