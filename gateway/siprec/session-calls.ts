import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { ReasonCode } from '../../recorder/recording-plan.ts'
import type { FinishedRecording } from '../calls/finish-recording.ts'
import type { DialogRenewer } from '../sip/renew-dialog.ts'
import type { Answer } from './answer-plan.ts'
import { CallDivision, type DividedCall } from './call-division.ts'
import type { CallMaker, CallOrigin } from './call-maker.ts'
import { IdleStreams } from './idle-streams.ts'
import { InTurn } from './in-turn.ts'
import type { ReadHeaders, RecordingRequest } from './recording-session-request.ts'
import type { SdpOffer } from './sdp-offer.ts'
import type { SessionCall } from './session-call.ts'
import type { SessionStream } from './session-plane.ts'
import type { StreamHolder } from './stream-holder.ts'
import { ownerOf } from './stream-owner.ts'

export interface SessionCallsOptions {
  readonly maker: CallMaker
  readonly origin: CallOrigin
  /** The INVITE. */
  readonly message: RecordingRequest
  readonly startedAtMs: number
  readonly clock: Clock
  readonly log: Log
  /** The recording of a call was stopped, and the call goes on. */
  readonly onRecordingStopped: () => Promise<void>
  /** A call has ended while the session lives. */
  readonly onCallStopped: (closed: ClosedCall, endedAtMs: number) => void
}

/** A call of which the session brings nothing more. */
export interface ClosedCall {
  readonly call: SessionCall
  /** Undefined where another session goes on with it, or nothing was recorded. */
  readonly recording: FinishedRecording | undefined
}

interface EndingCall {
  readonly call: SessionCall
  readonly endedAtMs: number
}

/** The calls that one session brings, mostly one for as long as it lives: which streams are whose, and their recordings. */
export class SessionCalls {
  readonly #options: SessionCallsOptions
  readonly #division: CallDivision
  readonly #turns = new InTurn()
  /** Those that go on, by their numbers. */
  readonly #calls = new Map<number, SessionCall>()
  readonly #idle = new Set<IdleStreams>()
  readonly #holders = new Map<string, StreamHolder>()
  #ending: EndingCall[] = []
  /** Settles when calls that ended within the session have their verdicts. */
  #concluded: Promise<unknown> = Promise.resolve()
  #answeredAtMs: number | undefined

