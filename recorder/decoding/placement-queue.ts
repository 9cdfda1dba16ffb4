import type { Clock } from '../../base/clock.ts'
import { type AudioPacket, type ReusedAudioPacket, reusedAudioPacket } from '../audio-packet.ts'
import type { Density } from '../sample-density.ts'
import { fitSamples } from '../sample-source.ts'
import type { PacketCounter, StreamTally } from '../stream-tally.ts'
import type { TimelineLeg } from '../timeline-leg.ts'
import { CodecDelay } from './codec-delay.ts'
import { DecodeJob } from './decode-job.ts'
import { FilterFeed } from './filter-feed.ts'
import type { FramedPayload } from './filter-kinds.ts'
import type { FilterProcesses } from './filter-processes.ts'

/** When a packet came, and where it stands in its stream. */
export interface PacketTiming {
  /** Extended RTP timestamp, in samples at 8 kHz. */
  readonly timestamp: number
  readonly arrivedAt: number
  readonly waited: number
  readonly missing: number
  /** It stands for a lost packet, and is no packet itself. */
  readonly isRepair: boolean
}

interface Waiting extends PacketTiming {
  readonly job: DecodeJob | undefined
  readonly samples: Int16Array
  readonly density: Density
  readonly opus: AudioPacket['opus']
  /** Of its codec. */
  readonly delay: number
  /** It is the first of another source. */
  readonly isRestart: boolean
}

/**
 * Places a stream's packets on its leg in the order in which they came, also where some are decoded by a process and
 * wait for it. A packet that waits is placed as if it had been decoded when it arrived, so that what the process takes
 * costs nothing but time that audio is held back for anyway.
 *
 * Owns the processes' feeds.
 */
export class PlacementQueue {
  readonly #leg: TimelineLeg
  readonly #tally: StreamTally
  readonly #processes: FilterProcesses
  readonly #clock: Clock
  readonly #audio: ReusedAudioPacket = reusedAudioPacket()
  readonly #delay = new CodecDelay()
  #waiting: Waiting[] = []
  #feed: FilterFeed | undefined
  /** Feeds that end. */
  readonly #retired = new Set<Promise<void>>()
  #isRestarting = false
  #isClosed = false
  /** Packets since the last one that was placed that could not be decoded. */
  #undecodable = 0

  constructor(options: {
    readonly leg: TimelineLeg
    readonly tally: StreamTally
    readonly processes: FilterProcesses
    readonly clock: Clock
  }) {
    this.#leg = options.leg
    this.#tally = options.tally
    this.#processes = options.processes
    this.#clock = options.clock
  }

  /** Whether packets wait to be decoded. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** The next packet comes from another source. */
  restart(): void {
    this.#retireFeed()
    if (this.isWaiting) this.#isRestarting = true
    else this.#restartLeg()
  }

  /**
   * Places a decoded packet, whose `delay` is that of its codec; it may be changed. Undefined where it has to wait: then
   * it is counted when it is placed.
   */
  place(audio: ReusedAudioPacket, isRepair: boolean): PacketCounter | undefined {
    const { density, opus, delay } = audio
    if (!this.isWaiting) {
      this.#delay.takeOut(audio, delay)
      return this.#leg.place(audio)
    }
    const samples = fitSamples(audio, audio.length * density)
    const timing = { ...timingOf(audio), isRepair }
    this.#wait(timing, { job: undefined, samples, density, opus, delay })
    return undefined
  }

  /** Has a payload decoded by a process, and placed and counted then. */
  decode(payload: FramedPayload, timing: PacketTiming): void {
    const { kind } = payload
    if (this.#isClosed) {
      this.#tally.undecodable++
      return
    }
    if (this.#feed?.kind !== kind) {
      this.#retireFeed()
      this.#feed = new FilterFeed({
        kind,
        processes: this.#processes,
        clock: this.#clock,
        onSettled: () => this.#placeSettled(),
      })
    }
    const job = new DecodeJob(payload)
    const { density, delay } = kind
    this.#wait(timing, { job, samples: job.samples, density, opus: undefined, delay })
    this.#feed.feed(job)
    if (job.state === 'failed') this.#placeSettled()
  }

  /** Looks whether a process hangs. Called every batch. */
  watch(nowMs: number): void {
    this.#feed?.watch(nowMs)
  }

  /** Ends the process, and resolves when all that it owed is placed. Nothing is decoded by one any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#retireFeed()
    await Promise.all(this.#retired)
  }

  /** The feed gets nothing more, and still gives what it owes. */
  #retireFeed(): void {
    const feed = this.#feed
    if (feed === undefined) return
    this.#feed = undefined
    const retired = feed.close().finally(() => this.#retired.delete(retired))
    this.#retired.add(retired)
  }

  #wait(
    timing: PacketTiming,
    decoded: Pick<Waiting, 'job' | 'samples' | 'density' | 'opus' | 'delay'>,
  ): void {
    const isRestart = this.#isRestarting
    this.#isRestarting = false
    this.#waiting.push({ ...timing, isRestart, ...decoded })
  }

  #placeSettled(): void {
    for (;;) {
      const next = this.#waiting[0]
      if (next === undefined || next.job?.state === 'waiting') return
      this.#waiting.shift()
      if (next.isRestart) this.#restartLeg()
      if (next.job?.state === 'failed') {
        this.#undecodable += 1 + Math.max(0, next.missing)
        if (!next.isRepair) this.#tally.undecodable++
      } else {
        const counter = this.#placeDecoded(next)
        this.#tally[next.isRepair ? 'repaired' : counter]++
      }
    }
  }

  #placeDecoded(packet: Waiting): PacketCounter {
    const { samples, density, missing } = packet
    const audio = this.#audio
    audio.timestamp = packet.timestamp
    audio.arrivedAt = packet.arrivedAt
    audio.waited = packet.waited
    audio.missing = missing
    if (missing >= 0) {
      audio.missing += this.#undecodable
      this.#undecodable = 0
    }
    audio.datagram = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
    audio.offset = 0
    audio.length = samples.length / density
    audio.density = density
    audio.opus = packet.opus
    this.#delay.takeOut(audio, packet.delay)
    return this.#leg.place(audio)
  }

  #restartLeg(): void {
    this.#delay.restart()
    this.#leg.restart()
  }
}

function timingOf({ timestamp, arrivedAt, waited, missing }: AudioPacket) {
  return { timestamp, arrivedAt, waited, missing }
}
