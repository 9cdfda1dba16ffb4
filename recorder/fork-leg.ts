import type { Clock } from '../base/clock.ts'
import { type ReusedAudioPacket, reusedAudioPacket } from './audio-packet.ts'
import type { OnLost } from './leg-buffer.ts'
import { ReceivingTime } from './receiving-time.ts'
import type { RecordedStream } from './recorded-stream.ts'
import type { ForkLegPlan, StreamCounters, StreamPlan } from './recording-plan.ts'
import { SAMPLES_PER_MS, SLOT_SAMPLES } from './sample-clock.ts'
import { StreamTally } from './stream-tally.ts'
import type { TimelineLeg } from './timeline-leg.ts'

/** Interleaved signed 16-bit little-endian samples, as mod_audio_fork sends them. */
export interface PcmFrame {
  /** Not used again by whoever hands it over: a leg may keep it for a moment. */
  readonly bytes: Uint8Array
  /** Byte offset of the leg's first sample. */
  readonly offset: number
  /** Samples of this leg. */
  readonly length: number
  /** Bytes from one sample of this leg to the next. */
  readonly stride: number
}

/** A fork that sent nothing for so long stands still, or was paused: its next frames tell which. */
const STALL_MS = 200
/** So long frames are collected after a stall: what was held back comes at once, what follows a pause in its time. */
const COLLECT_MS = 100
/**
 * FreeSWITCH may hold everything back by a packet more from one moment on, or less: its jitter buffer grows as a call
 * begins, and which side of a stereo fork it has first changes at will. What is said stays whole only where that is
 * left alone, and legs of one FreeSWITCH drift alike.
 */
const LEFT_ALONE = 3 * SLOT_SAMPLES
/** Frames at their pace bring what was collected for, give or take a packet time or two. */
const PACE_SLACK_MS = 60

/**
 * One channel of a WebSocket fork: linear samples at 8 kHz without timestamps, placed by their count and arrival.
 *
 * A frame may be of any size. It is placed in pieces of a slot, each as if it had come when it was spoken. After a
 * stall it is first seen how much comes at once: what was held back ends now and reaches back as far as it is long;
 * what is missing before that is silence where the fork was paused, and lost where it could not send all. While no
 * fork is connected the time is lost. Nothing is awaited, and nothing lost, while the party is on hold.
 */
export class ForkLeg implements RecordedStream {
  readonly streamId: string
  readonly leg: TimelineLeg
  readonly tally = new StreamTally()
  readonly sockets = undefined
  readonly #clock: Clock
  readonly #heldUpMs: () => number
  readonly #onLost: OnLost
  readonly #packet: ReusedAudioPacket
  readonly #receivingTime: ReceivingTime
  #role: StreamPlan['role']
  #isReceiving: boolean
  #timestamp = 0
  #isConnected = false
  /** Position from which the time is lost because no fork is connected. */
  #lostFrom: number
  #heardAtMs: number
  /** Frames since a stall, until it is known what it was. */
  #collected: PcmFrame[] = []
  #collectingSinceMs = 0
  /** When the last frame before the stall was heard. */
  #stalledAtMs = 0

  constructor(options: {
    readonly plan: ForkLegPlan
    readonly leg: TimelineLeg
    readonly clock: Clock
    /** How long what is read now may have waited to be read, milliseconds; not at all where absent. */
    readonly heldUpMs?: (() => number) | undefined
    readonly onLost: OnLost
  }) {
    options.leg.allowDrift(LEFT_ALONE)
    this.streamId = options.plan.streamId
    this.#role = options.plan.role
    this.#isReceiving = options.plan.isReceiving
    this.leg = options.leg
    this.leg.removeTones(options.plan.removesTones ?? false)
    this.#clock = options.clock
    this.#heldUpMs = options.heldUpMs ?? (() => 0)
    this.#onLost = options.onLost
    this.#receivingTime = new ReceivingTime(options.clock, options.plan.isReceiving)
    this.#heardAtMs = options.clock.monotonicMs()
    this.#lostFrom = this.#now()
    this.#packet = reusedAudioPacket()
  }

  get role(): StreamPlan['role'] {
    return this.#role
  }

  get receivingMs(): number {
    return this.#receivingTime.totalMs
  }

