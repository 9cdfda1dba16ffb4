import type { RemoteInfo, Socket } from 'node:dgram'
import type { Clock } from '../base/clock.ts'
import { classifyDatagram } from './datagram-kind.ts'
import { needsProcess } from './decoding/filter-kinds.ts'
import type { FilterProcesses } from './decoding/filter-processes.ts'
import { EarlyPackets } from './early-packets.ts'
import { type HeldPacket, HeldPackets } from './held-packets.ts'
import { MediaSource } from './media-source.ts'
import { PartyKeys } from './party-keys.ts'
import type { PauseCode } from './pause-codes.ts'
import { payloadUses } from './payload-use.ts'
import { ReceivingTime } from './receiving-time.ts'
import type { RecordedStream } from './recorded-stream.ts'
import type { CodecName, StreamCounters, StreamPlan } from './recording-plan.ts'
import { RelayParty } from './relay-party.ts'
import { RtcpSession } from './rtcp-session.ts'
import { RtpPacket } from './rtp-packet.ts'
import { RtpReceiver } from './rtp-receiver.ts'
import type { SocketPair } from './rtp-sockets.ts'
import { StreamProtection } from './srtp/stream-protection.ts'
import { StreamTally } from './stream-tally.ts'
import type { TimelineLeg } from './timeline-leg.ts'

/** Where a stream is received. */
export interface StreamPlace {
  readonly sockets: SocketPair
  /** Of the stream that was received there before; its keys may go on. */
  readonly protection?: StreamProtection
}

