import t from 'tap'
import type { PauseCause } from '../../recorder/recording-plan.ts'
import { decodeOpus } from './opus-file.ts'
import { RecordingRig, type Sender, streamPlan } from './recording-rig.ts'
import { tone, toneShare, ulaw } from './tones.ts'

const BOTH = [streamPlan('caller'), streamPlan('agent')]
const API: PauseCause = { by: 'api', reason: 'card-data' }
const CODES = { pause: '*71', resume: '*70' }
const EVENT: Readonly<Record<string, number>> = { '*': 10, '#': 11 }

/** -50 dBFS, which a codec falls below within a slot; a moment later there is nothing. */
const SILENT = 104

/** Where sound stops and begins again, in milliseconds: the ends of the longest silence. */
function silentStretch(samples: Int16Array): { fromMs: number; toMs: number } {
  let longest = { from: 0, to: 0 }
  let from = 0
  for (let at = 0; at <= samples.length; at++) {
    if (Math.abs(samples[at] ?? SILENT + 1) <= SILENT) continue
    if (at - from > longest.to - longest.from) longest = { from, to: at }
    from = at + 1
  }
  return { fromMs: longest.from / 48, toMs: longest.to / 48 }
}

function between(samples: Int16Array, fromMs: number, toMs: number): Int16Array {
  return samples.subarray(fromMs * 48, toMs * 48)
}

function peak(samples: Int16Array): number {
  return samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
}

/** Types keys as telephone-events, each in three packets, and goes on with its tone beside them. */
function type(sender: Sender, keys: string): void {
  for (const key of keys) {
    const event = EVENT[key] ?? Number(key)
    const { timestamp } = sender
    for (const duration of [160, 320, 320]) {
      const end = duration === 320 ? 0x8a : 0x0a
      const payload = Buffer.from([event, end, duration >> 8, duration & 0xff])
      sender.send({ payloadType: 101, timestamp, payload })
      sender.timestamp -= 160
    }
    sender.timestamp += 320
  }
}

for (const offsetMs of [0, 7, 13]) {
  t.test(
    `a pause ${offsetMs} ms into a slot is silence to the slot on both channels`,
    async (t) => {
      const rig = new RecordingRig(t, BOTH)
      const caller = rig.sender('caller', 600)
      const agent = rig.sender('agent', 1500)
      const talk = () => {
        caller.send()
        agent.send()
      }
      rig.answer()
      const answeredAtMs = rig.clock.epochMs()
      rig.run(2000, talk)
      // The order comes a little later than the moment that it names.
      rig.run(60, talk)
      rig.recording.pauses.begin(answeredAtMs + 2000 + offsetMs, API)
      rig.run(1960, talk)
      rig.recording.pauses.end(answeredAtMs + 4000 + offsetMs, 'control')
      rig.run(2000, talk)
      const outcome = await rig.finish()
      t.same(outcome.pauses, [{ fromMs: 2020 + offsetMs, toMs: 4020 + offsetMs, ...API }])
      t.same([outcome.verdict, outcome.reasons], ['complete', ['paused']])
      t.equal(rig.pausesTold, 2)
      const heard = decodeOpus(rig.sink.bytes)
      for (const [samples, hertz] of [
        [heard.caller, 600],
        [heard.agent, 1500],
      ] as const) {
        t.equal(samples.length, outcome.durationMs * 48, 'the recording keeps its length')
        const { fromMs, toMs } = silentStretch(samples)
        const [from, to] = [2020 + offsetMs, 4020 + offsetMs]
        t.ok(Math.abs(fromMs - from) <= 20, `silent from ${fromMs} ms`)
        t.ok(Math.abs(toMs - to) <= 20, `silent to ${toMs} ms`)
        t.ok(peak(between(samples, from + 100, to - 20)) <= 1, 'to the last bit')
        t.ok(toneShare(between(samples, 100, from), hertz, 48_000) > 0.9, 'all before is there')
        t.ok(toneShare(between(samples, to + 5, 6000), hertz, 48_000) > 0.9, 'all after is there')
      }
    },
  )
}

