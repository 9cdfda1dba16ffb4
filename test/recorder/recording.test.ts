import t from 'tap'
import { granulePositionOf } from '../../recorder/audio-length.ts'
import type { RecordingOutcome } from '../../recorder/recording-plan.ts'
import { MemorySink } from './memory-sink.ts'
import { decodeOpus } from './opus-file.ts'
import { RecordingRig, streamPlan } from './recording-rig.ts'
import { rtp } from './rtp.ts'
import { alaw, rmsDb, toneBytes, toneShare } from './tones.ts'

const BOTH = [streamPlan('caller'), streamPlan('agent')]
const RATE = 48_000

/** A stretch of decoded audio, in milliseconds. */
function between(samples: Int16Array, fromMs: number, toMs: number): Int16Array {
  return samples.subarray(fromMs * 48, toMs * 48)
}

const QUIET = new Uint8Array(160).fill(0xff)

/** When sound begins. */
function onsetMs(samples: Int16Array): number {
  return samples.findIndex((sample) => Math.abs(sample) > 2000) / 48
}

/** A packet that had begun at the end is kept whole: here that is up to 4 ms. */
function isNear(durationMs: number, callMs: number): boolean {
  return durationMs >= callMs && durationMs <= callMs + 4
}

/** Counters of a stream that are not 0. */
function counted({ streams }: RecordingOutcome, streamId: string): Record<string, number> {
  const stream = streams.find((counters) => counters.streamId === streamId)
  return Object.fromEntries(
    Object.entries(stream ?? {}).filter(
      (entry): entry is [string, number] =>
        typeof entry[1] === 'number' && entry[1] !== 0 && entry[0] !== 'jitterMs',
    ),
  )
}

t.test('each party is on its own channel, and the file is as long as the call', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  const caller = rig.sender('caller', 600)
  const agent = rig.sender('agent', 1500)
  rig.answer()
  rig.run(3000, () => {
    caller.send()
    agent.send()
  })
  const outcome = await rig.finish()
  t.match(outcome, {
    verdict: 'complete',
    reasons: [],
    callDurationMs: 3000,
    lostMs: 0,
    bytes: rig.sink.bytes.length,
  })
  t.ok(isNear(outcome.durationMs, 3000))
  const { caller: first, agent: second } = decodeOpus(rig.sink.bytes)
  t.equal(first.length, outcome.durationMs * 48)
  t.ok(toneShare(between(first, 200, 2900), 600, RATE) > 0.98)
  t.ok(toneShare(between(second, 200, 2900), 1500, RATE) > 0.9)
})

t.test('the file begins at the answer, also where the first media comes late', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  const agent = rig.sender('agent', 1500)
  rig.answer()
  rig.run(5000)
  t.equal(rig.opened, 0, 'no file before the first media')
  rig.run(1000, () => agent.send())
  const outcome = await rig.finish()
  t.ok(isNear(outcome.durationMs, 6000))
  const { caller, agent: heard } = decodeOpus(rig.sink.bytes)
  t.ok(rmsDb(between(heard, 0, 4980)) < -60)
  t.ok(toneShare(between(heard, 5050, 5950), 1500, RATE) > 0.95)
  t.ok(rmsDb(caller) < -60)
  t.same([outcome.verdict, outcome.reasons], ['partial', ['leg_silent']])
})

t.test('media that comes before the answer is not recorded, what comes after is', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  const caller = rig.sender('caller', 600)
  rig.run(4000, () => caller.send())
  rig.answer()
  rig.run(1000, () => caller.send())
  const outcome = await rig.finish()
  t.ok(isNear(outcome.durationMs, 1000))
  t.ok(toneShare(between(decodeOpus(rig.sink.bytes).caller, 20, 1000), 600, RATE) > 0.95)
})

