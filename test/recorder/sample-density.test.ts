import t from 'tap'
import { lowerDensity, raiseDensity } from '../../recorder/sample-density.ts'
import { SampleRing } from '../../recorder/sample-ring.ts'
import { EMPTY } from '../../recorder/sample-source.ts'
import { tonePacket } from './tone-packet.ts'
import { tone, toneShare } from './tones.ts'

t.test('a tone that is raised to twice its rate stays that tone alone', async (t) => {
  for (const hertz of [300, 1000, 2500]) {
    const raised = new Int16Array(3200)
    raiseDensity(tone(hertz, 0, 1600), 2, raised)
    t.ok(toneShare(raised.subarray(160, 3040), hertz, 16_000) > 0.99, `${hertz} Hz`)
  }
  // 440 Hz at 16 kHz.
  const samples = tone(440 / 2, 0, 320)
  for (const factor of [2, 3]) {
    const raised = new Int16Array(320 * factor)
    raiseDensity(samples, factor, raised)
    const lowered = new Int16Array(320)
    lowerDensity(raised, factor, lowered)
    t.same(lowered, samples, 'and what was there stands where it was')
  }
})

t.test('a ring becomes as dense as what comes, and thin again when that is gone', async (t) => {
  const ring = new SampleRing(0, 16_384)
  const densities: number[] = []
  const heard: Int16Array[] = []
  const plan = [1, 1, 1, 2, 2, 6, 2, 1, 1, 1, 1, 1, 1] as const
  const ahead = 4
  for (let index = 0; index < plan.length + ahead; index++) {
    const density = plan[index]
    if (density !== undefined) ring.write(index * 160, tonePacket(440, index, density))
    if (index < ahead) continue
    ring.settleDensity()
    densities.push(ring.density)
    const slot = new Int16Array(160 * ring.density)
    t.ok(ring.take(slot) > 0)
    t.notOk(slot.includes(EMPTY))
    t.ok(toneShare(slot, 440, 8000 * ring.density) > 0.95, `slot ${index - ahead}`)
    heard.push(slot)
  }
  t.equal(heard.length, plan.length)
  t.same(densities.slice(0, 2), [2, 6])
  t.same(densities.slice(-4), [1, 1, 1, 1])
})

t.test('what is dense can be moved, discarded and left out like all else', async (t) => {
  const ring = new SampleRing(0, 16_384)
  ring.write(400, tonePacket(440, 0, 2))
  ring.moveEarlier(400, 560, { by: 240, floor: 0 })
  t.equal(ring.energy(0), 0)
  t.ok(ring.energy(160) > 1e9)
  ring.discardBefore(200)
  const slot = new Int16Array(320)
  t.equal(ring.take(slot), -1)
  t.same(slot.subarray(0, 240), tone(440 / 2, 80, 240))
  t.ok(slot.subarray(240).every((sample) => sample === EMPTY))
})
