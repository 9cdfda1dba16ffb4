import t from 'tap'
import { SampleRing } from '../../recorder/sample-ring.ts'
import { EMPTY, type SampleSource } from '../../recorder/sample-source.ts'

const SLOT = 160

/** Samples that count up from `from`, as linear 16-bit ones. */
function counting(from: number, length: number): SampleSource {
  const samples = Int16Array.from({ length }, (_, index) => from + index)
  return {
    datagram: new Uint8Array(samples.buffer),
    offset: 0,
    length,
    table: undefined,
    stride: 2,
    density: 1,
  }
}

/** The next so many slots. */
function taken(ring: SampleRing, slots: number): Int16Array {
  const all = new Int16Array(slots * SLOT)
  for (let slot = 0; slot < slots; slot++) {
    ring.take(all.subarray(slot * SLOT, (slot + 1) * SLOT))
  }
  return all
}

t.test('what was written is given back at its position, and nothing beside it', async (t) => {
  const ring = new SampleRing(1000, 16_384)
  ring.write(1100, counting(1, 200))
  t.equal(ring.end, 1300)
  const samples = taken(ring, 2)
  t.ok(samples.subarray(0, 100).every((sample) => sample === EMPTY))
  t.same(
    samples.subarray(100, 300),
    Int16Array.from({ length: 200 }, (_, index) => index + 1),
  )
  t.ok(samples.subarray(300).every((sample) => sample === EMPTY))
  t.equal(ring.base, 1320)
  t.equal(ring.end, 1320)
})

t.test('audio that comes early finds room, and what was there stays', async (t) => {
  for (const base of [0, 7777, 123_456]) {
    const ring = new SampleRing(base, 16_384)
    for (const early of [0, 8100, 16_224]) ring.write(base + early, counting(early + 1, SLOT))
    const samples = taken(ring, 103)
    for (const early of [0, 8100, 16_224]) {
      t.equal(samples[early], early + 1)
      t.equal(samples[early + SLOT - 1], early + SLOT)
    }
    t.equal(samples.filter((sample) => sample !== EMPTY).length, 3 * SLOT)
  }
})

t.test('a slot is taken with its energy, unless some of it is empty', async (t) => {
  const ring = new SampleRing(0, 16_384)
  ring.write(0, counting(1, SLOT + 1))
  const slot = new Int16Array(SLOT)
  t.equal(ring.energy(0), (SLOT * (SLOT + 1) * (2 * SLOT + 1)) / 6)
  t.equal(ring.take(slot), (SLOT * (SLOT + 1) * (2 * SLOT + 1)) / 6)
  t.equal(ring.energy(SLOT), (SLOT + 1) ** 2)
  t.equal(ring.take(slot), -1)
  t.equal(slot[0], SLOT + 1)
})

t.test('what lies outside the ring is left out', async (t) => {
  const ring = new SampleRing(1000, 16_384)
  ring.write(900, counting(1, SLOT))
  ring.write(ring.limit - 50, counting(1001, SLOT))
  t.equal(ring.end, ring.limit)
  const samples = taken(ring, 103)
  t.equal(samples[0], 101)
  t.equal(samples[16_383], 1050)
  t.equal(samples.filter((sample) => sample !== EMPTY).length, 60 + 50)
})

t.test('a packet is stretched to a length', async (t) => {
  const ring = new SampleRing(0, 16_384)
  ring.writeStretched(0, counting(1, SLOT), SLOT + 1)
  const samples = taken(ring, 2)
  t.equal(samples[0], 1)
  t.equal(samples[SLOT], SLOT)
  t.equal(samples[SLOT + 1], EMPTY)
})

t.test('a stretch that is moved earlier keeps its samples, as far as there is room', async (t) => {
  const ring = new SampleRing(0, 16_384)
  ring.write(400, counting(1, SLOT))
  ring.moveEarlier(400, 560, { by: 390, floor: 20 })
  t.equal(ring.end, 170)
  const samples = taken(ring, 3)
  t.equal(samples[19], EMPTY)
  t.equal(samples[20], 11)
  t.equal(samples[169], SLOT)
  t.ok(samples.subarray(170).every((sample) => sample === EMPTY))
})

t.test('what is forgotten reads as empty, and the ring goes on', async (t) => {
  for (const to of [100, 20_000]) {
    const ring = new SampleRing(0, 16_384)
    ring.write(0, counting(1, SLOT))
    ring.discardBefore(to)
    t.equal(ring.base, to)
    ring.write(to + SLOT, counting(1, SLOT))
    const samples = taken(ring, 2)
    t.equal(samples[0], to === 100 ? 101 : EMPTY)
    t.equal(samples[SLOT], 1)
  }
})