t.test('long packets that come right after the answer are whole and in step', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  const agent = rig.sender('agent', 1500)
  rig.run(1000)
  rig.answer()
  const answeredAtMs = rig.clock.epochMs()
  // The caller's packets of 60 ms end when the agent's of 20 ms do.
  for (let packet = 0; packet < 30; packet++) {
    rig.receive(
      'caller',
      rtp({
        sequenceNumber: packet,
        timestamp: packet * 480,
        ssrc: 5,
        payload: toneBytes(600, packet * 480, 480),
      }),
    )
    rig.run(60, () => agent.send(agent.sequenceNumber < 65_020 ? { payload: QUIET } : {}))
  }
  const outcome = await rig.finish()
  t.equal(outcome.startedAtMs, answeredAtMs - 40)
  t.equal(outcome.callDurationMs, 1800)
  t.ok(isNear(outcome.durationMs, 1840))
  const heard = decodeOpus(rig.sink.bytes)
  t.ok(onsetMs(heard.caller) < 8, `the first word begins at ${onsetMs(heard.caller)} ms`)
  // Twenty quiet packets from the answer on.
  t.ok(Math.abs(onsetMs(heard.agent) - 440) < 8, `the agent begins at ${onsetMs(heard.agent)} ms`)
  t.ok(toneShare(between(heard.caller, 20, 1700), 600, RATE) > 0.98, 'and nothing is moved')
})

t.test('media that outruns the message of the answer is recorded from the answer on', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  const caller = rig.sender('caller', 600)
  rig.run(1000)
  const answeredAtMs = rig.clock.epochMs()
  rig.run(600, () => caller.send())
  rig.recording.answer(answeredAtMs)
  rig.run(400, () => caller.send())
  const outcome = await rig.finish()
  t.ok(isNear(outcome.durationMs, 1000))
  t.ok(toneShare(between(decodeOpus(rig.sink.bytes).caller, 40, 1000), 600, RATE) > 0.95)
})

t.test('a codec may change in mid-stream', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  const caller = rig.sender('caller', 600)
  rig.answer()
  rig.run(1000, () => caller.send())
  rig.run(1000, () => caller.send({ payloadType: 8 }, alaw))
  const outcome = await rig.finish()
  t.same(counted(outcome, 'caller'), { placed: 100 })
  t.ok(toneShare(between(decodeOpus(rig.sink.bytes).caller, 100, 1900), 600, RATE) > 0.98)
})

t.test('a hold is silence of its length, and what comes meanwhile is counted only', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  const caller = rig.sender('caller', 600)
  rig.answer()
  rig.run(1000, () => caller.send())
  rig.recording.updateStreams(BOTH.map((plan) => ({ ...plan, isReceiving: false })))
  rig.run(2000, () => caller.send())
  rig.recording.updateStreams(BOTH)
  rig.run(1000, () => caller.send())
  const outcome = await rig.finish()
  t.ok(isNear(outcome.durationMs, 4000))
  t.match(counted(outcome, 'caller'), { placed: 100, whileInactive: 100 })
  const { caller: heard } = decodeOpus(rig.sink.bytes)
  t.ok(toneShare(between(heard, 100, 950), 600, RATE) > 0.95)
  t.ok(rmsDb(between(heard, 1100, 2950)) < -60)
  t.ok(toneShare(between(heard, 3050, 3950), 600, RATE) > 0.95)
})

t.test('a stream that a re-offer does not name stops, and one that it adds is heard', async (t) => {
  const rig = new RecordingRig(t, [streamPlan('caller')])
  const caller = rig.sender('caller', 600)
  const agent = rig.sender('agent', 1500)
  rig.answer()
  rig.run(1000, () => caller.send())
  rig.recording.updateStreams([])
  rig.addStream(t, streamPlan('agent'))
  rig.run(1000, () => {
    caller.send()
    agent.send()
  })
  const outcome = await rig.finish()
  t.match(counted(outcome, 'caller'), { placed: 50, whileInactive: 50 })
  const heard = decodeOpus(rig.sink.bytes)
  t.ok(rmsDb(between(heard.caller, 1100, 2000)) < -60)
  t.ok(toneShare(between(heard.agent, 1100, 1950), 1500, RATE) > 0.95)
})

t.test('both parties in one stream lie on both channels', async (t) => {
  const rig = new RecordingRig(t, [streamPlan('mixed')])
  const mixed = rig.sender('mixed', 700)
  rig.answer()
  rig.run(2000, () => mixed.send())
  const outcome = await rig.finish()
  t.same([outcome.verdict, outcome.reasons], ['complete', ['mixed_stream']])
  const heard = decodeOpus(rig.sink.bytes)
  t.same(heard.caller, heard.agent)
  t.ok(toneShare(between(heard.agent, 100, 1900), 700, RATE) > 0.95)
})

