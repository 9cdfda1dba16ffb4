import type { Clock } from '../base/clock.ts'
import type { RecordedStream } from './recorded-stream.ts'
import type { Role, StreamCounters, StreamPlan } from './recording-plan.ts'
import { SAMPLES_PER_MS, SLOT_SAMPLES } from './sample-clock.ts'
import { StreamTally } from './stream-tally.ts'
import type { AudioPacket, TimelineLeg } from './timeline-leg.ts'

/** Interleaved signed 16-bit little-endian samples, as mod_audio_fork sends them. */
export interface PcmFrame {
  readonly bytes: Uint8Array
  /** Byte offset of the leg's first sample. */
  readonly offset: number
  /** Samples of this leg. */
  readonly length: number
  /** Bytes from one sample of this leg to the next. */
  readonly stride: number
}

/**
 * One channel of a WebSocket fork: linear samples at 8 kHz without timestamps, placed by their count and arrival.
 *
 * A frame may be of any size. It is placed in pieces of a slot, so that what comes in a lump after a stall finds its
 * way back as a burst of packets does, and what never came (a pause) is silence of its length.
 */
export class ForkLeg implements RecordedStream {
  readonly streamId: string
  readonly leg: TimelineLeg
  readonly tally = new StreamTally()
  readonly sockets = undefined
  readonly #clock: Clock
  readonly #packet: { -readonly [Key in keyof AudioPacket]: AudioPacket[Key] }
  #role: StreamPlan['role']
  #isReceiving = true
  #timestamp = 0
  #receivingMs = 0
  #countingSinceMs: number | undefined

  constructor(options: {
    readonly streamId: string
    readonly role: Role | 'mixed'
    readonly leg: TimelineLeg
    readonly clock: Clock
  }) {
    this.streamId = options.streamId
    this.#role = options.role
    this.leg = options.leg
    this.#clock = options.clock
    this.#packet = {
      timestamp: 0,
      arrivedAt: 0,
      missing: 0,
      datagram: new Uint8Array(0),
      offset: 0,
      length: 0,
      table: undefined,
      stride: 2,
    }
  }

  get role(): StreamPlan['role'] {
    return this.#role
  }

  get receivingMs(): number {
    return this.#receivingMs
  }

  /** The fork was made anew: its samples have nothing to do with those before. */
  restart(): void {
    this.tally.reanchored++
    this.leg.restart()
  }

  take(frame: PcmFrame): void {
    if (!this.#isReceiving) {
      this.tally.whileInactive++
      this.#timestamp += frame.length
      return
    }
    const packet = this.#packet
    packet.arrivedAt = this.#clock.monotonicMs() * SAMPLES_PER_MS
    packet.datagram = frame.bytes
    packet.stride = frame.stride
    for (let from = 0; from < frame.length; from += SLOT_SAMPLES) {
      packet.offset = frame.offset + from * frame.stride
      packet.length = Math.min(SLOT_SAMPLES, frame.length - from)
      packet.timestamp = this.#timestamp
      this.#timestamp += packet.length
      this.tally[this.leg.place(packet)]++
    }
  }

  update(plan: StreamPlan): void {
    const wasCounting = this.#countingSinceMs !== undefined
    this.stopCounting()
    this.#role = plan.role
    this.#isReceiving = plan.isReceiving
    if (wasCounting) this.startCounting()
  }

  deactivate(): void {
    this.#isReceiving = false
  }

  startCounting(): void {
    this.#countingSinceMs = this.#clock.monotonicMs()
  }

  stopCounting(): void {
    if (this.#countingSinceMs === undefined) return
    if (this.#isReceiving) this.#receivingMs += this.#clock.monotonicMs() - this.#countingSinceMs
    this.#countingSinceMs = undefined
  }

  counters(): StreamCounters {
    return this.tally.snapshot(this.streamId)
  }

  /** A WebSocket needs no reports. */
  reportIfDue(): void {}
}
