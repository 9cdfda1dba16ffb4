import type { Clock } from '../base/clock.ts'
import type { ReusedAudioPacket } from './audio-packet.ts'
import { frameFilteredPayload, isFiltered } from './decoding/filter-kinds.ts'
import type { FilterProcesses } from './decoding/filter-processes.ts'
import { PlacementQueue } from './decoding/placement-queue.ts'
import { StreamDecoders } from './decoding/stream-decoders.ts'
import { g711Table } from './g711.ts'
import type { PayloadUse } from './payload-use.ts'
import type { DecodedFormat, FilteredCodec, PayloadFormat } from './recording-plan.ts'
import { RtpPacket } from './rtp-packet.ts'
import { SAMPLE_RATE, SAMPLES_PER_MS } from './sample-clock.ts'
import { SsrcReception } from './ssrc-reception.ts'
import type { PacketCounter, StreamTally } from './stream-tally.ts'
import type { TimelineLeg } from './timeline-leg.ts'

/** A shorter payload in an audio type is some senders' comfort noise: 1 ms of G.711. */
const SHORTEST_AUDIO_BYTES = 8
/** 200 ms of G.711; nobody sends more in one packet. */
const LONGEST_AUDIO_BYTES = 1600

/** The counter that a packet belongs to; undefined for one that is counted when it is decoded. */
type PacketOutcome = PacketCounter | undefined

interface Arrival {
  readonly arrivedAtMs: number
  readonly reception: SsrcReception
}

/**
 * Receives the RTP of a stream's own source: extends its numbers, tells audio from what is none, and places the audio
 * on the leg. Each packet ends in exactly one counter of the tally.
 */