t.test('two streams of one party are summed', async (t) => {
  const rig = new RecordingRig(t, [
    streamPlan('caller', { streamId: 'one' }),
    streamPlan('caller', { streamId: 'two' }),
  ])
  const one = rig.sender('one', 600)
  const two = rig.sender('two', 1500)
  rig.answer()
  rig.run(2000, () => {
    one.send()
    two.send()
  })
  await rig.finish()
  const { caller } = decodeOpus(rig.sink.bytes)
  t.ok(toneShare(between(caller, 100, 1900), 600, RATE) > 0.4)
  t.ok(toneShare(between(caller, 100, 1900), 1500, RATE) > 0.4)
})

t.test('every packet is in exactly one counter', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  const caller = rig.sender('caller', 600)
  rig.answer()
  rig.run(200, () => caller.send())
  const next = { sequenceNumber: caller.sequenceNumber, timestamp: caller.timestamp, ssrc: 7 }
  const datagrams = [
    Buffer.alloc(0),
    Buffer.from([0, 0]),
    Buffer.from([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, ...Array(12).fill(7)]),
    Buffer.from([0x10, 0, 0, 1, 0x5a, 0x52, 0x54, 0x50]),
    Buffer.from([22, 254, 253, 0]),
    Buffer.from([64, 0, 0, 0]),
    Buffer.from([0x80, 200, 0, 1, 0, 0, 0, 7]),
    Buffer.from([0x80, 0, 0]),
    rtp({ ...next, payloadType: 99 }),
    rtp({ ...next, payloadType: 101, payload: Buffer.from([5, 10, 0, 160]) }),
    rtp({
      ...next,
      sequenceNumber: next.sequenceNumber + 1,
      payloadType: 13,
      payload: Buffer.of(60),
    }),
    rtp({ ...next, sequenceNumber: next.sequenceNumber + 2, payload: Buffer.of(60) }),
    rtp({ ...next, sequenceNumber: next.sequenceNumber + 3, payload: Buffer.alloc(0) }),
    rtp({ ...next, sequenceNumber: next.sequenceNumber + 4, payload: Buffer.alloc(4000) }),
    rtp({ ...next, sequenceNumber: next.sequenceNumber + 4 }),
  ]
  for (const datagram of datagrams) rig.receive('caller', datagram)
  rig.receive('caller', rtp(next), { address: '203.0.113.9', port: 9 })
  const outcome = await rig.finish()
  t.same(counted(outcome, 'caller'), {
    placed: 10,
    keepAlive: 3,
    stun: 1,
    zrtp: 1,
    dtls: 1,
    notRtp: 3,
    rtcp: 1,
    wrongPayloadType: 1,
    events: 1,
    comfortNoise: 2,
    duplicate: 1,
    wrongSource: 1,
  })
})

t.test('packets that were held until their source was sure are not lost', async (t) => {
  const rig = new RecordingRig(t, [
    streamPlan('caller', { remote: undefined }),
    streamPlan('agent'),
  ])
  const caller = rig.sender('caller', 600, 1)
  const other = rig.sender('caller', 600, 2)
  rig.answer()
  rig.run(1000, () => caller.send())
  rig.run(1000, () => other.send())
  const outcome = await rig.finish()
  t.same(counted(outcome, 'caller'), { placed: 100, ssrcChanges: 1 })
})

t.test('loss is told by channel and place', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  const agent = rig.sender('agent', 1500)
  rig.answer()
  rig.run(1000, () => agent.send())
  agent.sequenceNumber += 5
  agent.timestamp += 800
  rig.run(100)
  rig.run(2000, () => agent.send())
  const outcome = await rig.finish()
  t.equal(outcome.lostMs, 100)
  t.equal(outcome.lossMap.length, 1)
  t.match(outcome.lossMap[0], { channel: 1, lengthMs: 100 })
  t.ok(Math.abs((outcome.lossMap[0]?.fromMs ?? 0) - 1000) <= 2)
  t.match(counted(outcome, 'agent'), { lostPackets: 5 })
})

