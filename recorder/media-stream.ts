import { randomBytes, randomInt } from 'node:crypto'
import type { RemoteInfo, Socket } from 'node:dgram'
import type { Clock } from '../base/clock.ts'
import { classifyDatagram } from './datagram-kind.ts'
import { g711Table } from './g711.ts'
import { type HeldPacket, HeldPackets } from './held-packets.ts'
import { MediaSource } from './media-source.ts'
import type { RecordedStream } from './recorded-stream.ts'
import type { MediaAddress, StreamCounters, StreamPlan } from './recording-plan.ts'
import { RelayParty } from './relay-party.ts'
import { readRtcp } from './rtcp-reader.ts'
import { writeReceiverReport } from './rtcp-writer.ts'
import { RtpPacket } from './rtp-packet.ts'
import type { SocketPair } from './rtp-sockets.ts'
import { SAMPLES_PER_MS } from './sample-clock.ts'
import { SsrcReception } from './ssrc-reception.ts'
import { StreamTally } from './stream-tally.ts'
import type { AudioPacket, TimelineLeg } from './timeline-leg.ts'

/** What a payload type is for: a decoding table for audio, or one of the kinds without any. */
type PayloadUse = Int16Array | 'event' | 'comfortNoise' | 'unrecordable'

type Mutable<Fields> = { -readonly [Key in keyof Fields]: Fields[Key] }

/** A shorter payload in an audio type is some senders' comfort noise: 1 ms of G.711. */
const SHORTEST_AUDIO_BYTES = 8
/** 200 ms; nobody sends more in one packet. */
const LONGEST_AUDIO_BYTES = 1600
/** RFC 3550 §6.2: five seconds, randomised by half. */
const REPORT_EVERY_MS = 5000

/**
 * One media stream from its sockets to its leg: parses, pins the source, sends on where the call passes through, and
 * places.
 *
 * Everything here runs for every packet: synchronous, without exceptions, logs or allocations, and each packet ends
 * in exactly one counter. Owns nothing: its recording closes the sockets.
 */
