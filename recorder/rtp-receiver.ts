import type { Clock } from '../base/clock.ts'
import type { FilterProcesses } from './decoding/filter-processes.ts'
import { type RedundantBlock, readRedundantBlocks } from './decoding/redundant-payload.ts'
import { type Arrival, type PacketOutcome, PayloadPlacer } from './payload-placer.ts'
import type { PayloadUse } from './payload-use.ts'
import { RtpPacket } from './rtp-packet.ts'
import { SAMPLES_PER_MS } from './sample-clock.ts'
import { SsrcReception } from './ssrc-reception.ts'
import type { StreamTally } from './stream-tally.ts'
import type { TimelineLeg } from './timeline-leg.ts'

/**
 * Receives the RTP of a stream's own source: extends its numbers, tells audio from what is none, and places the audio
 * on the leg. Each packet ends in exactly one counter of the tally.
 */
export class RtpReceiver {
  readonly #placer: PayloadPlacer
  readonly #tally: StreamTally
  readonly #onEvent: ((packet: RtpPacket, arrivedAtMs: number) => void) | undefined
  /** A block of a packet with redundancy, read into again and again. */
  readonly #inner = new RtpPacket()
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
    readonly heldUpMs?: (() => number) | undefined
    /** A packet of a telephone-event: neither placed nor told of in any other way. */
    readonly onEvent?: (packet: RtpPacket, arrivedAtMs: number) => void
  }) {
    this.#onEvent = options.onEvent
    this.#placer = new PayloadPlacer(options)
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
    return this.#placer.isWaiting
  }

  /** Looks whether a decoder hangs. Called every batch. */
  watchDecoder(nowMs: number): void {
    this.#placer.watch(nowMs)
  }

  /** Nothing more comes: resolves when all that came is decoded and placed. */
  close(): Promise<void> {
    return this.#placer.close()
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
    if (packet.payloadLength === 0) return 'keepAlive'
    if (use === 'redundant') return this.#takeRedundant(packet, arrivedAtMs, reception)
    return this.#placer.take(packet, use, { arrivedAtMs, reception })
  }

  /** The primary block as if it had come alone, after those before it whose own packets are missing. */
  #takeRedundant(packet: RtpPacket, arrivedAtMs: number, reception: SsrcReception): PacketOutcome {
    const { datagram, payloadOffset, payloadLength } = packet
    const blocks = readRedundantBlocks(
      datagram.subarray(payloadOffset, payloadOffset + payloadLength),
    )
    const primary = blocks?.at(-1)
    if (blocks === undefined || primary === undefined) return 'undecodable'
    const missing = Math.max(0, reception.missing)
    const newer = blocks.filter(
      ({ timestampOffset, length }) =>
        length > 0 &&
        timestampOffset > 0 &&
        this.#placer.isNewer(packet.timestamp - timestampOffset),
    )
    // A slice from -0 on would be all of them.
    const lost = missing === 0 ? [] : newer.slice(-missing)
    reception.repair(lost.length)
    this.#placer.isRepairing = true
    for (const block of lost) {
      const outcome = this.#takeBlock(packet, block, { arrivedAtMs, reception })
      if (outcome === 'placed') this.#tally.repaired++
    }
    this.#placer.isRepairing = false
    return this.#takeBlock(packet, primary, { arrivedAtMs, reception })
  }

  #takeBlock(packet: RtpPacket, block: RedundantBlock, arrival: Arrival): PacketOutcome {
    const use = this.#uses.get(block.payloadType)
    if (use === undefined || use === 'redundant') return 'undecodable'
    const inner = this.#inner
    inner.datagram = packet.datagram
    inner.payloadType = block.payloadType
    inner.ssrc = packet.ssrc
    inner.sequenceNumber = packet.sequenceNumber
    inner.timestamp = (packet.timestamp - block.timestampOffset) >>> 0
    inner.payloadOffset = packet.payloadOffset + block.offset
    inner.payloadLength = block.length
    return this.#take(inner, arrival.arrivedAtMs, arrival.reception)
  }

  #receptionOf(packet: RtpPacket): SsrcReception {
    const reception = this.#reception
    const { ssrc } = packet
    if (reception !== undefined && reception.ssrc === ssrc) return reception
    if (reception !== undefined) this.#tally.ssrcChanges++
    this.#strayed = undefined
    this.#placer.restart()
    return this.#renew(ssrc)
  }

  #renew(ssrc: number): SsrcReception {
    this.#lostBefore += this.#reception?.lost ?? 0
    this.#reception = new SsrcReception(ssrc)
    return this.#reception
  }
}