  /** Journals the contact that the INVITE brings, if it brings one. */
  constructor(options: SessionCallsOptions) {
    const { message, startedAtMs } = options
    this.#options = options
    this.#division = new CallDivision(message.metadata, message.problems.length === 0)
    for (const divided of this.#division.calls) this.#begin(divided, message, startedAtMs)
  }

  /** Those that go on. */
  get live(): readonly SessionCall[] {
    return [...this.#calls.values()]
  }

  /** The first open recording, or the one that is to be opened. */
  get recordingId(): string {
    const [call] = this.#calls.values()
    const [idle] = this.#idle
    return (call?.part ?? idle)?.recordingId ?? ''
  }

  /** Whether calls have begun or ended since the last `hold`, or other keys count now. */
  get areStale(): boolean {
    return (
      this.#ending.length > 0 ||
      this.live.some(({ isEstablished, part }) => !isEstablished || part.hasStaleCodes)
    )
  }

  /** A re-offer may pause what is recorded: ordered before the streams change, so that its moment counts. */
  heedPause(offer: SdpOffer, isHeld: boolean): void {
    for (const call of this.live) call.heedPause(offer, isHeld)
  }

  /** Streams of calls whose recordings were stopped. */
  stoppedStreams(plan: Answer): ReadonlySet<string> {
    const stopped = this.#shares(plan).filter(({ call }) => call?.part.control.isStopped)
    return new Set(stopped.flatMap(({ streams }) => streams.map(({ streamId }) => streamId)))
  }

  has(recordingId: string): boolean {
    return this.#holderOf(recordingId) !== undefined
  }

  /** Takes what a message tells, at the time that it came. Calls that it brings or ends are so at the next `hold`. */
  learn(message: RecordingRequest, headers: ReadHeaders, atMs: number): void {
    const { maker, origin } = this.#options
    if (message.metadata !== null) {
      this.#division.learn(message.metadata, message.problems.length === 0)
    }
    const divided = this.#division.calls
    const going = new Set(divided.map(({ id }) => id))
    for (const [id, call] of this.#calls) {
      if (going.has(id)) continue
      this.#calls.delete(id)
      this.#ending.push({ call, endedAtMs: atMs })
    }
    for (const one of divided) {
      const call = this.#calls.get(one.id)
      if (call === undefined) {
        this.#begin(one, message, atMs)
        continue
      }
      maker.learn(call, { origin, message: ofCall(one, message), headers, atMs })
      call.takeHolds(one.metadata, atMs)
    }
  }

  /** Says whose voice each stream carries, as well as is known. */
  assignRoles(plan: Answer): Answer {
    const roles = new Map(
      this.#shares(plan).flatMap(({ call, streams }) =>
        (call?.knowledge.assignRoles({ ...plan, streams }).streams ?? streams).map((stream) => [
          stream.streamId,
          stream,
        ]),
      ),
    )
    return { ...plan, streams: plan.streams.map((stream) => roles.get(stream.streamId) ?? stream) }
  }

  /**
   * Has the streams of the plan recorded in the recordings of their calls from now on, ends calls that have ended, and
   * tells where the streams are received. Rejects as a `SessionPlane` does.
   */
  hold(plan: Answer): Promise<readonly SessionStream[]> {
    return this.#turns.take(() => this.#hold(plan))
  }

  /** A recording is lost, and goes on in another. Rejects as a `SessionPlane` does. */
  goOn(recordingId: string, plan: Answer): Promise<readonly SessionStream[]> {
    return this.#turns.take(async () => {
      const holder = this.#holderOf(recordingId)
      if (holder === undefined) return []
      const streams = plan.streams.filter(({ streamId }) => this.#holders.get(streamId) === holder)
      return holder.goOn({ ...plan, streams })
    })
  }

