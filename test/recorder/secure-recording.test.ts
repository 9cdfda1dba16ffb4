import t from 'tap'
import type { EngineSettings } from '../../recorder/engine-protocol.ts'
import type { RecordingOutcome } from '../../recorder/recording-plan.ts'
import { PacketSealer } from '../../recorder/srtp/packet-sealer.ts'
import type { SrtpKeying } from '../../recorder/srtp/srtp-plan.ts'
import { RecordingRig, SETTINGS, streamPlan } from './recording-rig.ts'
import { rtp } from './rtp.ts'
import { keying } from './srtp/keying.ts'
import { toneBytes } from './tones.ts'

const SUITE = 'AES_CM_128_HMAC_SHA1_80'
const srtp = { receive: keying(SUITE, 1), send: keying(SUITE, 2) }

/** A sender of a tone whose packets are protected. */
function sealedSender(rig: RecordingRig, sealer: PacketSealer) {
  let sent = 0
  const next = () => {
    const packet = sealer.sealRtp(
      rtp({
        sequenceNumber: 65_500 + sent,
        timestamp: sent * 160,
        payload: toneBytes(600, sent++ * 160, 160),
      }),
    )
    return Buffer.from(packet ?? [])
  }
  return { next, send: () => rig.receive('caller', next()) }
}

function countersOf({ streams }: RecordingOutcome, streamId = 'caller') {
  return streams.find((stream) => stream.streamId === streamId)
}

t.test('protected media is recorded, through the wrap of its numbers', async (t) => {
  const rig = new RecordingRig(t, [streamPlan('caller', { srtp }), streamPlan('agent')])
  const caller = sealedSender(rig, new PacketSealer(srtp.receive))
  const agent = rig.sender('agent', 1500)
  rig.answer()
  rig.run(3000, () => {
    caller.send()
    agent.send()
  })
  const outcome = await rig.finish()
  t.match(outcome, { verdict: 'complete', reasons: [], lostMs: 0 })
  t.match(countersOf(outcome), { placed: 150, unauthenticated: 0, replayed: 0 })
})

t.test('what is tampered with, forged, cut or sent again is counted and never heard', async (t) => {
  const rig = new RecordingRig(t, [streamPlan('caller', { srtp }), streamPlan('agent')])
  const caller = sealedSender(rig, new PacketSealer(srtp.receive))
  const forger = sealedSender(rig, new PacketSealer(srtp.send))
  const agent = rig.sender('agent', 1500)
  rig.answer()
  rig.run(2000, () => {
    const packet = caller.next()
    const changed = Buffer.from(packet)
    changed[40] = (changed[40] ?? 0) ^ 1
    rig.receive('caller', changed)
    rig.receive('caller', Buffer.from(packet))
    rig.receive('caller', Buffer.from(packet))
    rig.receive('caller', Buffer.from(packet.subarray(0, 20)))
    rig.receive('caller', Buffer.from('81c9000100000001', 'hex'))
    forger.send()
    agent.send()
  })
  const outcome = await rig.finish()
  t.match(outcome, { verdict: 'complete', reasons: [], lostMs: 0 })
  t.match(countersOf(outcome), {
    placed: 100,
    // A forgery in the place of a packet that came counts as one more of it.
    replayed: 200,
    unauthenticated: 100,
    notRtp: 200,
    longestUnauthenticatedRun: 1,
    rtcp: 0,
  })
})

t.test('a leg of a wrong key fails the recording, or a part of it', async (t) => {
  const plans = [streamPlan('caller', { srtp }), streamPlan('agent')]
  const alone = new RecordingRig(t, plans)
  const wrong = sealedSender(alone, new PacketSealer(keying(SUITE, 9)))
  alone.answer()
  alone.run(2000, wrong.send)
  const none = await alone.finish()
  t.match(none, { verdict: 'failed', reasons: ['unauthenticated_media', 'no_media'] })
  t.match(countersOf(none), { unauthenticated: 100, longestUnauthenticatedRun: 100 })

  const rig = new RecordingRig(t, plans)
  const half = sealedSender(rig, new PacketSealer(keying(SUITE, 9)))
  const agent = rig.sender('agent', 1500)
  rig.answer()
  rig.run(2000, () => {
    half.send()
    agent.send()
  })
  const outcome = await rig.finish()
  t.match(outcome, { verdict: 'partial', reasons: ['unauthenticated_media', 'leg_silent'] })
})

t.test('a party whose key comes late is heard from half a second before it on', async (t) => {
  const waiting = { receive: undefined, send: srtp.send }
  const plan = (fields: object) => [streamPlan('caller', fields), streamPlan('agent')]
  const rig = new RecordingRig(t, plan({ srtp: waiting }))
  const caller = sealedSender(rig, new PacketSealer(srtp.receive))
  const agent = rig.sender('agent', 1500)
  rig.answer()
  rig.run(1200, () => {
    caller.send()
    agent.send()
  })
  rig.recording.updateStreams(plan({ srtp }))
  rig.run(2000, () => {
    caller.send()
    agent.send()
  })
  const outcome = await rig.finish()
  t.match(outcome, { verdict: 'complete', reasons: [] })
  t.match(countersOf(outcome), { placed: 125, unauthenticated: 35, longestUnauthenticatedRun: 0 })
})