  /** Whether audio that was held back may still come for the slots from `leg.end` on. */
  get isAwaited(): boolean {
    if (this.#collected.length > 0) return true
    if (!this.#isReceiving) return false
    return this.#isConnected && this.#clock.monotonicMs() - this.#heardAtMs > STALL_MS / 2
  }

  /** A fork is there: its samples have nothing to do with those of one before. */
  connected(): void {
    this.#isConnected = true
    this.#heardAtMs = this.#clock.monotonicMs()
    this.leg.restart()
    this.#lose(this.#now())
  }

  /** The fork is gone; from the last that was heard on the time is lost, until another is there. */
  disconnected(): void {
    if (!this.#isConnected) return
    this.#isConnected = false
    this.settle()
    this.#lostFrom = Math.round(this.#heardAtMs * SAMPLES_PER_MS)
  }

  /** The call ended at a position: what has not come until then is lost. */
  end(position: number): void {
    if (!this.#isConnected) this.#lose(position)
  }

  take(frame: PcmFrame): void {
    if (!this.#isReceiving) {
      this.tally.whileInactive++
      this.#timestamp += frame.length
      return
    }
    const nowMs = this.#clock.monotonicMs()
    const isStalled = nowMs - this.#heardAtMs > STALL_MS
    const stalledAtMs = this.#heardAtMs
    this.#heardAtMs = nowMs
    if (isStalled && this.#collected.length === 0) {
      this.#collectingSinceMs = nowMs
      this.#stalledAtMs = stalledAtMs
    }
    if (this.#collected.length === 0 && !isStalled) {
      this.#place(frame, this.#now())
      return
    }
    this.#collected.push(frame)
    if (nowMs - this.#collectingSinceMs >= COLLECT_MS) this.settle()
  }

  /** Places what was collected after a stall. Called by itself, and once more when nothing more can come. */
  settle(): void {
    const frames = this.#collected
    if (frames.length === 0) return
    this.#collected = []
    const collectedMs = this.#heardAtMs - this.#collectingSinceMs
    const heldMs = frames.reduce((sum, { length }) => sum + length, 0) / SAMPLES_PER_MS
    const missingMs = this.#heardAtMs - this.#stalledAtMs - heldMs
    let rest = heldMs * SAMPLES_PER_MS
    if (missingMs > PACE_SLACK_MS) {
      const missing = Math.round(missingMs * SAMPLES_PER_MS)
      this.#timestamp += missing
      // More than its pace brings was held back, so that the rest was too much to hold.
      if (heldMs > collectedMs + PACE_SLACK_MS) this.#onLost(this.#now() - rest - missing, missing)
    }
    for (const frame of frames) {
      rest -= frame.length
      this.#place(frame, this.#now() - rest)
    }
  }

  update(plan: StreamPlan): void {
    this.#role = plan.role
    this.leg.removeTones(plan.removesTones ?? false)
    this.#receive(plan.isReceiving)
  }

  deactivate(): void {
    this.#receive(false)
  }

  startCounting(): void {
    // While endpoints are bridged a fork stands still for less than a stall, which no later frame makes up for.
    this.leg.restart()
    this.#receivingTime.start()
  }

  stopCounting(): void {
    this.#receivingTime.stop()
  }

  counters(): StreamCounters {
    const { streamId, role, tally } = this
    tally.concealedMs = this.leg.concealedMs
    return tally.snapshot({ streamId, role, codec: tally.placed > 0 ? 'L16' : null })
  }

  /** It brings what is decoded already. */
  readonly isDecoding = false
  readonly needsProcess = false
  async finishDecoding(): Promise<void> {}

  /** A WebSocket needs no reports. */
  reportIfDue(): void {}

  /** Begins or ends a hold. */
  #receive(isReceiving: boolean): void {
    if (isReceiving === this.#isReceiving) return
    if (!isReceiving) {
      this.settle()
      if (!this.#isConnected) this.#lose(this.#now())
    }
    this.#isReceiving = isReceiving
    this.#receivingTime.update(isReceiving)
    if (!isReceiving) return
    this.#heardAtMs = this.#clock.monotonicMs()
    this.#lostFrom = this.#now()
    this.leg.restart()
  }

  /** Places a frame whose last sample came at a position: the first came as much earlier as it is long. */
  #place(frame: PcmFrame, endedAt: number): void {
    const packet = this.#packet
    packet.datagram = frame.bytes
    packet.stride = frame.stride
    const waited = this.#heldUpMs() * SAMPLES_PER_MS
    for (let from = 0; from < frame.length; from += SLOT_SAMPLES) {
      packet.offset = frame.offset + from * frame.stride
      packet.length = Math.min(SLOT_SAMPLES, frame.length - from)
      packet.timestamp = this.#timestamp
      packet.arrivedAt = endedAt - (frame.length - from - packet.length)
      packet.waited = waited
      this.#timestamp += packet.length
      this.tally[this.leg.place(packet)]++
    }
  }

  #lose(until: number): void {
    const length = until - this.#lostFrom
    if (this.#isReceiving && length > 0) this.#onLost(this.#lostFrom, length)
    this.#lostFrom = until
  }

  #now(): number {
    return this.#clock.monotonicMs() * SAMPLES_PER_MS
  }
}
