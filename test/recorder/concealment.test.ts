import t from 'tap'
import { Concealment } from '../../recorder/concealment.ts'
import { tone } from './tones.ts'

t.test('a gap begins without a step and is silent soon after', async (t) => {
  const audio = tone(440, 0, 320)
  new Concealment().fill(audio, { from: 160, to: 320, position: 160, density: 1 })
  let largestStep = 0
  for (let index = 150; index < 200; index++) {
    largestStep = Math.max(largestStep, Math.abs((audio[index] ?? 0) - (audio[index - 1] ?? 0)))
  }
  t.ok(largestStep < 3000, `a tone of 440 Hz takes steps of 2760, the gap ${largestStep}`)
  t.ok(audio.subarray(180).every((sample) => sample === 0))
})

t.test('a gap that runs on from slot to slot fades once', async (t) => {
  const whole = tone(440, 0, 320)
  new Concealment().fill(whole, { from: 150, to: 320, position: 150, density: 1 })
  const parted = tone(440, 0, 160)
  const concealment = new Concealment()
  concealment.fill(parted, { from: 150, to: 160, position: 150, density: 1 })
  const next = new Int16Array(320)
  next.set(parted)
  concealment.fill(next, { from: 160, to: 320, position: 160, density: 1 })
  t.same(next, whole)
})

t.test('another gap begins anew', async (t) => {
  const audio = tone(440, 0, 320)
  const concealment = new Concealment()
  concealment.fill(audio, { from: 100, to: 200, position: 100, density: 1 })
  concealment.fill(audio, { from: 240, to: 300, position: 240, density: 1 })
  t.ok(audio.subarray(240, 250).some((sample) => sample !== 0))
})