t.test('what the encoder held back is not cut off by a pause', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  const caller = rig.sender('caller', 600)
  rig.answer()
  rig.run(1000, () => caller.send())
  rig.recording.pauses.begin(rig.clock.epochMs(), API)
  rig.run(1000, () => caller.send())
  await rig.finish()
  const { caller: heard } = decodeOpus(rig.sink.bytes)
  t.ok(toneShare(between(heard, 1010, 1020), 600, 48_000) > 0.9, 'the last 10 ms before it')
})

t.test('a pause that nobody ends lasts to the end of the call', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  const caller = rig.sender('caller', 600)
  rig.answer()
  rig.run(1000, () => caller.send())
  rig.recording.pauses.begin(rig.clock.epochMs(), API)
  t.same(rig.recording.pauses.told, [{ fromMs: 1020, toMs: null, ...API }])
  rig.run(1000, () => caller.send())
  const outcome = await rig.finish()
  t.same(outcome.pauses, [{ fromMs: 1020, toMs: outcome.durationMs, ...API }])
  t.ok(silentStretch(decodeOpus(rig.sink.bytes).caller).toMs > 1980)
})

t.test('a resume without a pause changes nothing, and a second pause is none', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  const caller = rig.sender('caller', 600)
  rig.answer()
  rig.recording.pauses.end(rig.clock.epochMs(), 'control')
  rig.run(1000, () => caller.send())
  rig.recording.pauses.begin(rig.clock.epochMs(), API)
  rig.run(200, () => caller.send())
  rig.recording.pauses.begin(rig.clock.epochMs(), { by: 'dtmf', reason: null })
  rig.run(200, () => caller.send())
  rig.recording.pauses.end(rig.clock.epochMs(), 'control')
  rig.recording.pauses.end(rig.clock.epochMs(), 'control')
  const outcome = await rig.finish()
  t.same(outcome.pauses, [{ fromMs: 1020, toMs: outcome.durationMs, ...API }])
  t.equal(rig.pausesTold, 2)
})

t.test('a re-offer and the platform pause independently of each other', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  const caller = rig.sender('caller', 600)
  const talk = () => caller.send()
  const offer: PauseCause = { by: 'offer', reason: null }
  rig.answer()
  rig.run(1000, talk)
  rig.recording.pauses.begin(rig.clock.epochMs(), offer)
  rig.run(500, talk)
  rig.recording.pauses.begin(rig.clock.epochMs(), API)
  rig.run(500, talk)
  rig.recording.pauses.end(rig.clock.epochMs(), 'offer')
  t.same(rig.recording.pauses.causes, [API])
  rig.run(500, talk)
  rig.recording.pauses.end(rig.clock.epochMs(), 'control')
  rig.run(500, talk)
  const outcome = await rig.finish()
  t.same(outcome.pauses, [
    { fromMs: 1020, toMs: 2020, ...offer },
    { fromMs: 1520, toMs: 2520, ...API },
  ])
  const { fromMs, toMs } = silentStretch(decodeOpus(rig.sink.bytes).caller)
  t.ok(fromMs < 1040 && Math.abs(toMs - 2520) < 20, `silent from ${fromMs} to ${toMs}`)
})

t.test('a pause from before the answer begins with the recording', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  const caller = rig.sender('caller', 600)
  rig.recording.pauses.begin(rig.clock.epochMs(), API)
  rig.run(500)
  rig.answer()
  rig.run(1000, () => caller.send())
  rig.recording.pauses.end(rig.clock.epochMs(), 'control')
  rig.run(1000, () => caller.send())
  const outcome = await rig.finish()
  t.same(outcome.pauses, [{ fromMs: 0, toMs: 1020, ...API }])
  t.ok(Math.abs(silentStretch(decodeOpus(rig.sink.bytes).caller).toMs - 1020) < 20)
})

t.test('a recording that is opened paused begins silent, and tells so at the answer', async (t) => {
  const rig = new RecordingRig(t, BOTH, { control: { pausedBy: [API], isStopped: false } })
  const caller = rig.sender('caller', 600)
  rig.run(400, () => caller.send())
  rig.answer()
  t.equal(rig.pausesTold, 1)
  t.same(rig.recording.pauses.told, [{ fromMs: 0, toMs: null, ...API }])
  rig.run(1000, () => caller.send())
  const outcome = await rig.finish()
  t.same(
    [outcome.verdict, outcome.reasons.toSorted()],
    ['silent', ['paused']],
    'which the reason explains',
  )
  t.ok(peak(decodeOpus(rig.sink.bytes).caller) <= 1)
})

