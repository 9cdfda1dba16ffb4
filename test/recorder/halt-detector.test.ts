import t from 'tap'
import { HaltDetector } from '../../recorder/halt-detector.ts'

t.test('on a quiet network 60 ms are a halt', async (t) => {
  const halts = new HaltDetector()
  for (let n = 0; n < 200; n++) halts.observe(0)
  t.notOk(halts.isHalt(470))
  t.ok(halts.isHalt(490))
})

t.test('at first, and where packets jitter, it takes more', async (t) => {
  const fresh = new HaltDetector()
  t.notOk(fresh.isHalt(490))
  t.ok(fresh.isHalt(1200))
  const halts = new HaltDetector()
  for (let n = 0; n < 200; n++) halts.observe(n % 2 === 0 ? 0 : 400)
  t.notOk(halts.isHalt(400 + 1600))
})
