import type { Clock } from '../base/clock.ts'
import { type ReusedAudioPacket, reusedAudioPacket } from './audio-packet.ts'
import { frameFilteredPayload, isFiltered } from './decoding/filter-kinds.ts'
import type { FilterProcesses } from './decoding/filter-processes.ts'
import { PlacementQueue } from './decoding/placement-queue.ts'
import { StreamDecoders } from './decoding/stream-decoders.ts'
import type { DecodedFormat, FilteredCodec, PayloadFormat } from './recording-plan.ts'
import type { RtpPacket } from './rtp-packet.ts'
import { SAMPLE_RATE, SAMPLES_PER_MS } from './sample-clock.ts'
import type { SsrcReception } from './ssrc-reception.ts'
import type { PacketCounter, StreamTally } from './stream-tally.ts'
import type { TimelineLeg } from './timeline-leg.ts'

/** A shorter payload in an audio type is some senders' comfort noise: 1 ms of G.711. */
const SHORTEST_AUDIO_BYTES = 8
/** 200 ms of G.711; nobody sends more in one packet. */
const LONGEST_AUDIO_BYTES = 1600

/** The counter that a packet belongs to; undefined for one that is counted when it is decoded. */
export type PacketOutcome = PacketCounter | undefined

export interface Arrival {
  readonly arrivedAtMs: number
  readonly reception: SsrcReception
}

/** Decodes payloads of a stream, whatever their codec, and places them on the stream's leg. Owns the decoders. */
export class PayloadPlacer {
  /** Whether what is taken stands for packets that are lost, and is none itself. */
  isRepairing = false
  readonly #queue: PlacementQueue
  readonly #decoders = new StreamDecoders()
  /** Filled for each packet, so that none costs an object. */
  readonly #audio: ReusedAudioPacket = reusedAudioPacket()
  readonly #heldUpMs: () => number
  /** RTP timestamp of the newest audio. */
  #newestTimestamp: number | undefined

  constructor(options: {
    readonly leg: TimelineLeg
    readonly tally: StreamTally
    readonly processes: FilterProcesses
    readonly clock: Clock
    /** How long what is read now may have waited to be read, milliseconds; not at all where absent. */
    readonly heldUpMs?: (() => number) | undefined
  }) {
    this.#queue = new PlacementQueue(options)
    this.#heldUpMs = options.heldUpMs ?? (() => 0)
  }

  /** Whether packets wait for a decoder. */
  get isWaiting(): boolean {
    return this.#queue.isWaiting
  }

  /** Looks whether a decoder hangs. Called every batch. */
  watch(nowMs: number): void {
    this.#queue.watch(nowMs)
  }

  /** Nothing more comes: resolves when all that came is decoded and placed. */
  close(): Promise<void> {
    return this.#queue.close()
  }

  /** The next packet comes from another source. */
  restart(): void {
    this.#newestTimestamp = undefined
    this.#decoders.reset()
    this.#queue.restart()
  }

  /** Whether audio with this RTP timestamp would be the newest. */
  isNewer(timestamp: number): boolean {
    const newest = this.#newestTimestamp
    return newest !== undefined && ((timestamp - newest) | 0) > 0
  }

  /** Takes a payload that is not empty, and tells the counter that its packet belongs to. */
  take(
    packet: RtpPacket,
    use: Int16Array | DecodedFormat | 'comfortNoise' | undefined,
    arrival: Arrival,
  ): PacketOutcome {
    if (use === undefined || use === 'comfortNoise') return this.#pause(arrival.reception)
    return use instanceof Int16Array
      ? this.#takeCompanded(packet, use, arrival)
      : this.#takeEncoded(packet, use, arrival)
  }

