import t from 'tap'
import { placementErrors, random, type Sending, sendPackets, sent } from './placement-error.ts'

function jitter(seed: number, mostMs: number): () => number {
  const next = random(seed)
  return () => next() * mostMs
}

function place(sending: Sending, fromMs = 0) {
  const packets = sendPackets(sending)
  const untilMs = (sending.startMs ?? 100) + sending.seconds * 1000 + 1000
  const errors: { readonly errorMs: number; readonly atMs: number }[] = []
  const onError = (errorMs: number, atMs: number) => errors.push({ errorMs, atMs })
  const placed = placementErrors(packets, { untilMs, fromMs, onError })
  return { ...placed, errors, count: packets.length }
}

t.test('packets of any length stand exactly where the one with the least delay came', async (t) => {
  for (const packetMs of [10, 20, 30, 40, 60, 100]) {
    for (const startMs of [1, 15, 70, 123]) {
      const { worstMs, lostMs } = place({ seconds: 5, packetMs, startMs })
      t.ok(worstMs < 0.2, `${packetMs} ms from ${startMs} ms: ${worstMs} ms`)
      t.equal(lostMs, 0)
    }
  }
})

t.test('jitter moves nothing, however strong', async (t) => {
  for (const mostMs of [20, 60, 120, 300]) {
    const { worstMs, lostMs, placements, count } = place({
      seconds: 120,
      delayMs: jitter(mostMs, mostMs),
    })
    t.ok(worstMs < 1 + mostMs / 10, `${mostMs} ms of jitter: ${worstMs.toFixed(1)} ms`)
    t.equal(lostMs, 0)
    t.match(placements, { placed: count, late: 0, duplicate: 0 })
  }
})

t.test('pauses that neither numbers nor timestamps tell are silence of their length', async (t) => {
  for (const pauseMs of [100, 200, 300, 400, 460, 480, 500, 520, 700, 2000, 9680]) {
    const { worstMs, lostMs, placements, count } = place({
      seconds: 30,
      delayMs: jitter(pauseMs, 10),
      pauses: [{ fromMs: 10_000, toMs: 10_000 + pauseMs, isUncounted: true }],
    })
    t.ok(worstMs < 2, `${pauseMs} ms: ${worstMs.toFixed(1)} ms off`)
    t.equal(lostMs, 0)
    t.match(placements, { placed: count, late: 0 })
  }
})

t.test('an engine that is late to read every packet for long shifts nothing', async (t) => {
  const next = random(5)
  let lateUntilMs = 0
  const packets = sendPackets({ seconds: 60, delayMs: jitter(3, 10) }).map((packet) => {
    const cameAtMs = packet.arrivesAtMs
    // From 10 s to 40 s it comes to this socket 80 to 400 ms after a packet, and then reads all that waits.
    if (cameAtMs < 10_000 || cameAtMs > 40_000) return packet
    if (lateUntilMs < cameAtMs + 80) lateUntilMs = cameAtMs + 80 + next() * 320
    return { ...packet, arrivesAtMs: lateUntilMs, waitedMs: 400 }
  })
  const { worstMs, lostMs, reanchored, placements } = placementErrors(packets, { untilMs: 61_000 })
  t.ok(worstMs < 2, `${worstMs.toFixed(1)} ms`)
  t.equal(lostMs, 0)
  t.equal(reanchored, 0)
  t.match(placements, { placed: packets.length, late: 0 })
})

t.test('many short ones do not add up', async (t) => {
  const pauses = Array.from({ length: 20 }, (_, index) => {
    const fromMs = 5000 + index * 2000
    return { fromMs, toMs: fromMs + 300, isUncounted: true }
  })
  const { worstMs } = place({ seconds: 60, delayMs: jitter(1, 10), pauses })
  t.ok(worstMs < 2, `${worstMs.toFixed(1)} ms`)
})

t.test('a pause too short to be told from jitter is caught up with soon', async (t) => {
  const pauses = [{ fromMs: 10_000, toMs: 10_060, isUncounted: true }]
  const { worstMs, lostMs } = place({ seconds: 60, delayMs: jitter(5, 10), pauses }, 42_000)
  t.ok(worstMs < 6, `${worstMs.toFixed(1)} ms`)
  t.equal(lostMs, 0)
})