export class MediaStream implements RecordedStream {
  readonly streamId: string
  readonly leg: TimelineLeg
  readonly tally = new StreamTally()
  /** The stream's own party, for whatever is to be sent to it. */
  readonly party: RelayParty
  /** Monotonic milliseconds of the last packet from the stream's own source, or of its opening. */
  heardAtMs: number
  readonly #clock: Clock
  readonly #onFailed: (error: unknown) => void
  readonly #sockets: SocketPair
  readonly #source: MediaSource
  readonly #packet = new RtpPacket()
  readonly #held = new HeldPackets()
  /** These two are filled for each packet, so that none costs an object. */
  readonly #origin = { address: '', port: 0, ssrc: 0, sequenceNumber: 0, arrivedAtMs: 0 }
  readonly #audio: Mutable<AudioPacket> = {
    timestamp: 0,
    arrivedAt: 0,
    missing: 0,
    datagram: new Uint8Array(0),
    offset: 0,
    length: 0,
    table: g711Table('PCMU'),
    stride: 1,
  }
  readonly #ownSsrc = randomInt(2 ** 32)
  /** Fresh for every stream, so that it identifies nobody (RFC 7022 §4.2). */
  readonly #cname = randomBytes(12).toString('base64')
  #plan: StreamPlan
  #uses: ReadonlyMap<number, PayloadUse>
  #reception: SsrcReception | undefined
  #lostBefore = 0
  #rtcpPeer: (MediaAddress & { readonly socket: Socket }) | undefined
  #reportAtMs = 0
  #receivingMs = 0
  #receivingSinceMs: number | undefined
  #onward: RelayParty | undefined
  #isRecorded = true

  constructor(options: {
    readonly plan: StreamPlan
    readonly sockets: SocketPair
    readonly leg: TimelineLeg
    readonly clock: Clock
    /** Recording a packet threw. The stream records no more, and relays on. */
    readonly onFailed: (error: unknown) => void
  }) {
    this.#plan = options.plan
    this.streamId = options.plan.streamId
    this.#sockets = options.sockets
    this.leg = options.leg
    this.#clock = options.clock
    this.heardAtMs = options.clock.monotonicMs()
    this.#onFailed = options.onFailed
    this.party = new RelayParty(options.sockets)
    this.party.signal(options.plan.remote, options.plan.relay)
    this.#source = new MediaSource(options.plan.remote)
    this.#uses = usesOf(options.plan)
    const { rtp, rtcp } = options.sockets
    rtp.on('message', (datagram, from) => this.#onMedia(datagram, from))
    rtcp.on('message', (datagram, from) => this.#onControl(datagram, from, rtcp))
    // A peer that has gone answers reports with ICMP errors; they change nothing.
    rtp.on('error', () => {})
    rtcp.on('error', () => {})
  }

  get role(): StreamPlan['role'] {
    return this.#plan.role
  }

  get rtpPort(): number {
    return this.#sockets.rtpPort
  }

  get sockets(): SocketPair {
    return this.#sockets
  }

  /** A re-offer. What is the same goes on undisturbed. */
  update(plan: StreamPlan): void {
    this.#source.reoffer(plan.remote)
    this.party.signal(plan.remote, plan.relay)
    this.#uses = usesOf(plan)
    const wasCounting = this.#receivingSinceMs !== undefined
    if (wasCounting) this.stopCounting()
    this.#plan = plan
    if (wasCounting) this.startCounting()
  }

  /** The stream whose party is sent what comes here, by the plan in force. */
  get relaysTo(): string | undefined {
    return this.#plan.relay?.toStreamId
  }

  /** Sends what comes from now on to a party, or to nobody. */
  relayTo(party: RelayParty | undefined): void {
    this.#onward = party
  }

  /** The offer does not name the stream any more: what comes is counted only. */
  deactivate(): void {
    this.update({ ...this.#plan, isReceiving: false })
  }

  /** The call is answered: from now on the stream should be heard. */
  startCounting(): void {
    this.#receivingSinceMs = this.#clock.monotonicMs()
  }

  stopCounting(): void {
    if (this.#receivingSinceMs === undefined) return
    if (this.#plan.isReceiving) {
      this.#receivingMs += this.#clock.monotonicMs() - this.#receivingSinceMs
    }
    this.#receivingSinceMs = undefined
  }

  /** How long the stream was to be received since the answer; exact after `stopCounting`. */
  get receivingMs(): number {
    return this.#receivingMs
  }

  counters(): StreamCounters {
    const { tally } = this
    tally.lostPackets = this.#lostBefore + (this.#reception?.lost ?? 0)
    tally.reanchored = this.leg.reanchored
    tally.jitterMs = (this.#reception?.jitter ?? 0) / SAMPLES_PER_MS
    return tally.snapshot(this.streamId)
  }

  /** Sends a receiver report where one is due. Called every batch. */
  reportIfDue(nowMs: number): void {
    // Parties that hear each other report to each other.
    if (this.#onward !== undefined) return
    const address = this.#source.address
    if (address === undefined || nowMs < this.#reportAtMs) return
    const isFirst = this.#reportAtMs === 0
    this.#reportAtMs = nowMs + REPORT_EVERY_MS * (0.5 + Math.random())
    if (isFirst) return
    const report = writeReceiverReport(this.#ownSsrc, this.#reception?.report(nowMs), this.#cname)
    const peer = this.#rtcpPeer ?? {
      address: address.address,
      port: address.port + 1,
      socket: this.#sockets.rtcp,
    }
    if (peer.port > 65_535) return
    peer.socket.send(report, peer.port, peer.address, () => {})
  }

  #onMedia(datagram: Buffer, from: RemoteInfo): void {
    switch (classifyDatagram(datagram)) {
      case 'keepAlive':
        this.tally.keepAlive++
        return
      case 'unknown':
        this.tally.notRtp++
        return
      case 'rtcp':
        this.#onControl(datagram, from, this.#sockets.rtp)
        return
      case 'rtp':
        this.#onRtp(datagram, from.address, from.port)
    }
  }

  #onRtp(datagram: Uint8Array, address: string, port: number): void {
    const packet = this.#packet
    if (!packet.read(datagram)) {
      this.tally.notRtp++
      return
    }
    if (!this.#plan.isReceiving && this.#onward === undefined) {
      this.tally.whileInactive++
      return
    }
    if (!this.#uses.has(packet.payloadType)) {
      this.tally.wrongPayloadType++
      return
    }
    const arrivedAtMs = this.#clock.monotonicMs()
    const { ssrc } = packet
    const origin = this.#origin
    origin.address = address
    origin.port = port
    origin.ssrc = ssrc
    origin.sequenceNumber = packet.sequenceNumber
    origin.arrivedAtMs = arrivedAtMs
    switch (this.#source.judge(origin)) {
      case 'accepted':
        this.#accept(datagram, arrivedAtMs)
        return
      case 'held':
        this.tally.wrongSource += this.#held.hold({ datagram, address, port, ssrc, arrivedAtMs })
        return
      case 'refused':
        this.tally.wrongSource++
        return
      case 'switched':
        this.#switch({ datagram, address, port, ssrc, arrivedAtMs })
    }
  }

  #switch(newest: HeldPacket): void {
    const { own, strangers } = this.#held.release(newest)
    this.tally.wrongSource += strangers
    this.party.learn(this.#source.address)
    for (const held of [...own, newest]) {
      this.#packet.read(held.datagram)
      this.#accept(held.datagram, held.arrivedAtMs)
    }
  }

  /** What the source's own packet becomes: first it goes on, so that nothing of the recording can hold it up. */
  #accept(datagram: Uint8Array, arrivedAtMs: number): void {
    this.heardAtMs = arrivedAtMs
    const onward = this.#onward
    if (onward !== undefined) this.tally[onward.send(datagram) ? 'relayed' : 'unrelayed']++
    if (!this.#plan.isReceiving || !this.#isRecorded) {
      this.tally.whileInactive++
      return
    }
    try {
      this.#receive(datagram, arrivedAtMs)
    } catch (error) {
      this.#isRecorded = false
      this.#onFailed(error)
    }
  }

  #receive(datagram: Uint8Array, arrivedAtMs: number): void {
    const packet = this.#packet
    const reception = this.#receptionOf(packet.ssrc)
    if (!reception.receive(packet.sequenceNumber)) {
      this.tally.duplicate++
      return
    }
    const use = this.#uses.get(packet.payloadType)
    if (use === 'unrecordable') {
      this.tally.unrecordable++
      return
    }
    if (use === 'event') {
      this.tally.events++
      reception.interruptJitter()
      return
    }
    if (packet.payloadLength === 0) {
      this.tally.keepAlive++
      return
    }
    if (
      use === undefined ||
      use === 'comfortNoise' ||
      packet.payloadLength < SHORTEST_AUDIO_BYTES
    ) {
      this.tally.comfortNoise++
      reception.interruptJitter()
      return
    }
    if (packet.payloadLength > LONGEST_AUDIO_BYTES) {
      this.tally.notRtp++
      return
    }
    const audio = this.#audio
    audio.timestamp = reception.extend(packet.timestamp)
    audio.arrivedAt = arrivedAtMs * SAMPLES_PER_MS
    audio.missing = reception.missing
    audio.datagram = datagram
    audio.offset = packet.payloadOffset
    audio.length = packet.payloadLength
    audio.table = use
    if (audio.missing >= 0) reception.observeArrival(audio.arrivedAt, audio.timestamp)
    this.tally[this.leg.place(audio)]++
  }

  #receptionOf(ssrc: number): SsrcReception {
    const reception = this.#reception
    if (reception !== undefined && reception.ssrc === ssrc) return reception
    if (reception !== undefined) {
      this.tally.ssrcChanges++
      this.#lostBefore += reception.lost
    }
    this.leg.restart()
    this.#reception = new SsrcReception(ssrc)
    return this.#reception
  }

  #onControl(datagram: Uint8Array, from: RemoteInfo, socket: Socket): void {
    if (classifyDatagram(datagram) !== 'rtcp') {
      this.tally[datagram.length === 0 ? 'keepAlive' : 'notRtp']++
      return
    }
    this.tally.rtcp++
    if (this.#onward !== undefined) this.#relayControl(datagram, from, this.#onward)
    // Reports go back only to the host that sends the media (no reflection).
    if (from.address !== this.#source.address?.address) return
    if (this.#rtcpPeer?.port !== from.port || this.#rtcpPeer.socket !== socket) {
      this.#rtcpPeer = { address: from.address, port: from.port, socket }
    }
    const { senderReport } = readRtcp(datagram)
    if (senderReport !== undefined && senderReport.ssrc === this.#reception?.ssrc) {
      this.#reception.hear(senderReport, this.#clock.monotonicMs())
    }
  }

  #relayControl(datagram: Uint8Array, from: RemoteInfo, onward: RelayParty): void {
    if (!this.party.isHost(from.address)) return
    this.party.learnControl({ address: from.address, port: from.port })
    this.tally[onward.sendControl(datagram) ? 'relayed' : 'unrelayed']++
  }
}

function usesOf(plan: StreamPlan): ReadonlyMap<number, PayloadUse> {
  const uses = new Map<number, PayloadUse>()
  for (const payloadType of plan.relay?.otherPayloadTypes ?? [])
    uses.set(payloadType, 'unrecordable')
  for (const payloadType of plan.comfortNoisePayloadTypes) uses.set(payloadType, 'comfortNoise')
  for (const payloadType of plan.eventPayloadTypes) uses.set(payloadType, 'event')
  for (const { payloadType, codec } of plan.formats) uses.set(payloadType, g711Table(codec))
  return uses
}
