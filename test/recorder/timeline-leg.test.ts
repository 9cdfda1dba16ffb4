import fc from 'fast-check'
import t from 'tap'
import { mediaValue, packets, positionOf, simulateLeg } from './leg-simulation.ts'
import { random } from './placement-error.ts'

t.test('audio stands where it arrived, and nothing is around it', async (t) => {
  const { samples, placements } = simulateLeg(packets(50, { startMs: 700 }), { untilMs: 2000 })
  t.equal(positionOf(samples, 0, { near: 5600 }), 5600)
  t.ok(samples.subarray(0, 5600).every((sample) => sample === 0))
  t.ok(samples.subarray(5600 + 8000).every((sample) => sample === 0))
  t.match(placements, { placed: 50, late: 0, duplicate: 0 })
})

t.test('the packet with the least delay decides where a leg stands', async (t) => {
  const jitter = random(1)
  const { samples, placements } = simulateLeg(
    packets(200, { startMs: 100, delay: () => jitter() * 60 }),
    { untilMs: 5000 },
  )
  const position = positionOf(samples, 0, { near: 800 }) ?? 0
  t.ok(position - 800 < 40, `${position - 800} samples late`)
  for (let media = 0; media < 31_900; media += 160) {
    t.equal(positionOf(samples, media, { near: position + media, within: 0 }), position + media)
  }
  t.match(placements, { placed: 200, late: 0, duplicate: 0 })
})

t.test('sequence numbers and timestamps wrap without a trace', async (t) => {
  const { samples, losses, reanchored } = simulateLeg(
    packets(100, { startMs: 40, sequence: 65_500, timestamp: 2 ** 32 - 3000 }),
    { untilMs: 2200 },
  )
  t.equal(positionOf(samples, 15_000, { near: 15_320, within: 0 }), 15_320)
  t.same(losses, [])
  t.equal(reanchored, 0)
})

t.test('duplicates are counted and change nothing', async (t) => {
  const once = packets(50, { startMs: 100 })
  const again = once.map((packet) => ({ ...packet, arrivesAtMs: packet.arrivesAtMs + 5 }))
  const { samples, placements } = simulateLeg([...once, ...again], { untilMs: 1500 })
  t.same(samples, simulateLeg(once, { untilMs: 1500 }).samples)
  t.match(placements, { placed: 50, duplicate: 50 })
})

t.test('a packet that comes after its slot was taken is late, and its time is lost', async (t) => {
  const all = packets(100, { startMs: 100 })
  const late = all.map((packet) =>
    packet.sequence === 50 ? { ...packet, arrivesAtMs: packet.arrivesAtMs + 600 } : packet,
  )
  const { placements, losses } = simulateLeg(late, { untilMs: 3000 })
  t.match(placements, { placed: 99, late: 1 })
  t.equal(losses[0]?.fromMs, 1080)
  t.equal(
    losses.reduce((sum, { lengthMs }) => sum + lengthMs, 0),
    20,
  )
})

t.test('lost packets keep their length and are told with their place', async (t) => {
  const { samples, losses } = simulateLeg(
    packets(100, { startMs: 100 }).filter(({ sequence }) => sequence < 31 || sequence > 40),
    { untilMs: 2500 },
  )
  const lost = losses.reduce((sum, { lengthMs }) => sum + lengthMs, 0)
  t.equal(lost, 200)
  t.equal(losses[0]?.fromMs, 700)
  t.equal(positionOf(samples, 40 * 160, { near: 800 + 6400, within: 0 }), 7200)
  t.ok(
    samples.subarray(5600, 5620).some((sample) => sample !== 0),
    'the gap begins with sound',
  )
  t.ok(
    samples.subarray(5600 + 20, 7200).every((sample) => sample === 0),
    'and goes on silent',
  )
})

