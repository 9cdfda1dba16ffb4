import { classifyDatagram } from '../../recorder/datagram-kind.ts'
import { RtpPacket } from '../../recorder/rtp-packet.ts'
import { SsrcReception } from '../../recorder/ssrc-reception.ts'
import { KeyPresses } from '../../recorder/telephone-event.ts'

/** What a capture shows of one flow of media. */
export interface FlowFacts {
  readonly packets: number
  /** RTP packets by payload type. */
  readonly payloadTypes: ReadonlyMap<number, number>
  readonly lost: number
  readonly duplicates: number
  readonly ssrcs: number
  /** Longest time without a packet of RTP, milliseconds. */
  readonly longestGapMs: number
  /** Of the last SSRC, milliseconds. */
  readonly jitterMs: number
  /** How much faster than the capture's the sender's clock runs, parts in a million; undefined where too short to tell. */
  readonly driftPpm: number | undefined
  /** How often a key was pressed. Which ones is nobody's business. */
  readonly keyPresses: number
  /** Datagrams that are no RTP: RTCP, STUN and the like. */
  readonly others: number
  readonly firstMs: number
  readonly lastMs: number
}

/** A drift is told from so much on. */
const DRIFT_FROM_MS = 60_000
/** In each window the packet with the least delay counts. */
const DRIFT_WINDOW_MS = 5000

interface Clocked {
  readonly arrivedMs: number
  readonly delayMs: number
}

/** Gathers what there is to say of a flow, packet by packet. */
export class FlowStatistics {
  readonly #packet = new RtpPacket()
  readonly #payloadTypes = new Map<number, number>()
  readonly #presses = new KeyPresses()
  readonly #clockRateOf: (payloadType: number) => number
  readonly #isEvent: (payloadType: number) => boolean
  readonly #ssrcs = new Set<number>()
  #reception: SsrcReception | undefined
  #packets = 0
  #others = 0
  #lostBefore = 0
  #duplicates = 0
  #keyPresses = 0
  #firstMs: number | undefined
  #lastMs = 0
  #lastRtpMs: number | undefined
  #longestGapMs = 0
  #windows: Clocked[] = []
  #window: Clocked | undefined

  constructor(options: {
    /** Hertz; 0 where it is not known. */
    readonly clockRateOf: (payloadType: number) => number
    readonly isEvent: (payloadType: number) => boolean
  }) {
    this.#clockRateOf = options.clockRateOf
    this.#isEvent = options.isEvent
  }

  take(datagram: Uint8Array, atMs: number): void {
    this.#packets++
    this.#firstMs ??= atMs
    this.#lastMs = atMs
    const packet = this.#packet
    if (classifyDatagram(datagram) !== 'rtp' || !packet.read(datagram)) {
      this.#others++
      return
    }
    const { payloadType, ssrc, timestamp } = packet
    this.#payloadTypes.set(payloadType, (this.#payloadTypes.get(payloadType) ?? 0) + 1)
    this.#ssrcs.add(ssrc)
    if (this.#lastRtpMs !== undefined) {
      this.#longestGapMs = Math.max(this.#longestGapMs, atMs - this.#lastRtpMs)
    }
    this.#lastRtpMs = atMs
    const reception = this.#receptionOf(ssrc)
    switch (reception.receive(packet.sequenceNumber)) {
      case 'duplicate':
      case 'strayed':
        this.#duplicates++
        return
      case 'restarted':
        this.#renew(ssrc)
        return
      case 'new':
    }
    if (this.#isEvent(payloadType)) {
      const { payloadOffset, payloadLength } = packet
      const payload = datagram.subarray(payloadOffset, payloadOffset + payloadLength)
      if (this.#presses.hear(timestamp, payload) !== undefined) this.#keyPresses++
      reception.interruptJitter()
      return
    }
    const clockRate = this.#clockRateOf(payloadType)
    if (clockRate === 0 || packet.payloadLength === 0) return
    this.#observe(reception, { atMs, sentMs: (reception.extend(timestamp) / clockRate) * 1000 })
  }

  facts(): FlowFacts {
    return {
      packets: this.#packets,
      payloadTypes: this.#payloadTypes,
      lost: this.#lostBefore + (this.#reception?.lost ?? 0),
      duplicates: this.#duplicates,
      ssrcs: this.#ssrcs.size,
      longestGapMs: this.#longestGapMs,
      jitterMs: this.#reception?.jitter ?? 0,
      driftPpm: this.#driftPpm(),
      keyPresses: this.#keyPresses,
      others: this.#others,
      firstMs: this.#firstMs ?? 0,
      lastMs: this.#lastMs,
    }
  }

  #observe(reception: SsrcReception, { atMs, sentMs }: { atMs: number; sentMs: number }): void {
    reception.observeArrival(atMs, sentMs)
    const sight = { arrivedMs: atMs, delayMs: atMs - sentMs }
    const window = this.#window
    if (window === undefined || sight.delayMs < window.delayMs) this.#window = sight
    const openedMs = this.#windows.length * DRIFT_WINDOW_MS + (this.#firstMs ?? 0)
    if (atMs - openedMs < DRIFT_WINDOW_MS || this.#window === undefined) return
    this.#windows.push(this.#window)
    this.#window = undefined
  }

  /** From the first window to the last; a clock that was set anew tells nothing. */
  #driftPpm(): number | undefined {
    const first = this.#windows[0]
    const last = this.#windows.at(-1)
    if (first === undefined || last === undefined || this.#ssrcs.size > 1) return undefined
    const lengthMs = last.arrivedMs - first.arrivedMs
    if (lengthMs < DRIFT_FROM_MS) return undefined
    const ppm = ((first.delayMs - last.delayMs) / lengthMs) * 1e6
    return Math.abs(ppm) > 5000 ? undefined : Math.round(ppm)
  }

  #receptionOf(ssrc: number): SsrcReception {
    const reception = this.#reception
    if (reception?.ssrc === ssrc) return reception
    this.#windows = []
    this.#window = undefined
    this.#presses.restart()
    return this.#renew(ssrc)
  }

  #renew(ssrc: number): SsrcReception {
    this.#lostBefore += this.#reception?.lost ?? 0
    this.#reception = new SsrcReception(ssrc)
    return this.#reception
  }
}