export class RtpReceiver {
  readonly #queue: PlacementQueue
  readonly #tally: StreamTally
  readonly #onEvent: ((packet: RtpPacket, arrivedAtMs: number) => void) | undefined
  /** Filled for each packet, so that none costs an object. */
  readonly #audio: ReusedAudioPacket = {
    timestamp: 0,
    arrivedAt: 0,
    missing: 0,
    datagram: new Uint8Array(0),
    offset: 0,
    length: 0,
    table: g711Table('PCMU'),
    stride: 1,
    density: 1,
    opus: undefined,
  }
  readonly #decoders = new StreamDecoders()
  #uses: ReadonlyMap<number, PayloadUse>
  #reception: SsrcReception | undefined
  #lostBefore = 0
  /** A packet that came far too late, or is the first of a new count. */
  #strayed:
    | {
        readonly datagram: Uint8Array
        readonly arrivedAtMs: number
        /** Where it is counted so far. */
        readonly counter: 'duplicate' | 'late'
      }
    | undefined

  constructor(options: {
    readonly leg: TimelineLeg
    readonly tally: StreamTally
    readonly uses: ReadonlyMap<number, PayloadUse>
    readonly processes: FilterProcesses
    readonly clock: Clock
    /** A packet of a telephone-event: neither placed nor told of in any other way. */
    readonly onEvent?: (packet: RtpPacket, arrivedAtMs: number) => void
  }) {
    this.#onEvent = options.onEvent
    this.#queue = new PlacementQueue(options)
    this.#tally = options.tally
    this.#uses = options.uses
  }

  /** The SSRC that is heard now; undefined before the first packet. */
  get reception(): SsrcReception | undefined {
    return this.#reception
  }

  /** Packets of all SSRCs that never came. */
  get lostPackets(): number {
    return this.#lostBefore + (this.#reception?.lost ?? 0)
  }

  get jitterMs(): number {
    return (this.#reception?.jitter ?? 0) / SAMPLES_PER_MS
  }

  /** What each payload type is for from now on. */
  agree(uses: ReadonlyMap<number, PayloadUse>): void {
    this.#uses = uses
  }

  /** Whether the payload type is one of those agreed on. */
  accepts(payloadType: number): boolean {
    return this.#uses.has(payloadType)
  }

  /** Whether packets wait for a decoder. */
  get isDecoding(): boolean {
    return this.#queue.isWaiting
  }

  /** Looks whether a decoder hangs. Called every batch. */
  watchDecoder(nowMs: number): void {
    this.#queue.watch(nowMs)
  }

  /** Nothing more comes: resolves when all that came is decoded and placed. */
  close(): Promise<void> {
    return this.#queue.close()
  }

  receive(packet: RtpPacket, arrivedAtMs: number): void {
    const reception = this.#receptionOf(packet)
    switch (reception.receive(packet.sequenceNumber)) {
      case 'new':
        this.#takeNew(packet, arrivedAtMs, reception)
        return
      case 'duplicate':
        this.#tally.duplicate++
        return
      case 'strayed':
        this.#strayed = {
          datagram: packet.datagram,
          arrivedAtMs,
          counter: reception.hasReceived(packet.sequenceNumber) ? 'duplicate' : 'late',
        }
        this.#tally[this.#strayed.counter]++
        return
      case 'restarted':
        this.#recount(packet, arrivedAtMs)
    }
  }

  /** A packet of the source came that is not to be recorded. */
  passOver(ssrc: number): void {
    if (this.#reception?.ssrc === ssrc) this.#reception.passOver()
  }

  /** Nothing is to be recorded now: what is missing up to the next packet that is, is no loss. */
  excuseMissing(): void {
    this.#reception?.excuseMissing()
  }

  /** The sender counts anew: what strayed was the first packet of the new count. */
  #recount(packet: RtpPacket, arrivedAtMs: number): void {
    const strayed = this.#strayed
    this.#strayed = undefined
    this.#renew(packet.ssrc)
    const first = new RtpPacket()
    if (strayed !== undefined && first.read(strayed.datagram)) {
      this.#tally[strayed.counter]--
      this.receive(first, strayed.arrivedAtMs)
    }
    this.receive(packet, arrivedAtMs)
  }

  #takeNew(packet: RtpPacket, arrivedAtMs: number, reception: SsrcReception): void {
    const outcome = this.#take(packet, arrivedAtMs, reception)
    if (outcome !== undefined) this.#tally[outcome]++
  }

  /** Takes what is audio, and tells the counter that the packet belongs to. */
  #take(packet: RtpPacket, arrivedAtMs: number, reception: SsrcReception): PacketOutcome {
    const use = this.#uses.get(packet.payloadType)
    if (use === 'unrecordable') return 'unrecordable'
    if (use === 'event') {
      reception.interruptJitter()
      this.#onEvent?.(packet, arrivedAtMs)
      return 'events'
    }
    const length = packet.payloadLength
    if (length === 0) return 'keepAlive'
    if (use === undefined || use === 'comfortNoise') return this.#pause(reception)
    return use instanceof Int16Array
      ? this.#takeCompanded(packet, use, { arrivedAtMs, reception })
      : this.#takeEncoded(packet, use, { arrivedAtMs, reception })
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
    return this.#place(arrival)
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
    return this.#place(arrival)
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
      missing: reception.missing,
    }
    if (timing.missing >= 0) {
      reception.observeArrival(timing.arrivedAt, timing.timestamp)
      reception.settleMissing()
    }
    this.#queue.decode(framed, timing)
    return undefined
  }

  #place({ arrivedAtMs, reception }: Arrival): PacketOutcome {
    const audio = this.#audio
    audio.arrivedAt = arrivedAtMs * SAMPLES_PER_MS
    audio.missing = reception.missing
    if (audio.missing >= 0) {
      reception.observeArrival(audio.arrivedAt, audio.timestamp)
      reception.settleMissing()
    }
    return this.#queue.place(audio)
  }

  /** Comfort noise: the silence that it stands for is as long as timestamps say. */
  #pause(reception: SsrcReception): PacketCounter {
    reception.interruptJitter()
    return 'comfortNoise'
  }

  #receptionOf(packet: RtpPacket): SsrcReception {
    const reception = this.#reception
    const { ssrc } = packet
    if (reception !== undefined && reception.ssrc === ssrc) return reception
    if (reception !== undefined) this.#tally.ssrcChanges++
    this.#strayed = undefined
    this.#decoders.reset()
    this.#queue.restart()
    return this.#renew(ssrc)
  }

  #renew(ssrc: number): SsrcReception {
    this.#lostBefore += this.#reception?.lost ?? 0
    this.#reception = new SsrcReception(ssrc)
    return this.#reception
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