  #takeCompanded(packet: RtpPacket, table: Int16Array, arrival: Arrival): PacketOutcome {
    const { payloadLength } = packet
    if (payloadLength < SHORTEST_AUDIO_BYTES) return this.#pause(arrival.reception)
    if (payloadLength > LONGEST_AUDIO_BYTES) return 'notRtp'
    const audio = this.#audio
    audio.timestamp = arrival.reception.extend(packet.timestamp)
    audio.datagram = packet.datagram
    audio.offset = packet.payloadOffset
    audio.length = payloadLength
    audio.table = table
    audio.stride = 1
    audio.density = 1
    audio.opus = undefined
    audio.delay = 0
    return this.#place(packet, SAMPLE_RATE, arrival)
  }

  #takeEncoded(packet: RtpPacket, format: DecodedFormat, arrival: Arrival): PacketOutcome {
    const { reception } = arrival
    // Whatever the codec, a byte alone stands for silence.
    if (packet.payloadLength === 1) return this.#pause(reception)
    if (isFiltered(format)) return this.#takeFiltered(packet, format, arrival)
    const decoder = this.#decoders.of(format)
    const length = decoder.decode(packet.datagram, packet.payloadOffset, packet.payloadLength)
    if (length === 0) return this.#pause(reception)
    if (length < 0) return 'undecodable'
    const audio = this.#audio
    audio.timestamp = narrowTimestamp(packet, format, reception)
    audio.datagram = decoder.bytes
    audio.offset = 0
    audio.length = length
    audio.table = undefined
    audio.stride = 2
    audio.density = decoder.density
    audio.opus = decoder.opus
    audio.delay = decoder.delay
    return this.#place(packet, format.clockRate, arrival)
  }

  #takeFiltered(
    packet: RtpPacket,
    format: PayloadFormat<FilteredCodec>,
    arrival: Arrival,
  ): PacketOutcome {
    const { payloadOffset, payloadLength } = packet
    const payload = packet.datagram.subarray(payloadOffset, payloadOffset + payloadLength)
    const framed = frameFilteredPayload(payload, format)
    if (framed === undefined) return 'undecodable'
    const { arrivedAtMs, reception } = arrival
    if (framed.frames.every((frame) => frame === undefined)) return this.#pause(reception)
    const timing = {
      timestamp: narrowTimestamp(packet, format, reception),
      arrivedAt: arrivedAtMs * SAMPLES_PER_MS,
      waited: this.#heldUpMs() * SAMPLES_PER_MS,
      missing: reception.missing,
      isRepair: this.isRepairing,
    }
    if (timing.missing >= 0) {
      reception.observeArrival(timing.arrivedAt, timing.timestamp, format.clockRate)
      reception.settleMissing()
    }
    if (reception.missing >= 0) this.#newestTimestamp = packet.timestamp
    this.#queue.decode(framed, timing)
    return undefined
  }

  #place(packet: RtpPacket, clockRate: number, { arrivedAtMs, reception }: Arrival): PacketOutcome {
    const audio = this.#audio
    audio.arrivedAt = arrivedAtMs * SAMPLES_PER_MS
    audio.waited = this.#heldUpMs() * SAMPLES_PER_MS
    audio.missing = reception.missing
    if (audio.missing >= 0) {
      reception.observeArrival(audio.arrivedAt, audio.timestamp, clockRate)
      reception.settleMissing()
    }
    if (reception.missing >= 0) this.#newestTimestamp = packet.timestamp
    return this.#queue.place(audio, this.isRepairing)
  }

  /** Comfort noise: the silence that it stands for is as long as timestamps say. */
  #pause(reception: SsrcReception): PacketCounter {
    reception.interruptJitter()
    return 'comfortNoise'
  }
}

/** Rounded up, as lengths are rounded down: packets in a row do not overlap. */
function narrowTimestamp(
  packet: RtpPacket,
  { clockRate }: DecodedFormat,
  reception: SsrcReception,
): number {
  return Math.ceil(reception.extend(packet.timestamp) * (SAMPLE_RATE / clockRate))
}