t.test('a pause with contiguous sequence numbers is silence of its length, not loss', async (t) => {
  const { samples, losses, reanchored } = simulateLeg(
    [
      ...packets(50, { startMs: 100 }),
      ...packets(50, {
        startMs: 100 + 1000 + 3000,
        sequence: 51,
        timestamp: 8000 + 24_000,
        media: 8000,
      }),
    ],
    { untilMs: 6000 },
  )
  t.equal(positionOf(samples, 8000, { near: 32_800, within: 0 }), 32_800)
  t.ok(samples.subarray(8800, 32_800).every((sample) => sample === 0))
  t.same(losses, [])
  t.equal(reanchored, 0)
})

t.test('a hold during which timestamps stand still is silence of its length', async (t) => {
  const { samples, losses, placements } = simulateLeg(
    [
      ...packets(50, { startMs: 100 }),
      ...packets(50, { startMs: 5100, sequence: 51, timestamp: 8000, media: 8000 }),
    ],
    { untilMs: 7000 },
  )
  t.equal(positionOf(samples, 8000, { near: 40_800, within: 0 }), 40_800)
  t.equal(positionOf(samples, 15_000, { near: 47_800, within: 0 }), 47_800)
  t.same(losses, [])
  t.match(placements, { placed: 100, late: 0 })
})

t.test('a burst after the network stood still goes to its own place', async (t) => {
  const all = packets(300, { startMs: 100 }).map((packet) => ({
    ...packet,
    arrivesAtMs:
      packet.arrivesAtMs > 1000 && packet.arrivesAtMs < 3000
        ? 3000 + packet.sequence / 100
        : packet.arrivesAtMs,
  }))
  const { samples, losses, reanchored } = simulateLeg(all, { untilMs: 6500 })
  t.equal(positionOf(samples, 40_000, { near: 40_800, within: 0 }), 40_800)
  t.equal(positionOf(samples, 24_000, { near: 24_800, within: 0 }), 24_800)
  const lost = losses.reduce((sum, { lengthMs }) => sum + lengthMs, 0)
  t.ok(lost > 1300 && lost < 1600, `${lost} ms`)
  t.equal(reanchored, 0)
})

t.test('a timestamp that jumps within running speech leaves no gap', async (t) => {
  for (const jump of [1_234_567, -1_234_567, -80, 5000]) {
    const { samples, losses, reanchored } = simulateLeg(
      [
        ...packets(50, { startMs: 100 }),
        ...packets(50, { startMs: 1100, sequence: 51, timestamp: 8000 + jump, media: 8000 }),
      ],
      { untilMs: 2500 },
    )
    t.equal(positionOf(samples, 8000, { near: 8800, within: 0 }), 8800, `${jump}`)
    t.same(losses, [])
    t.equal(reanchored, 1)
  }
})

t.test('a timestamp that jumps after a pause stands where it arrived', async (t) => {
  const { samples } = simulateLeg(
    [
      ...packets(50, { startMs: 100 }),
      ...packets(50, { startMs: 4100, sequence: 51, timestamp: 77_777_777, media: 8000 }),
    ],
    { untilMs: 6000 },
  )
  t.equal(positionOf(samples, 8000, { near: 32_800, within: 0 }), 32_800)
})

t.test('a new SSRC goes on where it arrives', async (t) => {
  const jitter = random(2)
  const { samples, losses, placements } = simulateLeg(
    [
      ...packets(50, { startMs: 100, delay: () => jitter() * 40 }),
      ...packets(50, {
        startMs: 1100,
        sequence: 40_000,
        timestamp: 99,
        media: 8000,
        ssrc: 2,
        delay: () => jitter() * 40,
      }).map((packet) => ({ ...packet, arrivesAtMs: Math.max(packet.arrivesAtMs, 1141) })),
    ],
    { untilMs: 2500 },
  )
  const position = positionOf(samples, 8000, { near: 8800 }) ?? 0
  t.ok(position - 8800 >= 0 && position - 8800 < 100, `${position - 8800} samples late`)
  t.same(losses, [])
  t.match(placements, { placed: 100 })
})

