import type { Clock } from '../base/clock.ts'
import { Channel, type TakenLeg } from './channel.ts'
import type { EngineSettings } from './engine-protocol.ts'
import { ForkLeg } from './fork-leg.ts'
import type { OnLost } from './leg-buffer.ts'
import { LossMap } from './loss-map.ts'
import { MediaStream } from './media-stream.ts'
import type { OpenPageSink, SinkFacts } from './page-sink.ts'
import type { RecordedStream } from './recorded-stream.ts'
import { RecordingFile } from './recording-file.ts'
import type {
  ForkPlan,
  LiveRecording,
  ReasonCode,
  RecordingOutcome,
  RecordingPlan,
  Role,
  StreamPlan,
} from './recording-plan.ts'
import type { RelayParty } from './relay-party.ts'
import type { SocketPair } from './rtp-sockets.ts'
import { SAMPLES_PER_MS, SLOT_SAMPLES } from './sample-clock.ts'
import { LEAD_IN_SAMPLES, TimelineLeg } from './timeline-leg.ts'
import { type ChannelFacts, giveVerdict } from './verdict.ts'

export interface RecordingOptions {
  readonly plan: RecordingPlan
  readonly settings: EngineSettings
  readonly clock: Clock
  readonly openSink: OpenPageSink
  /** The Opus packet that stands for a slot without sound. */
  readonly silence: Uint8Array
}

/** A packet that began before the call's end is kept whole, up to so much. */
const LONGEST_TAIL = 60 * SAMPLES_PER_MS
/**
 * A fork that stands still may yet send what it holds back, in frames of two seconds; so long the timeline waits for
 * it, which takes a ring of four seconds.
 */
const STALL_WAIT = 2500 * SAMPLES_PER_MS
const FORK_RING_SAMPLES = 32_768
/** Media may outrun the message that the call was answered, by a second. */
const KEPT_BEFORE_ANSWER = 1000 * SAMPLES_PER_MS

/**
 * One recording while it runs: its streams, the timeline that they share, and its file.
 *
 * `advance` moves the timeline on; everything else happens when packets come. Owns the streams' sockets (which
 * `sockets` hands back for closing) and the file. Before the answer nothing is taken from the legs; before the first
 * media there is no file.
 */
export class Recording {
  readonly recordingId: string
  readonly #settings: EngineSettings
  readonly #clock: Clock
  readonly #openSink: OpenPageSink
  readonly #silence: Uint8Array
  readonly #streams = new Map<string, RecordedStream>()
  readonly #taken = new Map<RecordedStream, TakenLeg>()
  readonly #channels: readonly [Channel, Channel]
  readonly #losses = new LossMap()
  readonly #openedAt: number
  #legs: readonly TakenLeg[] = []
  /** Position of the answer, and the same moment as epoch milliseconds. */
  #answer: number | undefined
  #answeredAtMs: number
  /** Position of the file's first sample: the answer, or a few slots before it. */
  #zero: number | undefined
  /** Position of the next slot. */
  #next = 0
  #end: number | undefined
  #file: RecordingFile | undefined
  #reasons: readonly ReasonCode[] = []
  #hasFailed = false
  #failure: unknown
  #isFinished = false

  constructor(options: RecordingOptions) {
    this.recordingId = options.plan.recordingId
    this.#settings = options.settings
    this.#clock = options.clock
    this.#openSink = options.openSink
    this.#openedAt = this.#now()
    this.#answeredAtMs = options.clock.epochMs()
    this.#silence = options.silence
    const channel = { ...options.settings, silence: options.silence }
    this.#channels = [new Channel(channel), new Channel(channel)]
  }