t.test('a packet that had begun when the call ended is kept whole', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  const caller = rig.sender('caller', 600)
  rig.answer()
  rig.run(1000, () => caller.send())
  caller.send()
  rig.clock.advance(5)
  const outcome = await rig.finish()
  t.equal(outcome.callDurationMs, 1005)
  t.ok(outcome.durationMs >= 1018 && outcome.durationMs <= 1025, `${outcome.durationMs} ms`)
  t.equal(decodeOpus(rig.sink.bytes).caller.length, outcome.durationMs * 48)
})

t.test(
  'the last packet before the end is recorded, whatever their clocks make of a millisecond',
  async (t) => {
    const rig = new RecordingRig(t, BOTH)
    const caller = rig.sender('caller', 600)
    rig.answer()
    rig.run(1000, () => caller.send())
    caller.send()
    rig.recording.end(rig.clock.epochMs() - 1, [])
    const outcome = await rig.recording.finish()
    t.same(counted(outcome, 'caller'), { placed: 51 })
    t.ok(outcome.durationMs >= 1018 && outcome.durationMs <= 1025, `${outcome.durationMs} ms`)
  },
)

t.test('what comes after the end is not recorded', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  const caller = rig.sender('caller', 600)
  rig.answer()
  rig.run(1000, () => caller.send())
  rig.recording.end(rig.clock.epochMs() - 5, [])
  rig.run(200, () => caller.send())
  const outcome = await rig.recording.finish()
  t.ok(outcome.durationMs <= 1005)
  t.match(counted(outcome, 'caller'), { placed: 50, late: 10 })
})

t.test('no media makes no file', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  rig.answer()
  rig.run(2000)
  t.match(await rig.finish(), {
    verdict: 'silent',
    reasons: ['no_media'],
    durationMs: 0,
    callDurationMs: 2000,
    bytes: 0,
    sha256: null,
  })
  t.equal(rig.opened, 0)
})

t.test('a call that was never answered has no length', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  rig.run(2000)
  t.match(await rig.finish(), { verdict: 'silent', callDurationMs: 0, bytes: 0 })
})

t.test('a quiet line is written in little and stays quiet; what follows is whole', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  const caller = rig.sender('caller', 600)
  rig.answer()
  rig.run(1000, () => caller.send())
  rig.run(5000, () => caller.send({ payload: new Uint8Array(160).fill(0xfe) }))
  const before = rig.sink.bytes.length
  rig.run(1000, () => caller.send())
  await rig.finish()
  t.ok(before < 8000, `${before} bytes`)
  const { caller: heard } = decodeOpus(rig.sink.bytes)
  t.ok(rmsDb(between(heard, 1500, 5900)) < -60)
  t.ok(toneShare(between(heard, 6005, 6050), 600, RATE) > 0.9, 'from its first moment on')
})

t.test('a full disk ends the file and not the call', async (t) => {
  const rig = new RecordingRig(t, BOTH, { sink: new MemorySink(5) })
  const caller = rig.sender('caller', 600)
  rig.answer()
  rig.run(5000, () => caller.send())
  const outcome = await rig.finish()
  t.equal(rig.recording.stopReason, 'disk_full')
  t.equal(rig.recording.fileProblem, 'no space left')
  t.match(outcome, { verdict: 'partial', callDurationMs: 5000 })
  t.ok(outcome.reasons.includes('disk_full'))
  t.ok(outcome.durationMs < 2000)
})

t.test('a disk that takes nothing is a failure', async (t) => {
  const rig = new RecordingRig(t, BOTH, { sink: new MemorySink(0) })
  const caller = rig.sender('caller', 600)
  rig.answer()
  rig.run(2000, () => caller.send())
  t.match(await rig.finish(), { verdict: 'failed', reasons: ['disk_full'], sha256: null })
})

t.test('a recording that failed keeps what it had', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  const caller = rig.sender('caller', 600)
  rig.answer()
  rig.run(2000, () => caller.send())
  rig.recording.fail(new Error('broken'))
  rig.run(1000, () => caller.send())
  const outcome = await rig.finish()
  t.equal(outcome.verdict, 'partial')
  t.ok(outcome.reasons.includes('engine_failed'))
  t.equal(outcome.durationMs, 1500)
})