/**
 * One media stream at its sockets: tells kinds of datagrams apart, pins the source, sends on where the call passes
 * through, and has the receiver place what is audio.
 *
 * What comes for every packet is synchronous, without exceptions, logs or allocations, and each packet ends in exactly
 * one counter. Owns nothing: its recording closes the sockets.
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
  readonly #onCode: (code: PauseCode, arrivedAtMs: number) => void
  readonly #sockets: SocketPair
  #isReleased = false
  readonly #protection: StreamProtection
  readonly #source: MediaSource
  readonly #packet = new RtpPacket()
  readonly #held = new HeldPackets()
  readonly #early = new EarlyPackets()
  /** Filled for each packet, so that none costs an object. */
  readonly #origin = { address: '', port: 0, ssrc: 0, sequenceNumber: 0, arrivedAtMs: 0 }
  readonly #receiver: RtpReceiver
  readonly #rtcp: RtcpSession
  readonly #receivingTime: ReceivingTime
  readonly #keys = new PartyKeys()
  #plan: StreamPlan
  #onward: RelayParty | undefined
  #isRecorded = true
  #heardPayloadType: number | undefined

  constructor(options: {
    readonly plan: StreamPlan
    readonly sockets: SocketPair
    /** Of the stream that had the sockets before. */
    readonly protection?: StreamProtection | undefined
    readonly leg: TimelineLeg
    readonly clock: Clock
    readonly processes: FilterProcesses
    readonly heldUpMs?: (() => number) | undefined
    /** Packets of a key that is past its lifetime are heard all the same. */
    readonly takesExpiredKeys?: boolean | undefined
    /** Recording a packet threw. The stream records no more, and relays on. */
    readonly onFailed: (error: unknown) => void
    /** The party typed a code of the plan's; its last key arrived then, monotonic milliseconds. */
    readonly onCode: (code: PauseCode, arrivedAtMs: number) => void
  }) {
    this.#plan = options.plan
    this.streamId = options.plan.streamId
    this.#sockets = options.sockets
    this.leg = options.leg
    this.leg.removeTones(options.plan.removesTones ?? false)
    this.#clock = options.clock
    this.heardAtMs = options.clock.monotonicMs()
    this.#onFailed = options.onFailed
    this.#onCode = options.onCode
    const { tally } = this
    const { srtp } = options.plan
    this.#protection = options.protection ?? new StreamProtection({ ...options, tally, plan: srtp })
    options.protection?.handOver(tally, srtp)
    this.party = new RelayParty(options.sockets, this.#protection)
    this.party.signal(options.plan.remote, options.plan.relay)
    this.#source = new MediaSource(options.plan.remote)
    this.#receiver = new RtpReceiver({
      ...options,
      tally: this.tally,
      uses: payloadUses(options.plan),
      onEvent: (packet, arrivedAtMs) => this.#hearKey(packet, arrivedAtMs),
    })
    this.#rtcp = new RtcpSession({
      sockets: options.sockets,
      source: this.#source,
      protection: this.#protection,
    })
    this.#receivingTime = new ReceivingTime(options.clock, options.plan.isReceiving)
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

  get sockets(): SocketPair | undefined {
    return this.#isReleased ? undefined : this.#sockets
  }

  /** Gives its sockets up to another stream, which is to hear whatever comes from now on, by the keys of before. */
  release(): StreamPlace {
    this.deactivate()
    this.#isReleased = true
    for (const socket of [this.#sockets.rtp, this.#sockets.rtcp]) {
      socket.removeAllListeners('message')
      socket.removeAllListeners('error')
    }
    return { sockets: this.#sockets, protection: this.#protection }
  }

  /** A re-offer. What is the same goes on undisturbed. */
  update(plan: StreamPlan): void {
    // What it gave up is another stream's to agree on.
    if (!this.#isReleased) this.#protection.agree(plan.srtp)
    this.#source.reoffer(plan.remote)
    this.party.signal(plan.remote, plan.relay)
    this.#receiver.agree(payloadUses(plan))
    // A sender may count on while it is on hold, whatever becomes of what it sends.
    if (!plan.isReceiving) this.#receiver.excuseMissing()
    this.#receivingTime.update(plan.isReceiving)
    this.leg.removeTones(plan.removesTones ?? false)
    this.#plan = plan
    if (!this.#protection.awaitsKey) this.#hearEarly()
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

  startCounting(): void {
    this.#receivingTime.start()
  }

  stopCounting(): void {
    this.#receivingTime.stop()
  }

  get receivingMs(): number {
    return this.#receivingTime.totalMs
  }

  counters(): StreamCounters {
    const { tally } = this
    tally.lostPackets = this.#receiver.lostPackets
    tally.reanchored = this.leg.reanchored
    tally.jitterMs = this.#receiver.jitterMs
    tally.concealedMs = this.leg.concealedMs
    const { streamId, role } = this
    const counters = tally.snapshot({ streamId, role, codec: this.#codec })
    return { ...counters, unauthenticated: counters.unauthenticated + this.#early.count }
  }

  get #codec(): CodecName | null {
    const heard = this.#heardPayloadType
    if (heard === undefined) return null
    const { formats } = this.#plan
    const format = formats.find(({ payloadType }) => payloadType === heard) ?? formats[0]
    return format?.codec ?? null
  }

  get needsProcess(): boolean {
    return needsProcess(this.#plan)
  }

  get isDecoding(): boolean {
    return this.#receiver.isDecoding
  }

  finishDecoding(): Promise<void> {
    // What still waits for its source to prove itself never will.
    this.tally.wrongSource += this.#held.drop()
    return this.#receiver.close()
  }

  reportIfDue(nowMs: number): void {
    this.#receiver.watchDecoder(nowMs)
    // Parties that hear each other report to each other.
    if (this.#onward !== undefined || this.#isReleased) return
    this.#rtcp.reportIfDue(nowMs, this.#receiver.reception)
  }

  #onMedia(datagram: Buffer, from: RemoteInfo): void {
    const kind = classifyDatagram(datagram)
    switch (kind) {
      case 'keepAlive':
      case 'stun':
      case 'zrtp':
      case 'dtls':
        this.tally[kind]++
        return
      case 'unknown':
        this.tally.notRtp++
        return
      case 'rtcp':
        this.#onControl(datagram, from, this.#sockets.rtp)
        return
      case 'rtp':
        if (this.#protection.awaitsKey) this.#keepEarly(datagram, from, this.#sockets.rtp)
        else this.#onRtp(datagram, from, this.#clock.monotonicMs())
    }
  }

  #keepEarly(datagram: Buffer, from: RemoteInfo, socket: Socket): void {
    const arrivedAtMs = this.#clock.monotonicMs()
    this.tally.unauthenticated += this.#early.keep({ datagram, from, socket, arrivedAtMs })
  }

  /** The key is known that packets came by before: they are heard as of when they came. */
  #hearEarly(): void {
    const { packets, tooOld } = this.#early.take(this.#clock.monotonicMs())
    this.tally.unauthenticated += tooOld
    for (const { datagram, from, socket, arrivedAtMs } of packets) {
      if (classifyDatagram(datagram) === 'rtp') this.#onRtp(datagram, from, arrivedAtMs)
      else this.#onControl(datagram, from, socket)
    }
  }

  #onRtp(received: Uint8Array, { address, port }: RemoteInfo, arrivedAtMs: number): void {
    const packet = this.#packet
    const datagram = this.#protection.openRtp(received, arrivedAtMs)
    if (datagram === undefined) return
    if (!packet.read(datagram)) {
      this.tally.notRtp++
      return
    }
    const { ssrc } = packet
    const origin = this.#origin
    origin.address = address
    origin.port = port
    origin.ssrc = ssrc
    origin.sequenceNumber = packet.sequenceNumber
    origin.arrivedAtMs = arrivedAtMs
    if (!this.#plan.isReceiving && this.#onward === undefined) {
      this.tally.whileInactive++
      this.#receiver.excuseMissing()
      return
    }
    if (!this.#receiver.accepts(packet.payloadType)) {
      this.tally.wrongPayloadType++
      if (this.#source.isPinned(origin)) this.#receiver.passOver(ssrc)
      return
    }
    switch (this.#source.judge(origin)) {
      case 'accepted':
        this.#accept(arrivedAtMs)
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
      this.#accept(held.arrivedAtMs)
    }
  }

  /** What the source's own packet becomes: first it goes on, so that nothing of the recording can hold it up. */
  #accept(arrivedAtMs: number): void {
    const packet = this.#packet
    this.heardAtMs = arrivedAtMs
    this.#heardPayloadType = packet.payloadType
    const onward = this.#onward
    if (onward !== undefined) this.tally[onward.send(packet.datagram) ? 'relayed' : 'unrelayed']++
    if (!this.#plan.isReceiving || !this.#isRecorded) {
      this.tally.whileInactive++
      this.#receiver.excuseMissing()
      return
    }
    try {
      this.#receiver.receive(packet, arrivedAtMs)
    } catch (error) {
      this.#isRecorded = false
      this.#onFailed(error)
    }
  }

  #hearKey(packet: RtpPacket, arrivedAtMs: number): void {
    const code = this.#keys.hear(packet, { codes: this.#plan.pauseCodes, atMs: arrivedAtMs })
    if (code !== undefined) this.#onCode(code, arrivedAtMs)
  }

  #onControl(received: Buffer, from: RemoteInfo, socket: Socket): void {
    const kind = classifyDatagram(received)
    if (kind !== 'rtcp') {
      this.tally[kind === 'rtp' || kind === 'unknown' ? 'notRtp' : kind]++
      return
    }
    if (this.#protection.awaitsKey) {
      this.#keepEarly(received, from, socket)
      return
    }
    const datagram = this.#protection.openRtcp(received)
    if (datagram === undefined) return
    this.tally.rtcp++
    if (this.#onward !== undefined) this.#relayControl(datagram, from, this.#onward)
    const { address, port } = from
    const { reception } = this.#receiver
    this.#rtcp.hear(
      datagram,
      { address, port, socket },
      { reception, nowMs: this.#clock.monotonicMs() },
    )
  }

  #relayControl(datagram: Uint8Array, from: RemoteInfo, onward: RelayParty): void {
    if (!this.party.isHost(from.address)) return
    this.party.learnControl({ address: from.address, port: from.port })
    this.tally[onward.sendControl(datagram) ? 'relayed' : 'unrelayed']++
  }
}