t.test(
  'what the network held up and then lets go at once stands where it was spoken',
  async (t) => {
    for (const heldMs of [80, 200, 300, 400]) {
      const delay = jitter(heldMs, 15)
      const { worstMs, lostMs } = place({
        seconds: 30,
        delayMs: (at) => (at > 10_000 && at < 10_000 + heldMs ? 10_000 + heldMs - at : 0) + delay(),
      })
      t.ok(worstMs < 2, `${heldMs} ms: ${worstMs.toFixed(1)} ms`)
      t.equal(lostMs, 0)
    }
  },
)

t.test(
  'what it held up for longer than audio is held back is lost, and nothing else moves',
  async (t) => {
    const delayMs = (at: number) => (at > 10_000 && at < 10_700 ? 10_700 - at : 0)
    const { worstMs, lostMs } = place({ seconds: 30, delayMs })
    t.ok(worstMs < 1)
    t.ok(lostMs >= 160 && lostMs <= 220, `${lostMs} ms`)
  },
)

t.test('a busy machine that reads in bursts moves nothing', async (t) => {
  const { worstMs, lostMs } = place({
    seconds: 60,
    delayMs: (at) => {
      if (at < 20_000 || at > 34_000) return 0
      const readEveryMs = at < 27_000 ? 90 : 240
      return Math.ceil(at / readEveryMs) * readEveryMs - at
    },
  })
  t.ok(worstMs < 3, `${worstMs.toFixed(1)} ms`)
  t.equal(lostMs, 0)
})

t.test('a leg whose first packets were slow is pulled back soon, and cut nowhere', async (t) => {
  for (const slowMs of [20, 40, 80]) {
    const delayMs = (at: number) => (at < 1100 ? slowMs : 0)
    const { errors, placements, count } = place({ seconds: 20, delayMs })
    const after = errors.filter(({ atMs }) => atMs > 2000 + slowMs * 160)
    t.ok(
      after.every(({ errorMs }) => Math.abs(errorMs) < 10),
      `${slowMs} ms slow`,
    )
    for (const [index, { atMs, errorMs }] of errors.entries()) {
      const before = errors[index - 1]
      if (before && atMs - before.atMs < 15 && before.errorMs - errorMs > 0.3) t.fail(`${atMs}`)
    }
    t.match(placements, { placed: count, late: 0 })
  }
})

t.test('one that is out of step is pulled back in speech within seconds', async (t) => {
  for (const packetMs of [20, 40, 60]) {
    const slow = { seconds: 20, packetMs, delayMs: (at: number) => (at < 800 ? 42 : 0) }
    const { errors, lostMs } = place(slow)
    const after = errors.filter(({ atMs }) => atMs > 3500)
    t.ok(
      after.every(({ errorMs }) => Math.abs(errorMs) < 20),
      `packets of ${packetMs} ms`,
    )
    t.ok(lostMs < 1)
  }
})

t.test('a timestamp that jumps after a short pause stands where it arrived', async (t) => {
  for (const packetMs of [20, 60]) {
    for (const pauseMs of [0, 25, 60, 120, 190]) {
      const before = sendPackets({ seconds: 10, packetMs, delayMs: jitter(3, 5) })
      const resumesMs = 100 + before.length * packetMs + pauseMs
      const after = sendPackets({
        seconds: 5,
        packetMs,
        startMs: resumesMs,
        delayMs: jitter(4, 5),
      }).map((packet, index) => ({
        ...packet,
        sequence: (before.at(-1)?.sequence ?? 0) + 1 + index,
        timestamp: packet.timestamp + 777_777,
      }))
      const { worstMs, lostMs } = placementErrors([...before, ...after], { untilMs: 16_000 })
      t.ok(worstMs < 21, `${packetMs} ms packets after ${pauseMs} ms: ${worstMs.toFixed(1)} ms`)
      t.equal(lostMs, 0)
    }
  }
})

