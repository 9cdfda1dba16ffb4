import t from 'tap'
import { createVoiceEncoder } from '../../recorder/opus-encoder.ts'
import { VoiceEncoders } from '../../recorder/voice-encoders.ts'
import { RecordingRig, streamPlan } from './recording-rig.ts'
import { tone } from './tones.ts'

const OPUS = { complexity: 3, bitrateBps: 24_000 }

/** Counts those that are out. */
class CountedEncoders extends VoiceEncoders {
  out = 0

  override take(...args: Parameters<VoiceEncoders['take']>) {
    this.out++
    return super.take(...args)
  }

  override give(...args: Parameters<VoiceEncoders['give']>) {
    this.out--
    super.give(...args)
  }
}

function slot(index: number, density = 1): Buffer {
  return Buffer.from(tone(440, index * 160, 160 * density).buffer)
}

t.test('an encoder that is taken again knows nothing of whom it encoded before', async (t) => {
  const encoders = new VoiceEncoders(OPUS)
  const first = encoders.take(1)
  for (let index = 0; index < 20; index++) first.encode(slot(index))
  encoders.give(first, 1)
  const again = encoders.take(1)
  t.equal(again, first)
  const fresh = createVoiceEncoder(OPUS)
  const quiet = Buffer.alloc(320)
  for (let index = 0; index < 5; index++) t.same(again.encode(quiet), fresh.encode(quiet))
  for (let index = 0; index < 5; index++)
    t.same(again.encode(slot(index)), fresh.encode(slot(index)))
})

t.test('encoders of different rates are kept apart', async (t) => {
  const encoders = new VoiceEncoders(OPUS)
  const narrow = encoders.take(1)
  encoders.give(narrow, 1)
  t.not(encoders.take(2), narrow)
  t.equal(encoders.take(1), narrow)
})

t.test('an encoder that waited takes the complexity of the moment', async (t) => {
  const options = { ...OPUS, complexity: 0 }
  const encoders = new VoiceEncoders(options)
  encoders.give(encoders.take(1), 1)
  options.complexity = 5
  const encoder = encoders.take(1)
  const [simple, thorough] = [0, 5].map((complexity) => createVoiceEncoder({ ...OPUS, complexity }))
  const packetsOf = (by = encoder) =>
    Array.from({ length: 10 }, (_, index) => Buffer.from(by.encode(slot(index))).toString('hex'))
  const packets = packetsOf()
  t.same(packets, packetsOf(thorough))
  t.notSame(packets, packetsOf(simple))
})

t.test('a party has an encoder while it is heard, and none is left at the end', async (t) => {
  const encoders = new CountedEncoders(OPUS)
  const rig = new RecordingRig(t, [streamPlan('caller'), streamPlan('agent')], { encoders })
  const [caller, agent] = [rig.sender('caller', 440), rig.sender('agent', 1000, 8)]
  const quiet = { payload: new Uint8Array(160).fill(0xff) }
  rig.answer()
  const out: number[] = []
  for (const speaker of [caller, agent, undefined]) {
    rig.run(1500, () => {
      for (const party of [caller, agent]) party.send(party === speaker ? {} : quiet)
    })
    out.push(encoders.out)
  }
  t.same(out, [1, 1, 0])
  rig.run(1000, () => {
    caller.send()
    agent.send()
  })
  t.equal(encoders.out, 2)
  t.match(await rig.finish(), { verdict: 'complete' })
  t.equal(encoders.out, 0)
})
