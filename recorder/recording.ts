import type { Clock } from '../base/clock.ts'
import type { FilterProcesses } from './decoding/filter-processes.ts'
import type { EngineSettings } from './engine-protocol.ts'
import { ForkLeg } from './fork-leg.ts'
import type { OnLost } from './leg-buffer.ts'
import { LossMap } from './loss-map.ts'
import { MediaStream, type StreamPlace } from './media-stream.ts'
import type { OpenPageSink } from './page-sink.ts'
import type { PauseCode } from './pause-codes.ts'
import type { RecordedStream } from './recorded-stream.ts'
import { outcomeOf, sinkReason } from './recording-outcome.ts'
import { RecordingPauses } from './recording-pauses.ts'
import type {
  ForkPlan,
  LiveRecording,
  ReasonCode,
  RecordingOutcome,
  RecordingPlan,
  StreamPlan,
} from './recording-plan.ts'
import { RecordingSpan } from './recording-span.ts'
import { RecordingStreams } from './recording-streams.ts'
import type { RelayParty } from './relay-party.ts'
import type { SocketPair } from './rtp-sockets.ts'
import { SAMPLES_PER_MS, SLOT_SAMPLES } from './sample-clock.ts'
import { SlotWriter } from './slot-writer.ts'
import { LEAD_IN_SAMPLES, TimelineLeg } from './timeline-leg.ts'
import type { VoiceEncoders } from './voice-encoders.ts'

export interface RecordingOptions {
  readonly plan: RecordingPlan
  readonly settings: EngineSettings
  readonly clock: Clock
  readonly openSink: OpenPageSink
  readonly processes: FilterProcesses
  readonly encoders: VoiceEncoders
  /** The Opus packet that stands for a slot without sound. */
  readonly silence: Uint8Array
  /** How long what is read now may have waited to be read, milliseconds; not at all where absent. */
  readonly heldUpMs?: (() => number) | undefined
  /** A pause began or ended. */
  readonly onPausesChanged: () => void
}

/**
 * Engine and signalling each tell wall time in whole milliseconds, so their clocks agree within this. A packet that
 * came just before the BYE must not be taken for one that came after it.
 */
const CLOCK_SLACK = 2 * SAMPLES_PER_MS
/** A packet that began before the call's end is kept whole, up to so much. */
const LONGEST_TAIL = 60 * SAMPLES_PER_MS
/**
 * A fork that stands still may yet send what it holds back, in frames of two seconds; so long the timeline waits for
 * it, which takes a ring of four seconds.
 */
