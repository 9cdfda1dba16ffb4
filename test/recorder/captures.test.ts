import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { readCapture } from '../../cli/replay/read-capture.ts'
import type { ReplaySession } from '../../cli/replay/replay-session.ts'
import type { StreamPlan } from '../../recorder/recording-plan.ts'
import { RtpPacket } from '../../recorder/rtp-packet.ts'
import { KeyPresses } from '../../recorder/telephone-event.ts'
import { decodeOpus } from './opus-file.ts'
import { RecordingRig, streamPlan } from './recording-rig.ts'
import { toneShare } from './tones.ts'

const RATE = 48_000
const SIP_TESTER = '/usr/share/sip-tester'

/** A capture of a real call, read where its package keeps it. */
function packaged(name: string): string {
  const manifest = createRequire(import.meta.url).resolve('@babblevoice/projectrtp/package.json')
  return join(dirname(manifest), 'test', 'interface', 'pcaps', `${name}.pcap`)
}

function sessionOf(path: string, number = 1): ReplaySession {
  const { sessions, notes } = readCapture(path, { sdpPath: undefined, chosen: undefined })
  const session = sessions[number - 1]
  if (session === undefined) throw new Error(`${path} holds no session ${number}: ${notes.join()}`)
  return session
}

/** The keys that were pressed in a stream. */
function keysOf(session: ReplaySession, stream: number): string {
  const presses = new KeyPresses()
  const packet = new RtpPacket()
  let keys = ''
  for (const { payload } of session.streams[stream]?.packets ?? []) {
    if (!packet.read(payload) || packet.payloadType !== 101) continue
    keys += presses.hear(packet.timestamp, payload.subarray(packet.payloadOffset)) ?? ''
  }
  return keys
}

/** Records a session in its own time on a clock of its own: its streams become the caller and the agent. */
async function record(t: Test, session: ReplaySession, fields: Partial<StreamPlan> = {}) {
  const roles = ['caller', 'agent'] as const
  const streams = session.streams.map(({ from, packets }, index) => ({
    plan: streamPlan(roles[index] ?? 'agent', { ...fields, remote: from }),
    packets,
  }))
  const rig = new RecordingRig(
    t,
    streams.map(({ plan }) => plan),
  )
  rig.answer()
  const packets = streams
    .flatMap(({ plan, packets }) => packets.map((packet) => ({ ...packet, id: plan.streamId })))
    .sort((a, b) => a.atMs - b.atMs)
  const startMs = session.startMs
  for (const { atMs, payload, id } of packets) {
    rig.clock.advance(Math.max(0, atMs - startMs - rig.clock.monotonicMs()))
    rig.recording.advance(Math.floor((rig.clock.monotonicMs() - 500) * 8))
    rig.receive(id, payload)
  }
  const outcome = await rig.finish()
  return { outcome, file: rig.sink.bytes }
}

/** Where nothing at all is to be heard for so long, milliseconds: the longest such stretch. */
function longestSilence(samples: Int16Array): { fromMs: number; lengthMs: number } {
  let longest = { from: 0, length: 0 }
  let from = 0
  for (let at = 0; at <= samples.length; at++) {
    if (at < samples.length && Math.abs(samples[at] ?? 0) <= 2) continue
    if (at - from > longest.length) longest = { from, length: at - from }
    from = at + 1
  }
  const perMs = RATE / 1000
  return { fromMs: longest.from / perMs, lengthMs: longest.length / perMs }
}

