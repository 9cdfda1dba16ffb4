import type { ReusedAudioPacket } from './audio-packet.ts'
import { g711Table } from './g711.ts'
import type { PayloadUse } from './payload-use.ts'
import type { RtpPacket } from './rtp-packet.ts'
import { SAMPLES_PER_MS } from './sample-clock.ts'
import { SsrcReception } from './ssrc-reception.ts'
import type { PacketCounter, StreamTally } from './stream-tally.ts'
import type { TimelineLeg } from './timeline-leg.ts'

/** A shorter payload in an audio type is some senders' comfort noise: 1 ms of G.711. */
const SHORTEST_AUDIO_BYTES = 8
/** 200 ms; nobody sends more in one packet. */
const LONGEST_AUDIO_BYTES = 1600

/**
 * Receives the RTP of a stream's own source: extends its numbers, tells audio from what is none, and places the audio
 * on the leg. Each packet ends in exactly one counter of the tally.
 */
export class RtpReceiver {
  readonly #leg: TimelineLeg
  readonly #tally: StreamTally
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
  }
  #uses: ReadonlyMap<number, PayloadUse>
  #reception: SsrcReception | undefined
  #lostBefore = 0

  constructor(options: {
    readonly leg: TimelineLeg
    readonly tally: StreamTally
    readonly uses: ReadonlyMap<number, PayloadUse>
  }) {
    this.#leg = options.leg
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

  receive(packet: RtpPacket, arrivedAtMs: number): void {
    const reception = this.#receptionOf(packet.ssrc)
    const isNew = reception.receive(packet.sequenceNumber)
    this.#tally[isNew ? this.#take(packet, arrivedAtMs, reception) : 'duplicate']++
  }

  /** Takes what is audio, and tells the counter that the packet belongs to. */
  #take(packet: RtpPacket, arrivedAtMs: number, reception: SsrcReception): PacketCounter {
    const use = this.#uses.get(packet.payloadType)
    if (use === 'unrecordable') return 'unrecordable'
    if (use === 'event') {
      reception.interruptJitter()
      return 'events'
    }
    const length = packet.payloadLength
    if (length === 0) return 'keepAlive'
    if (use === undefined || use === 'comfortNoise' || length < SHORTEST_AUDIO_BYTES) {
      reception.interruptJitter()
      return 'comfortNoise'
    }
    if (length > LONGEST_AUDIO_BYTES) return 'notRtp'
    const audio = this.#audio
    audio.timestamp = reception.extend(packet.timestamp)
    audio.arrivedAt = arrivedAtMs * SAMPLES_PER_MS
    audio.missing = reception.missing
    audio.datagram = packet.datagram
    audio.offset = packet.payloadOffset
    audio.length = length
    audio.table = use
    if (audio.missing >= 0) reception.observeArrival(audio.arrivedAt, audio.timestamp)
    return this.#leg.place(audio)
  }

  #receptionOf(ssrc: number): SsrcReception {
    const reception = this.#reception
    if (reception !== undefined && reception.ssrc === ssrc) return reception
    if (reception !== undefined) {
      this.#tally.ssrcChanges++
      this.#lostBefore += reception.lost
    }
    this.#leg.restart()
    this.#reception = new SsrcReception(ssrc)
    return this.#reception
  }
}
