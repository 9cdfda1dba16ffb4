import fc from 'fast-check'
import t from 'tap'
import { Pauses } from '../../recorder/pauses.ts'
import type { PauseCause } from '../../recorder/recording-plan.ts'

const API: PauseCause = { by: 'api', reason: 'card-data' }
const OFFER: PauseCause = { by: 'offer', reason: null }

t.test('each sample of a slot is muted or kept, at every density', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(2000), fc.nat(600)), { maxLength: 6 }),
      fc.constantFrom(1, 2, 6),
      (stretches, density) => {
        const pauses = new Pauses()
        let at = 0
        const spans = stretches.map(([gap, length]) => {
          const from = at + gap
          at = from + length
          pauses.begin(from, API)
          pauses.end(at, 'control')
          return { from, to: at }
        })
        for (let position = 0; position < at + 320; position += 160) {
          const slot = new Int16Array(160 * density).fill(7)
          const muted = pauses.over(position)
          const energy = pauses.mute(slot, position)
          const isMuted = (sample: number) =>
            spans.some(({ from, to }) => from <= sample && sample < to)
          let kept = 0
          for (let index = 0; index < slot.length; index++) {
            const wanted = isMuted(position + Math.floor(index / density)) ? 0 : 7
            if (slot[index] !== wanted) return false
            if (wanted !== 0) kept++
          }
          if (energy !== (kept * 49) / density) return false
          if (muted === 'none' && kept !== slot.length) return false
          if (muted === 'whole' && kept !== 0) return false
        }
        return true
      },
    ),
  )
})

t.test('a switch that is on stays as it is, and one that is off does too', async (t) => {
  const pauses = new Pauses()
  t.equal(pauses.end(10, 'control'), false)
  t.equal(pauses.begin(10, API), true)
  t.equal(pauses.begin(20, { by: 'dtmf', reason: null }), false)
  t.equal(pauses.begin(30, OFFER), true)
  t.same(pauses.causes, [API, OFFER])
  t.equal(pauses.end(40, 'offer'), true)
  t.equal(pauses.end(50, 'offer'), false)
  t.same(pauses.told(0, undefined), [
    { fromMs: 1, toMs: null, ...API },
    { fromMs: 4, toMs: 5, ...OFFER },
  ])
})

t.test('pauses are told within the recording, and those without a length are not', async (t) => {
  const pauses = new Pauses()
  pauses.begin(Number.NEGATIVE_INFINITY, API)
  pauses.end(800, 'control')
  pauses.begin(1600, API)
  pauses.end(1500, 'control')
  pauses.begin(4000, API)
  pauses.end(9000, 'control')
  pauses.begin(9500, OFFER)
  t.same(pauses.told(400, 8000), [
    { fromMs: 0, toMs: 50, ...API },
    { fromMs: 450, toMs: 950, ...API },
  ])
})

t.test('a recording that is paused without end tells of a bounded number', async (t) => {
  const pauses = new Pauses()
  for (let at = 0; at < 1000; at++) {
    pauses.begin(at * 800, API)
    pauses.end(at * 800 + 400, 'control')
  }
  const told = pauses.told(0, undefined)
  t.equal(told.length, 200)
  t.same(told.at(-1), { fromMs: 19_900, toMs: 99_950, ...API })
})

t.test('what lies outside of pauses is cut out of a stretch', async (t) => {
  const pauses = new Pauses()
  pauses.begin(100, API)
  pauses.end(200, 'control')
  pauses.begin(300, API)
  t.same(pauses.outside(0, 400), [
    { from: 0, to: 100 },
    { from: 200, to: 300 },
  ])
  t.same(pauses.outside(120, 180), [])
  t.same(pauses.outside(150, 250), [{ from: 200, to: 250 }])
})
