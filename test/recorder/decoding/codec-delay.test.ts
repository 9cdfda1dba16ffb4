import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { SystemClock } from '../../../base/clock.ts'
import { payloadUses } from '../../../recorder/payload-use.ts'
import { RtpPacket } from '../../../recorder/rtp-packet.ts'
import { RtpReceiver } from '../../../recorder/rtp-receiver.ts'
import { StreamTally } from '../../../recorder/stream-tally.ts'
import { LEAD_IN_SAMPLES, TimelineLeg } from '../../../recorder/timeline-leg.ts'
import { decoderProcesses, streamPlan } from '../recording-rig.ts'
import { rtp } from '../rtp.ts'
import { decoderProcessIds } from './child-processes.ts'
import { lagOf, NOISE, type NoisePayloads } from './delayed-codecs.ts'
import { TONES } from './tone-senders.ts'

/** A leg that is sent noise which begins at the timeline's zero, on clocks of its own. */
class NoiseLeg {
  readonly tally = new StreamTally()
  readonly leg = new TimelineLeg(-LEAD_IN_SAMPLES, (_at, length) => {
    this.lost += length
  })
  readonly heard = new Int16Array(8000)
  lost = 0
  #sequenceNumber = 65_530
  #timestamp = 2 ** 32 - 1000
  readonly #receiver: RtpReceiver

  constructor(t: Test, formats: readonly NoisePayloads['format'][]) {
    const clock = new SystemClock()
    const processes = decoderProcesses(clock)
    t.teardown(() => processes.close())
    const { leg, tally } = this
    const uses = payloadUses(streamPlan('caller', { formats }))
    this.#receiver = new RtpReceiver({ leg, tally, uses, processes, clock })
    leg.startAt(0)
  }

  /** Sends what is said from one time to another, each packet 20 ms before its sound is to stand. */
  async send(
    { format: { payloadType }, payloads, step, packetMs }: NoisePayloads,
    [fromMs, toMs]: readonly [number, number],
  ): Promise<void> {
    const packet = new RtpPacket()
    for (let ms = fromMs; ms + packetMs <= toMs; ms += packetMs) {
      packet.read(
        rtp({
          payloadType,
          payload: payloads[ms / packetMs] ?? new Uint8Array(0),
          sequenceNumber: this.#sequenceNumber++ & 0xffff,
          timestamp: this.#timestamp % 2 ** 32,
          ssrc: 9,
        }),
      )
      this.#timestamp += step
      this.#receiver.receive(packet, ms + packetMs - 20)
    }
    while (this.#receiver.isDecoding) await wait(1)
  }

  /** Takes all slots. */
  take(): void {
    const { leg, heard } = this
    leg.discardBefore(0)
    while (leg.base < heard.length) {
      const at = leg.base
      leg.take()
      for (let index = 0; index < 160; index++) {
        heard[at + index] = leg.slot[index * leg.density] ?? 0
      }
    }
  }
}

t.test('what is decoded here stands where it was said, to the sample', async (t) => {
  for (const name of ['PCMU', 'L16', 'G726-32', 'G722', 'OPUS', 'OPUS_60'] as const) {
    const noise = NOISE[name]()
    const caller = new NoiseLeg(t, [noise.format])
    await caller.send(noise, [0, 960])
    caller.take()
    const lag = lagOf(caller.heard, { at: 2400, length: 4000 })
    t.ok(Math.abs(lag) < 0.6, `${name}: ${lag.toFixed(2)} samples late`)
    t.equal(caller.tally.placed, noise.payloads.length - (name === 'OPUS_60' ? 0 : 2))
  }
})

t.test('what a process decodes stands there too, also after it was killed', async (t) => {
  for (const name of ['GSM', 'AMR', 'AMR-WB'] as const) {
    const noise = NOISE[name]()
    const caller = new NoiseLeg(t, [noise.format])
    await caller.send(noise, [0, 400])
    for (const pid of decoderProcessIds()) process.kill(pid, 'SIGKILL')
    await caller.send(noise, [400, 960])
    caller.take()
    for (const at of [800, 4000]) {
      const lag = lagOf(caller.heard, { at, length: 2400 })
      t.ok(Math.abs(lag) < 1, `${name} at ${at / 8} ms: ${lag.toFixed(2)} samples late`)
    }
    t.equal(caller.tally.placed, 48)
  }
})

t.test('tones of codecs without an encoder here are in phase', async (t) => {
  const formats = {
    G729: { payloadType: 18, codec: 'G729', clockRate: 8000 },
    ILBC_20: { payloadType: 98, codec: 'ILBC', clockRate: 8000 },
    ILBC_30: { payloadType: 98, codec: 'ILBC', clockRate: 8000 },
  } as const
  for (const name of ['G729', 'ILBC_20', 'ILBC_30'] as const) {
    const caller = new NoiseLeg(t, [formats[name]])
    await caller.send({ ...TONES[name](), format: formats[name] }, [0, 960])
    caller.take()
    const period = 8000 / 440
    const late = phaseOf(caller.heard.subarray(4000, 6000), 440) - (4000 % period)
    const lag = late - period * Math.round(late / period)
    // Filters against hum and rumble have a tone of 440 Hz come a little early.
    t.ok(Math.abs(lag) < 2, `${name}: ${lag.toFixed(2)} samples`)
  }
})

t.test('a codec that changes takes nothing out of step', async (t) => {
  const codecs = [NOISE.PCMU, NOISE.OPUS_60, NOISE.PCMU, NOISE.G722, NOISE.AMR, NOISE.PCMU]
  const noises = codecs.map((noise) => noise())
  const caller = new NoiseLeg(t, [...new Set(noises.map(({ format }) => format))])
  const phaseMs = 120
  for (const [index, noise] of noises.entries()) {
    await caller.send(noise, [index * phaseMs, (index + 1) * phaseMs])
  }
  caller.take()
  for (const [index, { format }] of noises.entries()) {
    const at = index * phaseMs * 8 + 240
    const lag = lagOf(caller.heard, { at, length: phaseMs * 8 - 320 })
    t.ok(Math.abs(lag) < 1, `${index}, ${format.codec}: ${lag.toFixed(2)} samples late`)
  }
  t.equal(caller.lost, 0)
})

/** How many samples before it begins a sine of so many hertz was at 0 and rose. */
function phaseOf(samples: Int16Array, hertz: number): number {
  let sine = 0
  let cosine = 0
  for (const [index, sample] of samples.entries()) {
    const angle = (2 * Math.PI * hertz * index) / 8000
    sine += sample * Math.sin(angle)
    cosine += sample * Math.cos(angle)
  }
  return (Math.atan2(cosine, sine) / (2 * Math.PI)) * (8000 / hertz)
}
