import { createSocket } from 'node:dgram'
import type { Test } from 'tap'
import type { Clock } from '../../base/clock.ts'
import { PHASES } from '../../recorder/batch-clock.ts'
import { FilterProcesses } from '../../recorder/decoding/filter-processes.ts'
import type { EngineSettings } from '../../recorder/engine-protocol.ts'
import { FileBudget } from '../../recorder/file-budget.ts'
import { encodeSilence } from '../../recorder/opus-encoder.ts'
import { Recording } from '../../recorder/recording.ts'
import type {
  RecordingControl,
  RecordingOutcome,
  StreamPlan,
} from '../../recorder/recording-plan.ts'
import type { SocketPair } from '../../recorder/rtp-sockets.ts'
import { VoiceEncoders } from '../../recorder/voice-encoders.ts'
import { ManualClock } from '../manual-clock.ts'
import { MemorySink } from './memory-sink.ts'
import { type RtpFields, rtp } from './rtp.ts'
import { toneBytes, ulaw } from './tones.ts'

export const SETTINGS: EngineSettings = {
  engineIndex: 0,
  bindAddress: '127.0.0.1',
  advertisedAddress: '127.0.0.1',
  portFrom: 42_000,
  portTo: 42_199,
  portRestMs: 1000,
  maxRecordings: 10,
  maxDecoders: 4,
  holdBackMs: 500,
  opus: { complexity: 0, bitrateBps: 16_000 },
  skipsQuiet: true,
  quietDb: -55,
  spoolPath: '/nowhere',
}

/** Room for a few decoder processes. */
export function decoderProcesses(clock: Clock): FilterProcesses {
  return new FilterProcesses({
    most: SETTINGS.maxDecoders,
    files: new FileBudget({ clock }),
    clock,
  })
}

const SILENCE = encodeSilence(SETTINGS.opus)

/** A stream as an answer describes it: PCMU, PCMA, telephone-event 101 and comfort noise 13. */
export function streamPlan(role: StreamPlan['role'], fields: Partial<StreamPlan> = {}): StreamPlan {
  return {
    streamId: role,
    role,
    isReceiving: true,
    formats: [
      { payloadType: 0, codec: 'PCMU', clockRate: 8000 },
      { payloadType: 8, codec: 'PCMA', clockRate: 8000 },
    ],
    eventPayloadTypes: [101],
    comfortNoisePayloadTypes: [13],
    remote: { address: '192.0.2.1', port: role === 'agent' ? 4002 : 4000 },
    ...fields,
  }
}

/** Media of one sender, which goes on from packet to packet. */
export class Sender {
  sequenceNumber = 65_000
  timestamp = 2 ** 32 - 4000
  readonly ssrc: number
  readonly #rig: RecordingRig
  readonly #streamId: string
  readonly #hertz: number
  #phase = 0

  constructor(rig: RecordingRig, streamId: string, hertz: number, ssrc: number) {
    this.#rig = rig
    this.#streamId = streamId
    this.#hertz = hertz
    this.ssrc = ssrc
  }

  /** Sends 20 ms of the tone, or other fields. */
  send(fields: RtpFields = {}, encode = ulaw): void {
    this.#rig.receive(
      this.#streamId,
      rtp({
        sequenceNumber: this.sequenceNumber,
        timestamp: this.timestamp,
        ssrc: this.ssrc,
        payload: toneBytes(this.#hertz, this.#phase, 160, encode),
        ...fields,
      }),
    )
    this.sequenceNumber++
    this.timestamp += 160
    this.#phase += 160
  }
}

/** A recording on a clock that stands still, fed without a network. */
export class RecordingRig {
  readonly clock = new ManualClock()
  readonly processes = decoderProcesses(this.clock)
  readonly sink: MemorySink
  readonly recording: Recording
  readonly #sockets = new Map<string, SocketPair>()
  readonly #plans = new Map<string, StreamPlan>()
  /** How long what comes has waited, milliseconds. */
  heldUpMs = 0
  /** How often a pause was told to have begun or ended. */
  pausesTold = 0
  #opened = 0
  #ticks = 0

  constructor(
    t: Pick<Test, 'teardown'>,
    plans: readonly StreamPlan[],
    {
      sink = new MemorySink(),
      settings = SETTINGS,
      encoders = new VoiceEncoders(settings.opus),
      control,
    }: {
      readonly sink?: MemorySink
      readonly settings?: EngineSettings
      readonly encoders?: VoiceEncoders
      readonly control?: RecordingControl
    } = {},
  ) {
    this.sink = sink
    this.recording = new Recording({
      plan: { recordingId: 'r1', callId: 'c1', streams: plans, ...(control && { control }) },
      settings,
      clock: this.clock,
      openSink: () => {
        this.#opened++
        return sink
      },
      processes: this.processes,
      encoders,
      silence: SILENCE,
      heldUpMs: () => this.heldUpMs,
      onPausesChanged: () => this.pausesTold++,
    })
    for (const plan of plans) this.addStream(t, plan)
  }

  /** How often the sink was opened. */
  get opened(): number {
    return this.#opened
  }

  addStream(t: Pick<Test, 'teardown'>, plan: StreamPlan): void {
    const [rtp, rtcp] = [createSocket('udp4'), createSocket('udp4')]
    const pair = { rtp, rtcp, rtpPort: 42_000, boundAddress: '127.0.0.1' }
    t.teardown(() => {
      pair.rtp.close()
      pair.rtcp.close()
    })
    this.#sockets.set(plan.streamId, pair)
    this.#plans.set(plan.streamId, plan)
    this.recording.addStream(plan, { sockets: pair })
  }

  sender(streamId: string, hertz: number, ssrc = 7): Sender {
    return new Sender(this, streamId, hertz, ssrc)
  }

  /** A datagram comes to a stream's RTP port, from where the plan says unless told otherwise. */
  receive(streamId: string, datagram: Buffer, from = this.#plans.get(streamId)?.remote): void {
    this.#sockets.get(streamId)?.rtp.emit('message', datagram, {
      address: from?.address ?? '192.0.2.1',
      port: from?.port ?? 4000,
      family: 'IPv4',
      size: datagram.length,
    })
  }

  answer(): void {
    this.recording.answer(this.clock.epochMs())
  }

  /**
   * Lets time pass in steps of 20 ms; `each` is called at the beginning of every one. What is due is taken every 100 ms,
   * as an engine does.
   */
  run(forMs: number, each: () => void = () => {}): void {
    for (let ms = 0; ms < forMs; ms += 20) {
      each()
      this.clock.advance(20)
      if (++this.#ticks % PHASES > 0) continue
      this.recording.advance((this.clock.monotonicMs() - SETTINGS.holdBackMs) * 8)
    }
  }

  /** Ends the call now. */
  finish(): Promise<RecordingOutcome> {
    this.recording.end(this.clock.epochMs(), [])
    return this.recording.finish()
  }
}