t.test(
  'a crash costs what is held back and a batch, and no more than a slot besides',
  async (t) => {
    const rig = new RecordingRig(t, BOTH)
    const caller = rig.sender('caller', 600)
    const startedAtMs = rig.clock.monotonicMs()
    rig.answer()
    const costsMs: number[] = []
    rig.run(10_000, () => {
      caller.send()
      const page = rig.sink.pages.at(-1)
      const writtenMs = page === undefined ? 0 : granulePositionOf(page) / 48
      costsMs.push(rig.clock.monotonicMs() - startedAtMs - writtenMs)
    })
    const mostMs = Math.max(...costsMs.slice(50))
    t.ok(mostMs <= 500 + 100 + 20, `${mostMs} ms`)
    t.ok(rig.sink.pages.length < 100, 'a page for each batch')
  },
)

t.test('an engine that was held up for seconds loses nothing of what waits', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  const [caller, agent] = [rig.sender('caller', 600), rig.sender('agent', 1500, 8)]
  const both = () => {
    caller.send()
    agent.send()
  }
  rig.answer()
  rig.run(3000, both)
  rig.clock.advance(6000)
  rig.heldUpMs = 6000
  for (let packet = 0; packet < 300; packet++) both()
  rig.heldUpMs = 0
  rig.run(3000, both)
  const outcome = await rig.finish()
  t.match(outcome, { verdict: 'complete', reasons: [], lostMs: 0 })
  t.match(outcome.streams, [
    { placed: 600, late: 0, reanchored: 0 },
    { placed: 600, late: 0, reanchored: 0 },
  ])
  t.ok(isNear(outcome.durationMs, 12_000), `${outcome.durationMs} ms`)
  const heard = decodeOpus(rig.sink.bytes)
  for (let at = 2400; at + 4800 <= heard.caller.length; at += 4800) {
    const to = at + 4800
    t.ok(toneShare(heard.caller.subarray(at, to), 600, 48_000) > 0.9, `caller at ${at / 48} ms`)
    t.ok(toneShare(heard.agent.subarray(at, to), 1500, 48_000) > 0.9, `agent at ${at / 48} ms`)
  }
})

t.test('what it cannot hold of that is lost, and told', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  const [caller, agent] = [rig.sender('caller', 600), rig.sender('agent', 1500, 8)]
  const both = () => {
    caller.send()
    agent.send()
  }
  rig.answer()
  rig.run(3000, both)
  rig.clock.advance(14_000)
  rig.heldUpMs = 14_000
  for (let packet = 0; packet < 700; packet++) both()
  rig.heldUpMs = 0
  rig.run(3000, both)
  const outcome = await rig.finish()
  const [{ placed = 0, late = 0 } = {}] = outcome.streams
  t.equal(placed + late, 1000)
  t.ok(late > 100 && late < 150, `${late} packets`)
  t.equal(outcome.lostMs, 2 * late * 20)
  t.equal(outcome.verdict, 'partial')
})

t.test('levels of a live recording are those of its channels', async (t) => {
  const rig = new RecordingRig(t, BOTH)
  const caller = rig.sender('caller', 600)
  rig.answer()
  rig.run(1000, () => caller.send())
  const live = rig.recording.live()
  t.equal(live.durationMs, 500)
  t.ok(Math.abs(live.levelsDb[0] - -15.3) < 0.5, `${live.levelsDb[0]} dBFS`)
  t.equal(live.levelsDb[1], -100)
  await rig.finish()
})

t.test('a sender that counts on during a hold has lost nothing', async (t) => {
  for (const sendsOn of [false, true]) {
    const rig = new RecordingRig(t, BOTH)
    const caller = rig.sender('caller', 600)
    rig.answer()
    rig.run(1000, () => caller.send())
    rig.recording.updateStreams(BOTH.map((plan) => ({ ...plan, isReceiving: false })))
    rig.run(3000, () => {
      if (sendsOn) caller.send()
      else {
        caller.sequenceNumber++
        caller.timestamp += 160
      }
    })
    rig.recording.updateStreams(BOTH)
    rig.run(1000, () => caller.send())
    const { lostMs, durationMs, streams } = await rig.finish()
    t.equal(lostMs, 0, sendsOn ? 'sent on' : 'silent')
    t.ok(Math.abs(durationMs - 5000) < 60, `${durationMs} ms`)
    t.equal(streams[0]?.lostPackets, 0)
  }
})