  /** The INVITE is answered: sets the timelines' zero. Never throws. */
  answered(answeredAtMs: number): void {
    this.#answeredAtMs = answeredAtMs
    for (const { part } of this.#calls.values()) part.answered(answeredAtMs)
  }

  /** The dialog is up: the calls that the INVITE brought are answered. */
  established(): void {
    const answeredAtMs = this.#answeredAtMs ?? this.#options.startedAtMs
    for (const call of this.#calls.values()) call.established(answeredAtMs)
  }

  /** The SIP server that the media may depend on was lost, and there is one again. Never rejects. */
  async renewSignalling(framework: DialogRenewer): Promise<void> {
    await Promise.all(this.live.map(({ part }) => part.renewSignalling(framework)))
  }

  /** The session has ended, and with it all its calls. Resolves when they have their verdicts; never rejects. */
  async close(endedAtMs: number, reasons: readonly ReasonCode[]): Promise<readonly ClosedCall[]> {
    return this.#turns.take(async () => {
      // What its last message stopped ends with it.
      const calls = [...this.#ending.map(({ call }) => call), ...this.live]
      this.#ending = []
      this.#calls.clear()
      const closed = await Promise.all(calls.map((call) => this.#close(call, endedAtMs, reasons)))
      await Promise.all([this.#concluded, ...[...this.#idle].map((idle) => idle.close())])
      return closed
    })
  }

  #begin(divided: DividedCall, message: RecordingRequest, atMs: number): void {
    const { maker, origin } = this.#options
    const call = maker.begin(origin, ofCall(divided, message), atMs)
    call.part.onStopped(this.#options.onRecordingStopped)
    this.#calls.set(divided.id, call)
    call.takeHolds(divided.metadata, atMs)
  }

  async #hold(plan: Answer): Promise<readonly SessionStream[]> {
    const atMs = this.#options.clock.epochMs()
    const held: SessionStream[] = []
    for (const { call, streams } of this.#shares(plan)) {
      const holder = call?.part ?? this.#idleHolder(streams)
      const answer = { ...plan, streams }
      const after = holder.isOpen ? undefined : this.#earlier(streams, holder)?.recordingId
      held.push(...(await holder.hold(answer, after)))
      for (const { streamId } of streams) this.#holders.set(streamId, holder)
      call?.takeStreams(answer, atMs)
    }
    this.#concludeEnding()
    this.#beginNew(atMs)
    await this.#closeIdle()
    return held
  }

  /** Calls that began in the dialog, at the message that brought them. */
  #beginNew(atMs: number): void {
    if (this.#answeredAtMs === undefined) return
    for (const call of this.#calls.values()) {
      if (call.isEstablished) continue
      const beganAtMs = Math.min(atMs, Math.max(this.#answeredAtMs, call.contact.startedAtMs))
      call.part.answered(beganAtMs)
      call.established(beganAtMs)
    }
  }

  /** The streams of each call, and last those that are of none; a stream that is of none stays where it was. */
  #shares(plan: Answer): readonly Share[] {
    const shares = new Map<SessionCall | undefined, Answer['streams'][number][]>()
    const divided = this.#division.calls
    for (const stream of plan.streams) {
      const owner = ownerOf(stream, plan, divided)
      const holder = this.#holders.get(stream.streamId)
      const call =
        (owner === undefined ? undefined : this.#calls.get(owner)) ??
        this.live.find(({ part }) => part === holder)
      // What is refused or gone needs no place of its own.
      if (call === undefined && !isAccepted(stream.streamId, plan)) continue
      shares.set(call, [...(shares.get(call) ?? []), stream])
    }
    for (const call of this.live) if (!shares.has(call) && call.part.isOpen) shares.set(call, [])
    return [...shares].map(([call, streams]) => ({ call, streams }))
  }

  #idleHolder(streams: Answer['streams']): IdleStreams {
    const known = streams
      .map(({ streamId }) => this.#holders.get(streamId))
      .find((holder) => holder instanceof IdleStreams)
    if (known !== undefined) return known
    const { origin, clock } = this.#options
    const idle = new IdleStreams({ plane: origin.plane, callId: origin.callId, clock })
    this.#idle.add(idle)
    return idle
  }

  #earlier(streams: Answer['streams'], holder: StreamHolder): StreamHolder | undefined {
    return streams
      .map(({ streamId }) => this.#holders.get(streamId))
      .find((earlier) => earlier !== undefined && earlier !== holder && earlier.isOpen)
  }

  #holderOf(recordingId: string): StreamHolder | undefined {
    const holders = [...[...this.#calls.values()].map(({ part }) => part), ...this.#idle]
    return holders.find((holder) => holder.recordingId === recordingId)
  }

  async #closeIdle(): Promise<void> {
    const used = new Set(this.#holders.values())
    for (const idle of this.#idle) {
      if (used.has(idle)) continue
      this.#idle.delete(idle)
      await idle.close()
    }
  }

  #concludeEnding(): void {
    const ending = this.#ending.map(async ({ call, endedAtMs }) => {
      this.#options.onCallStopped(await this.#close(call, endedAtMs, []), endedAtMs)
    })
    this.#ending = []
    this.#concluded = Promise.all([this.#concluded, ...ending])
  }

  async #close(
    call: SessionCall,
    endedAtMs: number,
    reasons: readonly ReasonCode[],
  ): Promise<ClosedCall> {
    try {
      return { call, recording: await call.part.close(endedAtMs, reasons) }
    } catch (error) {
      this.#options.log.error({ err: error }, 'recording could not be closed in order')
      return { call, recording: undefined }
    }
  }
}

interface Share {
  readonly call: SessionCall | undefined
  readonly streams: Answer['streams']
}

function isAccepted(streamId: string, { lines }: Answer): boolean {
  return lines.some((line) => line.kind === 'accepted' && line.streamId === streamId)
}

/** The message as one of several calls is told of it; where there is one, as it came. */
function ofCall({ metadata, isWhole }: DividedCall, message: RecordingRequest): RecordingRequest {
  return isWhole ? message : { ...message, metadata }
}