t.test('a party whose key never comes is not held against the recording', async (t) => {
  const waiting = { receive: undefined, send: srtp.send }
  const rig = new RecordingRig(t, [streamPlan('caller', { srtp: waiting }), streamPlan('agent')])
  const caller = sealedSender(rig, new PacketSealer(srtp.receive))
  const agent = rig.sender('agent', 1500)
  rig.answer()
  rig.run(2000, () => {
    caller.send()
    agent.send()
  })
  const outcome = await rig.finish()
  t.match(outcome.reasons, ['leg_silent'])
  t.match(countersOf(outcome), { placed: 0, unauthenticated: 100, longestUnauthenticatedRun: 0 })
})

t.test('a re-offer with another key loses nothing', async (t) => {
  const rig = new RecordingRig(t, [streamPlan('caller', { srtp }), streamPlan('agent')])
  const agent = rig.sender('agent', 1500)
  const clear = (at: number) =>
    rtp({ sequenceNumber: at, timestamp: at * 160, payload: toneBytes(600, at * 160, 160) })
  const [before, after] = [new PacketSealer(srtp.receive), new PacketSealer(keying(SUITE, 3))]
  rig.answer()
  let sent = 0
  const send = (sealer: PacketSealer) => {
    rig.receive('caller', Buffer.from(sealer.sealRtp(clear(sent++)) ?? []))
    agent.send()
  }
  rig.run(1000, () => send(before))
  rig.recording.updateStreams([
    streamPlan('caller', { srtp: { ...srtp, receive: keying(SUITE, 3) } }),
    streamPlan('agent'),
  ])
  rig.run(400, () => send(before))
  rig.run(1600, () => send(after))
  const outcome = await rig.finish()
  t.match(outcome, { verdict: 'complete', lostMs: 0 })
  t.match(countersOf(outcome), { placed: 150, unauthenticated: 0 })
})

/** The keys of a peer, of which each may protect so many packets. */
function mortal(fill: number, lifetime: number) {
  const keys = keying(SUITE, fill)
  return { ...keys, keys: keys.keys.map((key) => ({ ...key, lifetime })) }
}

t.test('a key that has protected as many packets as it may is heard no more', async (t) => {
  const plans = [
    streamPlan('caller', { srtp: { ...srtp, receive: mortal(1, 75) } }),
    streamPlan('agent'),
  ]
  const record = async (settings: EngineSettings) => {
    const rig = new RecordingRig(t, plans, { settings })
    const caller = sealedSender(rig, new PacketSealer(srtp.receive))
    const agent = rig.sender('agent', 1500)
    rig.answer()
    rig.run(3000, () => {
      caller.send()
      agent.send()
    })
    return rig.finish()
  }
  const kept = await record(SETTINGS)
  t.match(kept, { verdict: 'partial', reasons: ['key_expired'] })
  t.match(countersOf(kept), { placed: 75, keyExpired: 75, keyOutlived: 0, unauthenticated: 0 })

  const taken = await record({ ...SETTINGS, takesExpiredKeys: true })
  t.match(taken, { verdict: 'complete', reasons: ['key_expired'], lostMs: 0 })
  t.match(countersOf(taken), { placed: 150, keyExpired: 0, keyOutlived: 75 })
})

t.test('a peer that gives another key before its last one is used up loses nothing', async (t) => {
  const plan = (receive: SrtpKeying) => [
    streamPlan('caller', { srtp: { ...srtp, receive } }),
    streamPlan('agent'),
  ]
  const rig = new RecordingRig(t, plan(mortal(1, 50)))
  const agent = rig.sender('agent', 1500)
  let sent = 65_500
  const send = (sealer: PacketSealer) => {
    const packet = rtp({
      sequenceNumber: sent,
      timestamp: sent * 160,
      payload: toneBytes(600, sent++ * 160, 160),
    })
    rig.receive('caller', Buffer.from(sealer.sealRtp(packet) ?? []))
    agent.send()
  }
  rig.answer()
  for (const fill of [1, 3, 4]) {
    const sealer = new PacketSealer(keying(SUITE, fill))
    // Told while the last one is still in use.
    rig.run(800, () => send(sealer))
    rig.recording.updateStreams(plan(mortal(fill === 1 ? 3 : 4, 50)))
    rig.run(200, () => send(sealer))
  }
  const outcome = await rig.finish()
  t.match(outcome, { verdict: 'complete', reasons: [], lostMs: 0 })
  t.match(countersOf(outcome), { placed: 150, keyExpired: 0, unauthenticated: 0 })
})