t.test(
  'real calls are recorded whole, and the keys in them read as they were pressed',
  async (t) => {
    for (const [name, keys, lengthMs, number] of [
      ['dtmf3presses', '111', 23_930, 1],
      ['dtmfcapture1', '2', 7120, 1],
      ['sinora', '22222', 16_190, 2],
      ['ivr_dtmf_issue_9_1_9_9_3', '91993311112', 46_310, 1],
    ] as const) {
      const session = sessionOf(packaged(name), number)
      t.equal(keysOf(session, 0) + keysOf(session, 1), keys, name)
      const { outcome } = await record(t, session)
      t.match(outcome, { verdict: 'complete', reasons: [], lostMs: 0 }, name)
      t.ok(Math.abs(outcome.durationMs - lengthMs) < 60, `${name}: ${outcome.durationMs} ms`)
      const counted = outcome.streams.map(({ placed, events, late, duplicate }) => ({
        all: placed + events,
        late,
        duplicate,
      }))
      t.same(
        counted,
        session.streams.map(({ facts }) => ({ all: facts.packets, late: 0, duplicate: 0 })),
        name,
      )
    }
  },
)

t.test(
  'a pause of 9.68 s that no number and no timestamp tells is silence of that length',
  async (t) => {
    const session = sessionOf(packaged('ivr_dtmf_issue_9_1_9_9_3'))
    const { outcome, file } = await record(t, session)
    t.match(outcome, { verdict: 'complete', lostMs: 0 })
    const { fromMs, lengthMs } = longestSilence(decodeOpus(file).caller)
    const times = (session.streams[0]?.packets ?? []).map(({ atMs }) => atMs - session.startMs)
    const after = times.findIndex((atMs, index) => atMs - (times[index - 1] ?? atMs) > 9000)
    const [lastMs = 0, nextMs = 0] = times.slice(after - 1, after + 1)
    t.ok(Math.abs(nextMs - lastMs - 9680) < 10, `${(nextMs - lastMs).toFixed(1)} ms`)
    // A packet's audio ends 20 ms after it came. Around the pause the line is quiet for most of a second.
    t.ok(fromMs < lastMs + 40 && fromMs > lastMs - 1000, `from ${fromMs.toFixed(0)} ms`)
    const toMs = fromMs + lengthMs
    t.ok(toMs > nextMs - 20 && toMs < nextMs + 1000, `to ${toMs.toFixed(0)} ms`)
  },
)

t.test('a tone of 440 Hz in G.722 is one of 440 Hz', async (t) => {
  const session = sessionOf(packaged('440hzinbackgroundg722'))
  const formats = [{ payloadType: 9, codec: 'G722', clockRate: 8000 }] as const
  const { outcome, file } = await record(t, session, { formats })
  t.match(outcome, { reasons: ['leg_silent'], lostMs: 0 })
  t.ok(Math.abs(outcome.durationMs - 7860) < 60, `${outcome.durationMs} ms`)
  const { caller, rate } = decodeOpus(file, 16_000)
  // It is a noisy line, and somebody speaks over the tone: it shows in the sum of many short spectra.
  const windows = Array.from({ length: 70 }, (_, index) =>
    caller.subarray((index * rate) / 10, (index * rate) / 10 + rate / 20),
  )
  const at = (hertz: number) =>
    windows.reduce((sum, window) => sum + toneShare(window, hertz, rate), 0)
  const bands = Array.from({ length: 31 }, (_, index) => 200 + index * 20)
  const loudest = bands.toSorted((a, b) => at(b) - at(a))[0] ?? 0
  t.ok(Math.abs(loudest - 440) <= 20, `${loudest} Hz`)
})

t.test(
  'packets of 30 ms and key presses without audio',
  { skip: !existsSync(SIP_TESTER) },
  async (t) => {
    const session = sessionOf(join(SIP_TESTER, 'g711a.pcap'))
    const { outcome } = await record(t, session)
    t.match(outcome, { lostMs: 0, streams: [{ placed: 236, late: 0, duplicate: 0 }] })
    t.ok(Math.abs(outcome.durationMs - 7080) < 60, `${outcome.durationMs} ms`)
    for (const [name, key] of [
      ['0', '0'],
      ['5', '5'],
      ['9', '9'],
      ['star', '*'],
      ['pound', '#'],
    ]) {
      t.equal(keysOf(sessionOf(join(SIP_TESTER, `dtmf_2833_${name}.pcap`)), 0), key)
    }
  },
)
