import t from 'tap'
import { decodeOpus } from './opus-file.ts'
import { RecordingRig, streamPlan } from './recording-rig.ts'
import { rtp } from './rtp.ts'
import { rmsDb, toneBytes, toneShare } from './tones.ts'

/** The call's own source is 192.0.2.1:4000, and its SSRC 7. */
const STRANGERS = [
  // Has guessed the SSRC.
  { address: '203.0.113.9', port: 4000, ssrc: 7 },
  // Sits behind the same NAT.
  { address: '192.0.2.1', port: 5004, ssrc: 7 },
  { address: '203.0.113.10', port: 6000, ssrc: 9 },
]

for (const isSilentFirst of [false, true]) {
  const when = isSilentFirst ? 'while the caller is silent' : 'while the caller speaks'
  t.test(`nothing that third parties send ${when} is heard, and all is counted`, async (t) => {
    const rig = new RecordingRig(t, [streamPlan('caller')])
    rig.answer()
    const caller = rig.sender('caller', 440, 7)
    caller.send()
    let injected = 0
    const inject = (step: number) => {
      for (const { ssrc, ...from } of STRANGERS) {
        const payload = toneBytes(1000, step * 160, 160)
        const sequenceNumber = caller.sequenceNumber + step
        rig.receive(
          'caller',
          rtp({ ssrc, sequenceNumber, timestamp: caller.timestamp, payload }),
          from,
        )
        injected += 1
      }
    }
    let step = 0
    if (isSilentFirst) rig.run(2_000, () => inject(step++))
    rig.run(4_000, () => {
      caller.send()
      inject(step++)
    })
    const outcome = await rig.finish()
    t.match(outcome.streams[0], { wrongSource: injected, lostPackets: 0 })
    const { caller: heard } = decodeOpus(rig.sink.bytes)
    const spoken = heard.subarray(isSilentFirst ? 2_500 * 48 : 500 * 48, heard.length - 500 * 48)
    t.ok(toneShare(spoken, 440, 48_000) > 0.95)
    t.ok(toneShare(heard, 1000, 48_000) < 0.01)
  })
}

t.test(
  'who speaks first behind a NAT is displaced by the signalled source, and then keeps out',
  async (t) => {
    const rig = new RecordingRig(t, [streamPlan('caller')])
    rig.answer()
    const [stranger] = STRANGERS
    for (let at = 0; at < 25; at += 1) {
      const packet = rtp({
        ssrc: 5,
        sequenceNumber: at,
        timestamp: at * 160,
        payload: toneBytes(1000, at * 160, 160),
      })
      rig.receive('caller', packet, stranger)
      rig.run(20)
    }
    const caller = rig.sender('caller', 440, 7)
    rig.run(3_000, () => {
      caller.send()
      rig.receive(
        'caller',
        rtp({ ssrc: 5, sequenceNumber: 900, payload: toneBytes(1000, 0, 160) }),
        stranger,
      )
    })
    const outcome = await rig.finish()
    // The first packet of the caller's makes it a candidate, the second one the source.
    t.match(outcome.streams[0], { wrongSource: 149, placed: 176 })
    const { caller: heard } = decodeOpus(rig.sink.bytes)
    const spoken = heard.subarray(48 * 1_000, heard.length - 48 * 500)
    t.ok(toneShare(spoken, 1000, 48_000) < 0.01)
    t.ok(rmsDb(spoken) > -20)
  },
)