  /** Sockets of all streams that there have been. */
  get sockets(): readonly SocketPair[] {
    return [...this.#streams.values()].flatMap((stream) => stream.sockets ?? [])
  }

  get streams(): Iterable<RecordedStream> {
    return this.#streams.values()
  }

  stream(streamId: string): RecordedStream | undefined {
    return this.#streams.get(streamId)
  }

  /** Whether `finish` was called: nothing can be added any more. */
  get isFinished(): boolean {
    return this.#isFinished
  }

  /** Bytes that the sink has accepted and not yet written. */
  get pendingBytes(): number {
    return this.#file?.pendingBytes ?? 0
  }

  addStream(plan: StreamPlan, sockets: SocketPair): void {
    const onFailed = (error: unknown) => this.fail(error)
    this.#add(
      plan.streamId,
      (leg) => new MediaStream({ plan, sockets, leg, clock: this.#clock, onFailed }),
    )
    this.#joinRelays()
  }

  /** The stream's own party, to send it something; undefined where there is no such stream of RTP. */
  party(streamId: string): RelayParty | undefined {
    const stream = this.#streams.get(streamId)
    return stream instanceof MediaStream ? stream.party : undefined
  }

  #joinRelays(): void {
    for (const stream of this.#streams.values()) {
      if (!(stream instanceof MediaStream)) continue
      const { relaysTo } = stream
      stream.relayTo(relaysTo === undefined ? undefined : this.party(relaysTo))
    }
  }

  /** The legs that a fork fills, left channel first: those of the fork before, or new ones. */
  forkLegs({ roles }: ForkPlan): readonly ForkLeg[] {
    return roles.map((role) => {
      const streamId = `fork-${role}`
      const known = this.#streams.get(streamId)
      if (known instanceof ForkLeg) return known
      return this.#add(
        streamId,
        (leg, onLost) => new ForkLeg({ streamId, role, leg, clock: this.#clock, onLost }),
        FORK_RING_SAMPLES,
      )
    })
  }

  get #forks(): readonly ForkLeg[] {
    return [...this.#streams.values()].filter((stream) => stream instanceof ForkLeg)
  }

  #add<Stream extends RecordedStream>(
    streamId: string,
    make: (leg: TimelineLeg, onLost: OnLost) => Stream,
    ringSamples?: number,
  ): Stream {
    const base = this.#zero === undefined ? this.#openedAt - LEAD_IN_SAMPLES : this.#next
    const onLost: OnLost = (at, length) => this.#lose(stream, at, length)
    const leg = new TimelineLeg(base, onLost, ringSamples)
    if (this.#zero !== undefined) leg.startAt(this.#next)
    const stream = make(leg, onLost)
    this.#streams.set(streamId, stream)
    this.#taken.set(stream, { leg, energy: 0 })
    if (this.#zero !== undefined) stream.startCounting()
    this.#assignLegs()
    return stream
  }

  /** Applies a re-offer to the streams that exist; those it does not name stop receiving. */
  updateStreams(plans: readonly StreamPlan[]): void {
    const named = new Map(plans.map((plan) => [plan.streamId, plan]))
    for (const stream of this.#streams.values()) {
      const plan = named.get(stream.streamId)
      if (plan === undefined) stream.deactivate()
      else stream.update(plan)
    }
    this.#joinRelays()
    this.#assignLegs()
  }

  /** Sets the timeline's zero. A second answer changes nothing. */
  answer(answeredAtMs: number): void {
    if (this.#zero !== undefined) return
    this.#answeredAtMs = answeredAtMs
    const bases = this.#legs.map(({ leg }) => leg.base)
    const answer = Math.max(this.#openedAt, this.#positionOf(answeredAtMs), ...bases)
    this.#answer = answer
    this.#zero = answer
    this.#next = answer
    for (const stream of this.#streams.values()) {
      stream.leg.startAt(answer)
      stream.startCounting()
    }
  }

  /** The call ended: nothing that begins later is recorded. */
  end(endedAtMs: number, reasons: readonly ReasonCode[]): void {
    if (this.#end !== undefined) return
    this.#reasons = reasons
    const end = Math.max(this.#zero ?? 0, Math.min(this.#now(), this.#positionOf(endedAtMs)))
    this.#end = end
    for (const stream of this.#streams.values()) {
      stream.stopCounting()
      stream.leg.endAt(end)
    }
    for (const fork of this.#forks) fork.end(end)
  }

  /** Takes every slot that ends at or before the position, as far as the call goes. */
  advance(position: number): void {
    if (this.#hasFailed) return
    if (this.#zero === undefined) {
      const heldSamples = KEPT_BEFORE_ANSWER - this.#settings.holdBackMs * SAMPLES_PER_MS
      for (const { leg } of this.#legs) leg.discardBefore(position - heldSamples)
      return
    }
    const limit = Math.min(this.#waitForForks(position), this.#end ?? position)
    if (this.#next + SLOT_SAMPLES > limit) return
    if (this.#file === undefined && !this.#openFile()) {
      while (this.#next + SLOT_SAMPLES <= limit) this.#next += SLOT_SAMPLES
      for (const { leg } of this.#legs) leg.discardBefore(this.#next)
      return
    }
    if (this.#file?.failure !== undefined) return
    while (this.#next + SLOT_SAMPLES <= limit) this.#writeSlot()
  }

  /**
   * Something threw on the recording's side: it keeps what it has and takes nothing more. What passes through goes
   * on passing. The first failure stays.
   */
  fail(error: unknown): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    this.#failure = error
  }

  /** Hands out why the recording failed, once. */
  takeFailure(): unknown {
    const failure = this.#failure
    this.#failure = undefined
    return failure
  }

  /** Why nothing is recorded any more, while the call goes on; undefined while all is well. */
  get stopReason(): 'engine_failed' | 'disk_full' | 'write_failed' | undefined {
    if (this.#hasFailed) return 'engine_failed'
    const failure = this.#file?.failure
    if (failure === undefined) return undefined
    return failure.code === 'disk_full' ? 'disk_full' : 'write_failed'
  }

  /** Sends receiver reports that are due. */
  report(): void {
    const now = this.#clock.monotonicMs()
    for (const stream of this.#streams.values()) stream.reportIfDue(now)
  }

  live(): LiveRecording {
    return {
      recordingId: this.recordingId,
      durationMs: this.#zero === undefined ? 0 : (this.#next - this.#zero) / SAMPLES_PER_MS,
      bytes: this.#file?.bytes ?? 0,
      levelsDb: [this.#channels[0].levelDb, this.#channels[1].levelDb],
      lostMs: this.#losses.lostMs,
      ...this.#quiet(),
    }
  }

  #quiet(): Pick<LiveRecording, 'quietMs'> {
    const heardAtMs = [...this.#streams.values()].flatMap((stream) =>
      stream instanceof MediaStream ? stream.heardAtMs : [],
    )
    if (heardAtMs.length === 0) return {}
    return { quietMs: Math.round(this.#clock.monotonicMs() - Math.max(...heardAtMs)) }
  }

  /**
   * Writes what is left up to the end, finishes the file and gives the verdict. `end` was called before; the sockets
   * are not needed any more. Rejects only where the sink breaks its promise not to.
   */
  async finish(): Promise<RecordingOutcome> {
    this.#isFinished = true
    const answer = this.#answer ?? 0
    const callEnd = this.#answer === undefined ? answer : (this.#end ?? answer)
    const audioEnd = this.#hasFailed ? this.#next : this.#drain(callEnd)
    const lengthSamples = audioEnd - (this.#zero ?? audioEnd)
    const facts = await this.#file?.finish(lengthSamples)
    return this.#outcome(facts, { lengthSamples, callSamples: callEnd - answer })
  }

  /** A fork that stands still is waited for, up to `STALL_WAIT`. */
  #waitForForks(position: number): number {
    let limit = position
    for (const fork of this.#forks) {
      if (fork.isAwaited) limit = Math.min(limit, fork.leg.end)
    }
    return Math.max(limit, position - STALL_WAIT)
  }

  /** Opens the file at the first media, and writes the silence that went before it. */
  #openFile(): boolean {
    if (![...this.#streams.values()].some((stream) => stream.tally.placed > 0)) return false
    if (this.#next === this.#answer) this.#reachBack(this.#answer)
    this.#file = new RecordingFile({
      recordingId: this.recordingId,
      openSink: this.#openSink,
      holdBackMs: this.#settings.holdBackMs,
    })
    const silence = this.#silence
    for (let at = this.#zero ?? 0; at < this.#next; at += SLOT_SAMPLES) {
      this.#file.append(silence, silence)
    }
    return true
  }

  /** Lets the file begin with the packets that were on their way at the answer, which reach back before it. */
  #reachBack(answer: number): void {
    const starts = this.#legs.flatMap(({ leg }) => leg.start ?? [])
    const held = Math.max(...this.#legs.map(({ leg }) => leg.base))
    const wanted = Math.ceil((answer - Math.min(answer, ...starts)) / SLOT_SAMPLES)
    const slots = Math.min(wanted, Math.floor((answer - held) / SLOT_SAMPLES))
    this.#next = answer - slots * SLOT_SAMPLES
    this.#zero = this.#next
    for (const { leg } of this.#legs) leg.discardBefore(this.#next)
  }

  /** Writes what the legs still hold, and tells where the audio ends. */
  #drain(callEnd: number): number {
    if (this.#zero === undefined) return callEnd
    for (const fork of this.#forks) fork.settle()
    let end = callEnd
    for (const { leg } of this.#legs) end = Math.max(end, Math.min(leg.end, callEnd + LONGEST_TAIL))
    if (this.#file === undefined) this.#openFile()
    const file = this.#file
    const zero = this.#zero
    while (file !== undefined && file.failure === undefined && file.needsMore(end - zero)) {
      this.#writeSlot()
    }
    return end
  }

  #writeSlot(): void {
    for (const taken of this.#legs) taken.energy = taken.leg.take()
    const [first, second] = this.#channels
    const packet = first.encode()
    this.#file?.append(packet, second.legs === first.legs ? packet : second.encode())
    this.#next += SLOT_SAMPLES
  }

  #assignLegs(): void {
    const streams = [...this.#streams.values()]
    const legsOf = (role: Role) =>
      streams
        .filter((stream) => stream.role === role || stream.role === 'mixed')
        .flatMap((stream) => this.#taken.get(stream) ?? [])
    this.#legs = [...this.#taken.values()]
    const caller = legsOf('caller')
    const agent = legsOf('agent')
    const isOneStream = streams.length > 0 && streams.every((stream) => stream.role === 'mixed')
    this.#channels[0].setLegs(caller)
    // Where both channels carry the same, they share the list, and it is encoded once.
    this.#channels[1].setLegs(isOneStream ? caller : agent)
  }

  #lose(stream: RecordedStream, position: number, length: number): void {
    const zero = this.#zero
    if (zero === undefined) return
    const from = Math.max(position, zero)
    const to = Math.min(position + length, this.#end ?? Number.POSITIVE_INFINITY)
    if (to <= from) return
    if (stream.role !== 'agent') this.#losses.add(0, from, to - from)
    if (stream.role !== 'caller') this.#losses.add(1, from, to - from)
  }

  #outcome(
    facts: SinkFacts | undefined,
    { lengthSamples, callSamples }: { lengthSamples: number; callSamples: number },
  ): RecordingOutcome {
    const hasFile = facts !== undefined && facts.bytes > 0
    const failure = this.#file?.failure
    const writtenSamples = this.#next - (this.#zero ?? this.#next)
    const durationMs =
      (failure === undefined ? lengthSamples : Math.min(writtenSamples, lengthSamples)) /
      SAMPLES_PER_MS
    const callDurationMs = callSamples / SAMPLES_PER_MS
    return {
      recordingId: this.recordingId,
      ...giveVerdict({
        channels: [this.#channelFacts(0), this.#channelFacts(1)],
        longestLossMs: this.#losses.longestMs,
        durationMs,
        callDurationMs,
        sinkFailure: failure === undefined ? undefined : sinkReason(failure.code),
        hasFile,
        reasons: this.#hasFailed ? [...this.#reasons, 'engine_failed'] : this.#reasons,
      }),
      durationMs: hasFile ? durationMs : 0,
      callDurationMs,
      startedAtMs: this.#answeredAtMs - ((this.#answer ?? 0) - (this.#zero ?? 0)) / SAMPLES_PER_MS,
      lostMs: this.#losses.lostMs,
      lossMap: this.#losses.spans(this.#zero ?? 0),
      bytes: facts?.bytes ?? 0,
      sha256: hasFile ? facts.sha256 : null,
      streams: [...this.#streams.values()].map((stream) => stream.counters()),
    }
  }

  #channelFacts(channel: 0 | 1): ChannelFacts {
    const role: Role = channel === 0 ? 'caller' : 'agent'
    const streams = [...this.#streams.values()].filter(
      (stream) => stream.role === role || stream.role === 'mixed',
    )
    const sharesFirst = this.#channels[1].legs === this.#channels[0].legs
    return {
      receivingMs: streams.reduce((most, stream) => Math.max(most, stream.receivingMs), 0),
      placedPackets: streams.reduce((sum, stream) => sum + stream.tally.placed, 0),
      latePackets: streams.reduce((sum, stream) => sum + stream.tally.late, 0),
      audibleMs: this.#channels[sharesFirst ? 0 : channel].audibleMs,
      lostMs: this.#losses.lostSamples(channel) / SAMPLES_PER_MS,
      isMixed: streams.some((stream) => stream.role === 'mixed'),
    }
  }

  #now(): number {
    return Math.round(this.#clock.monotonicMs() * SAMPLES_PER_MS)
  }

  /** The position of a moment given as epoch milliseconds, by the difference from now. */
  #positionOf(epochMs: number): number {
    const agoMs = this.#clock.epochMs() - epochMs
    return Math.round((this.#clock.monotonicMs() - agoMs) * SAMPLES_PER_MS)
  }
}

function sinkReason(code: string): ReasonCode {
  return code === 'disk_full' ? 'disk_full' : 'write_failed'
}