t.test('after a hold it is pulled back at once where somebody pauses', async (t) => {
  const { errors } = place({
    seconds: 40,
    pauses: [{ fromMs: 5000, toMs: 17_000, isUncounted: true }],
    delayMs: (at) => (at > 17_000 && at < 19_000 ? 20 : 0),
    isQuiet: (at) => at % 2000 > 1500,
  })
  const after = errors.filter(({ atMs }) => atMs > 20_000)
  t.ok(after.length > 500)
  t.ok(after.every(({ errorMs }) => Math.abs(errorMs) < 3))
})

t.test('after a long hold a clock that drifted meanwhile is met where it is', async (t) => {
  for (const ppm of [200, -200]) {
    const { worstMs, lostMs } = place({
      seconds: 700,
      ppm,
      delayMs: jitter(6, 10),
      pauses: [{ fromMs: 10_000, toMs: 610_000 }],
    })
    t.ok(worstMs < 8, `${ppm} ppm: ${worstMs.toFixed(1)} ms`)
    t.equal(lostMs, 0)
  }
})

t.test('a sender that begins to count anew is heard on', async (t) => {
  const packets = sendPackets({ seconds: 20 })
  for (const [sequence, timestamp] of [
    [5000, 0],
    [-5000, 0],
    [-500, 0],
    [-150, 0],
    [-5000, 777_777],
    [20_000, -777_777],
    [-300, -777_777],
  ] as const) {
    const anew = packets.map((packet, index) =>
      index < 500
        ? packet
        : {
            ...packet,
            sequence: packet.sequence + sequence,
            timestamp: packet.timestamp + timestamp,
          },
    )
    const { worstMs, lostMs, placements } = placementErrors(anew, { untilMs: 21_000 })
    t.ok(worstMs < 1, `${sequence}, ${timestamp}: ${worstMs} ms`)
    t.equal(lostMs, 0)
    t.match(placements, { placed: packets.length, duplicate: 0, late: 0 })
  }
  const again = packets.map((packet) => ({
    ...packet,
    arrivesAtMs: packet.arrivesAtMs + 25_000,
    belongsAt: packet.belongsAt + 200_000,
  }))
  const { worstMs, placements } = placementErrors([...packets, ...again], { untilMs: 47_000 })
  t.ok(worstMs < 1)
  t.match(placements, { placed: 2 * packets.length })
})

t.test('a packet that strays in from long ago changes nothing', async (t) => {
  const packets = sendPackets({ seconds: 20 })
  const [stray] = packets.slice(100)
  const late = { ...(stray ?? packets[0]), arrivesAtMs: 15_000.5 } as (typeof packets)[number]
  const { worstMs, placements } = placementErrors(
    [...packets, late].sort((a, b) => a.arrivesAtMs - b.arrivesAtMs),
    { untilMs: 21_000 },
  )
  t.ok(worstMs < 1)
  t.match(placements, { placed: packets.length })
})

t.test('four hours of clocks 200 ppm apart either way leave the legs within 20 ms', async (t) => {
  let earliestMs = 0
  let latestMs = 0
  for (const ppm of [200, -200]) {
    for (const hasPauses of [false, true]) {
      const seconds = hasPauses ? 3600 : 14_400
      const isQuiet = (at: number) => hasPauses && at % 10_000 > 8000
      const packets = sent({ seconds, ppm, delayMs: jitter(7, 15), isQuiet })
      const untilMs = (seconds + 1) * 1000
      const { earlyMs, lateMs, lostMs } = placementErrors(packets, { untilMs })
      const how = `${ppm} ppm, ${hasPauses ? 'with pauses, an hour' : 'without pauses'}`
      t.ok(lateMs - earlyMs < 10, `${how}: from ${earlyMs.toFixed(1)} to ${lateMs.toFixed(1)} ms`)
      t.equal(lostMs, 0)
      earliestMs = Math.min(earliestMs, earlyMs)
      latestMs = Math.max(latestMs, lateMs)
    }
  }
  t.ok(latestMs - earliestMs < 20, `${(latestMs - earliestMs).toFixed(1)} ms between any two`)
})