t.test('a recording of a call that was stopped hears nothing', async (t) => {
  const rig = new RecordingRig(t, BOTH, { control: { pausedBy: [], isStopped: true } })
  const caller = rig.sender('caller', 600)
  rig.answer()
  rig.run(1000, () => caller.send())
  rig.recording.updateStreams(BOTH)
  rig.run(1000, () => caller.send())
  const outcome = await rig.finish()
  t.equal(rig.opened, 0, 'no file is made')
  t.match(outcome, { sha256: null, streams: [{ placed: 0, whileInactive: 100 }, {}] })
})

t.test('what is lost in a pause is no loss', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  const caller = rig.sender('caller', 600)
  rig.answer()
  rig.run(1000, () => caller.send())
  rig.recording.pauses.begin(rig.clock.epochMs(), API)
  rig.run(200, () => caller.send())
  rig.run(400, () => {
    caller.sequenceNumber++
    caller.timestamp += 160
  })
  rig.run(200, () => caller.send())
  rig.recording.pauses.end(rig.clock.epochMs(), 'control')
  rig.run(500, () => caller.send())
  const outcome = await rig.finish()
  t.match(outcome, { lostMs: 0, lossMap: [], reasons: ['paused', 'leg_silent'] })
})

t.test(
  'keys of a stream that may pause switch the recording, in the moment of the last one',
  async (t) => {
    const rig = new RecordingRig(t, [
      streamPlan('caller'),
      streamPlan('agent', { pauseCodes: CODES }),
    ])
    const caller = rig.sender('caller', 600)
    const agent = rig.sender('agent', 1500)
    rig.answer()
    rig.run(1000, () => caller.send())
    type(agent, '5*71')
    rig.run(1000, () => caller.send())
    type(agent, '*70')
    rig.run(1000, () => caller.send())
    type(caller, '*71')
    rig.run(500, () => caller.send())
    const outcome = await rig.finish()
    t.same(
      outcome.pauses,
      [{ fromMs: 1020, toMs: 2020, by: 'dtmf', reason: null }],
      'and the caller’s keys do not',
    )
    const { fromMs, toMs } = silentStretch(decodeOpus(rig.sink.bytes).caller)
    t.ok(fromMs < 1040 && Math.abs(toMs - 2020) < 20, `silent from ${fromMs} to ${toMs}`)
  },
)

t.test('tones of keys in the audio are taken out where the plan says so', async (t) => {
  for (const removesTones of [true, false]) {
    const rig = new RecordingRig(t, [streamPlan('caller', { removesTones }), streamPlan('agent')])
    const caller = rig.sender('caller', 600)
    const agent = rig.sender('agent', 1500)
    rig.answer()
    rig.run(1000, () => {
      caller.send()
      agent.send()
    })
    // The key 5, for 100 ms.
    let at = 0
    rig.run(100, () => {
      const row = tone(770, at, 160, 5000)
      const column = tone(1336, at, 160, 5000)
      const pressed = row.map((sample, index) => sample + (column[index] ?? 0))
      caller.send({ payload: Uint8Array.from(pressed, ulaw) })
      agent.send()
      at += 160
    })
    rig.run(1000, () => {
      caller.send()
      agent.send()
    })
    await rig.finish()
    const heard = decodeOpus(rig.sink.bytes)
    const pressed = between(heard.caller, 1000, 1100)
    if (removesTones) t.ok(peak(between(heard.caller, 1007, 1100)) < SILENT)
    else t.ok(toneShare(pressed, 770, 48_000) + toneShare(pressed, 1336, 48_000) > 0.7)
    t.ok(toneShare(between(heard.caller, 100, 970), 600, 48_000) > 0.9, 'all before is there')
    t.ok(toneShare(between(heard.caller, 1150, 2000), 600, 48_000) > 0.9, 'all after is there')
    t.ok(toneShare(between(heard.agent, 1000, 1100), 1500, 48_000) > 0.9, 'and the other party')
  }
})