t.test('packets without audio between audio are no loss', async (t) => {
  const audio = packets(60, { startMs: 100 })
  const withEvents = audio.flatMap((packet, index) => {
    const shifted = { ...packet, sequence: packet.sequence + (index > 30 ? 6 : 0) }
    if (index !== 30) return [shifted]
    const events = Array.from({ length: 6 }, (_, event) => ({
      ...packet,
      sequence: packet.sequence + 1 + event,
      length: 0,
      arrivesAtMs: packet.arrivesAtMs + 1,
    }))
    return [shifted, ...events]
  })
  const { samples, losses } = simulateLeg(withEvents, { untilMs: 1800 })
  t.same(losses, [])
  t.same(samples, simulateLeg(audio, { untilMs: 1800 }).samples)
})

t.test('packets of different lengths follow one another, and the legs agree', async (t) => {
  const mixed = [
    ...packets(20, { startMs: 110, length: 80 }),
    ...packets(10, { startMs: 340, length: 240, sequence: 21, timestamp: 1600, media: 1600 }),
  ]
  const { samples } = simulateLeg(mixed, { untilMs: 1500 })
  t.equal(positionOf(samples, 0, { near: 960, within: 0 }), 960)
  t.equal(positionOf(samples, 1600, { near: 2560, within: 0 }), 2560)
  const last = (length: number) => {
    const leg = simulateLeg(packets(1600 / length, { startMs: 100 + length / 8, length }), {
      untilMs: 2000,
    })
    return positionOf(leg.samples, 0, { near: 960 })
  }
  t.same([80, 160, 320].map(last), [960, 960, 960])
})

t.test('a packet that was on its way at the zero stands where it was spoken', async (t) => {
  for (const length of [240, 480, 800]) {
    const { samples, start } = simulateLeg(packets(20, { startMs: 5, length }), { untilMs: 1500 })
    const expected = 40 + 160 - length
    t.ok(Math.abs((start ?? 0) - expected) <= 16, `${start} for ${expected}`)
    t.equal(positionOf(samples, 960, { near: expected + 960 }), (start ?? 0) + 960)
  }
})

t.test(
  'no sample is placed twice or lost, whatever the network does within the hold-back',
  async () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            // A packet that comes much later than the one before it may also be the first after a pause.
            delayMs: fc.double({ min: 0, max: 55, noNaN: true }),
            isLost: fc.boolean(),
            isDoubled: fc.boolean(),
            pauseMs: fc.constantFrom(0, 0, 0, 0, 0, 40, 900),
          }),
          { minLength: 30, maxLength: 120 },
        ),
        fc.nat(65_535),
        fc.nat(2 ** 32 - 1),
        (fates, sequence, timestamp) => {
          let sentAtMs = 100
          const sent = fates.map((fate, index) => {
            sentAtMs += 20 + fate.pauseMs
            return {
              ...fate,
              sentAtMs,
              arrivesAtMs: sentAtMs + (index === 0 ? 0 : fate.delayMs),
              sequence: sequence + index,
              timestamp: timestamp + (sentAtMs - 120) * 8,
              media: index * 160,
              length: 160,
            }
          })
          const arriving = sent.filter(({ isLost }, index) => index === 0 || !isLost)
          const doubled = arriving
            .filter(({ isDoubled }) => isDoubled)
            .map((packet) => ({ ...packet, arrivesAtMs: packet.arrivesAtMs + 3 }))
          const { samples, placements } = simulateLeg([...arriving, ...doubled], {
            untilMs: Math.ceil((sentAtMs + 1000) / 20) * 20,
          })
          if (placements.placed !== arriving.length || placements.late !== 0) return false
          if (placements.duplicate !== doubled.length) return false
          return arriving.every(({ media, sentAtMs: ms }) => {
            for (let index = 0; index < 160; index++) {
              if (samples[ms * 8 + index] !== mediaValue(media + index)) return false
            }
            return true
          })
        },
      ),
      { numRuns: 200 },
    )
  },
)