const STALL_WAIT = 2500 * SAMPLES_PER_MS
const FORK_RING_SAMPLES = 32_768
/** A decoder that is starting, or has hung, is waited for as long as the other legs have room for what comes. */
const DECODE_WAIT = 1000 * SAMPLES_PER_MS
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
  readonly #processes: FilterProcesses
  readonly #heldUpMs: (() => number) | undefined
  readonly #writer: SlotWriter
  readonly #streams: RecordingStreams
  readonly #losses = new LossMap()
  readonly pauses: RecordingPauses
  readonly #span: RecordingSpan
  #reasons: readonly ReasonCode[] = []
  #hasFailed = false
  #failure: unknown
  /** Nothing is heard any more. */
  #isDeaf: boolean
  #isClosed = false

  constructor(options: RecordingOptions) {
    this.recordingId = options.plan.recordingId
    this.#settings = options.settings
    this.#clock = options.clock
    this.#processes = options.processes
    this.#heldUpMs = options.heldUpMs
    this.#writer = new SlotWriter({ ...options, recordingId: this.recordingId })
    this.#streams = new RecordingStreams(this.#writer.channels)
    this.#span = new RecordingSpan(options.clock)
    const { pausedBy = [], isStopped = false } = options.plan.control ?? {}
    const onChanged = options.onPausesChanged
    this.pauses = new RecordingPauses({ span: this.#span, pausedBy, onChanged })
    this.#isDeaf = isStopped
  }

  /** Sockets of all streams that there have been. */
  get sockets(): readonly SocketPair[] {
    return this.#streams.sockets
  }

  get streams(): readonly RecordedStream[] {
    return this.#streams.all
  }

  stream(streamId: string): RecordedStream | undefined {
    return this.#streams.get(streamId)
  }

  /** The stream's own party, to send it something; undefined where there is no such stream of RTP. */
  party(streamId: string): RelayParty | undefined {
    return this.#streams.party(streamId)
  }

  /** Whether `close` was called: nothing can be added any more. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Bytes that the sink has accepted and not yet written. */
  get pendingBytes(): number {
    return this.#writer.pendingBytes
  }

  /** Gives up what a stream is received on; undefined where it has no sockets of its own. */
  releaseStream(streamId: string): StreamPlace | undefined {
    return this.#streams.release(streamId)
  }

  addStream(given: StreamPlan, place: StreamPlace): void {
    const options = {
      ...place,
      plan: this.#heard(given),
      clock: this.#clock,
      processes: this.#processes,
      heldUpMs: this.#heldUpMs,
      takesExpiredKeys: this.#settings.takesExpiredKeys,
      onFailed: (error: unknown) => this.fail(error),
      onCode: (code: PauseCode, arrivedAtMs: number) => this.pauses.obey(code, arrivedAtMs),
    }
    this.#add((leg) => new MediaStream({ ...options, leg }))
  }

  /** The legs that a fork fills, left channel first: those of the fork before, or new ones. */
  forkLegs({ legs }: ForkPlan): readonly ForkLeg[] {
    const [clock, heldUpMs] = [this.#clock, this.#heldUpMs]
    return legs.map((plan) => {
      const known = this.#streams.get(plan.streamId)
      if (known instanceof ForkLeg) return known
      return this.#add(
        (leg, onLost) => new ForkLeg({ plan: this.#heard(plan), leg, clock, heldUpMs, onLost }),
        FORK_RING_SAMPLES,
      )
    })
  }

  #add<Stream extends RecordedStream>(
    make: (leg: TimelineLeg, onLost: OnLost) => Stream,
    ringSamples?: number,
  ): Stream {
    const { openedAt, answer, next } = this.#span
    const base = answer === undefined ? openedAt - LEAD_IN_SAMPLES : next
    const onLost: OnLost = (at, length) => this.#lose(stream, at, length)
    const leg = new TimelineLeg(base, onLost, ringSamples)
    if (answer !== undefined) leg.startAt(next)
    const stream = make(leg, onLost)
    this.#streams.add(stream)
    if (answer !== undefined) stream.startCounting()
    return stream
  }

  /** Applies a re-offer to the streams that exist; those it does not name stop receiving. */
  updateStreams(plans: readonly StreamPlan[]): void {
    this.#streams.update(plans.map((plan) => this.#heard(plan)))
  }

  /** Hears nothing any more; what passes through goes on passing. */
  deafen(): void {
    this.#isDeaf = true
    for (const stream of this.#streams.all) stream.deactivate()
  }

  /** Nothing is added any more. */
  close(): void {
    this.#isClosed = true
  }

  /** The timeline begins. A second answer changes nothing. */
  answer(answeredAtMs: number): void {
    if (this.#span.answer !== undefined) return
    const bases = this.#streams.legs.map(({ leg }) => leg.base)
    const answer = this.#span.answerAt(answeredAtMs, Math.max(...bases))
    for (const stream of this.#streams.all) {
      stream.leg.startAt(answer)
      stream.startCounting()
    }
    this.pauses.answered()
  }

  /** The call ended: nothing that begins later is recorded. */
  end(endedAtMs: number, reasons: readonly ReasonCode[]): void {
    if (this.#span.end !== undefined) return
    this.#reasons = reasons
    const end = this.#span.endAt(endedAtMs)
    for (const stream of this.#streams.all) {
      stream.stopCounting()
      stream.leg.endAt(end + CLOCK_SLACK)
    }
    for (const fork of this.#streams.forks) fork.end(end)
  }

  /** Takes every slot that ends at or before the position, as far as the call goes. */
  advance(position: number): void {
    if (this.#hasFailed) return
    const span = this.#span
    if (span.answer === undefined) {
      const heldSamples = KEPT_BEFORE_ANSWER - this.#settings.holdBackMs * SAMPLES_PER_MS
      this.#discardBefore(position - heldSamples)
      return
    }
    const limit = Math.min(this.#waitForLegs(position), span.end ?? position)
    if (span.next + SLOT_SAMPLES > limit) return
    if (!this.#writer.isOpen && !this.#openFile()) {
      while (span.next + SLOT_SAMPLES <= limit) span.step()
      this.#discardBefore(span.next)
      return
    }
    if (this.#writer.failure !== undefined) return
    while (span.next + SLOT_SAMPLES <= limit) this.#writeSlot()
    this.#writer.endBatch()
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
    const { failure } = this.#writer
    return failure === undefined ? undefined : sinkReason(failure.code)
  }

  /** What its file says of why it takes nothing more, in a sentence; undefined while it takes all. */
  get fileProblem(): string | undefined {
    return this.#writer.failure?.message
  }

  /** Sends receiver reports that are due. */
  report(): void {
    const now = this.#clock.monotonicMs()
    for (const stream of this.#streams.all) stream.reportIfDue(now)
  }

  live(): LiveRecording {
    const { heardAtMs } = this.#streams
    const { bytes, channels } = this.#writer
    return {
      recordingId: this.recordingId,
      durationMs: this.#span.takenSamples / SAMPLES_PER_MS,
      bytes,
      levelsDb: [channels[0].levelDb, channels[1].levelDb],
      lostMs: this.#losses.lostMs,
      ...(heardAtMs === undefined
        ? {}
        : { quietMs: Math.round(this.#clock.monotonicMs() - heardAtMs) }),
    }
  }

  /**
   * Writes what is left up to the end, finishes the file and gives the verdict. `end` was called before; the sockets
   * are not needed any more. Rejects only where the sink breaks its promise not to.
   */
  async finish(): Promise<RecordingOutcome> {
    await Promise.all(this.#streams.all.map((stream) => stream.finishDecoding()))
    const span = this.#span
    const audioEnd = this.#hasFailed ? span.next : this.#drain()
    const lengthSamples = audioEnd - (span.start ?? audioEnd)
    const facts = await this.#writer.finish(lengthSamples)
    return outcomeOf({
      recordingId: this.recordingId,
      span,
      streams: this.#streams,
      channels: this.#writer.channels,
      losses: this.#losses,
      pauses: this.pauses.toldUntil(audioEnd),
      reasons: this.#hasFailed ? [...this.#reasons, 'engine_failed'] : this.#reasons,
      lengthSamples,
      facts,
      sinkFailure: this.#writer.failure,
    })
  }

  /** A fork that stands still is waited for, up to `STALL_WAIT`, and a decoder up to `DECODE_WAIT`. */
  #waitForLegs(position: number): number {
    let limit = position
    for (const fork of this.#streams.forks) {
      if (fork.isAwaited) limit = Math.min(limit, fork.leg.end)
    }
    limit = Math.max(limit, position - STALL_WAIT)
    for (const stream of this.#streams.all) {
      if (stream.isDecoding)
        limit = Math.min(limit, Math.max(stream.leg.end, position - DECODE_WAIT))
    }
    return limit
  }

  /** Opens the file at the first media, and writes the silence that went before it. */
  #openFile(): boolean {
    if (!this.#streams.havePlaced) return false
    if (this.#span.takenSamples === 0) this.#leadIn()
    this.#writer.open(this.#span.takenSamples / SLOT_SAMPLES)
    return true
  }

  /** Lets the file begin with the packets that were on their way at the answer, which reach back before it. */
  #leadIn(): void {
    const legs = this.#streams.legs.map(({ leg }) => leg)
    const answer = this.#span.next
    const held = Math.max(...legs.map((leg) => leg.base))
    const start = Math.min(answer, ...legs.flatMap((leg) => leg.start ?? []))
    const wanted = Math.ceil((answer - start) / SLOT_SAMPLES)
    this.#span.leadIn(Math.min(wanted, Math.floor((answer - held) / SLOT_SAMPLES)))
    this.#discardBefore(this.#span.next)
  }

  /** Writes what the legs still hold, and tells where the audio ends. */
  #drain(): number {
    const span = this.#span
    if (span.answer === undefined) return 0
    for (const fork of this.#streams.forks) fork.settle()
    const callEnd = span.end ?? span.answer
    const ends = this.#streams.legs.map(({ leg }) => Math.min(leg.end, callEnd + LONGEST_TAIL))
    const end = Math.max(callEnd, ...ends)
    if (!this.#writer.isOpen) this.#openFile()
    const length = end - (span.start ?? end)
    while (this.#writer.needsMore(length)) this.#writeSlot()
    return end
  }

  #writeSlot(): void {
    const { next } = this.#span
    const { legs } = this.#streams
    for (const taken of legs) taken.energy = taken.leg.take()
    this.#writer.write(this.pauses.mute(legs, next))
    this.#span.step()
  }

  /** What is heard of a stream. */
  #heard<Plan extends { readonly isReceiving: boolean }>(plan: Plan): Plan {
    return this.#isDeaf ? { ...plan, isReceiving: false } : plan
  }

  #discardBefore(position: number): void {
    for (const { leg } of this.#streams.legs) leg.discardBefore(position)
  }

  #lose(stream: RecordedStream, position: number, length: number): void {
    const { start, end } = this.#span
    if (start === undefined) return
    const from = Math.max(position, start)
    const to = Math.min(position + length, end ?? Number.POSITIVE_INFINITY)
    if (to <= from) return
    for (const lost of this.pauses.outside(from, to)) {
      if (stream.role !== 'agent') this.#losses.add(0, lost.from, lost.to - lost.from)
      if (stream.role !== 'caller') this.#losses.add(1, lost.from, lost.to - lost.from)
    }
  }
}
