import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { ReasonCode } from '../../recorder/recording-plan.ts'
import type { FinishedRecording } from '../calls/finish-recording.ts'
import { isJournaled } from '../calls/is-journaled.ts'
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
import { type Share, StreamShares } from './stream-shares.ts'

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
  readonly #shares: StreamShares
  #ending: EndingCall[] = []
  /** Settles when calls that ended within the session have their verdicts. */
  #concluded: Promise<unknown> = Promise.resolve()
  #answeredAtMs: number | undefined

  /** Journals the contact that the INVITE brings, if it brings one. */
  constructor(options: SessionCallsOptions) {
    const { message, startedAtMs, origin, clock } = options
    const { plane, callId } = origin
    this.#options = options
    this.#shares = new StreamShares(() => new IdleStreams({ plane, callId, clock }))
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
    const [idle] = this.#shares.idle
    return (call?.part ?? idle)?.recordingId ?? ''
  }

  /** Whether calls have begun or ended since the last `hold`, streams are another call's, or other keys count now. */
  areStale(plan: Answer): boolean {
    return (
      this.#ending.length > 0 ||
      this.live.some(({ isEstablished, part }) => !isEstablished || part.hasStaleCodes) ||
      this.#shareOut(plan).some((share) => this.#shares.hasMoved(share))
    )
  }

  /** Whether it has brought a call, now or before. */
  get haveBegun(): boolean {
    return this.#division.hasBroughtCalls
  }

  /** Takes what the session sends for a call, at the next `hold`. */
  assume(atMs: number): void {
    this.#division.assume()
    const nothing = { ...this.#options.message, metadata: null, metadataRaw: null }
    for (const divided of this.#division.calls) {
      if (!this.#calls.has(divided.id)) this.#begin(divided, nothing, atMs)
    }
  }

  /** A re-offer may pause what is recorded: ordered before the streams change, so that its moment counts. */
  heedPause(offer: SdpOffer, isHeld: boolean): void {
    for (const call of this.live) call.heedPause(offer, isHeld)
  }

  /** A key that the client tells of by itself. It says nothing of whose it is; among several calls nobody knows. */
  pressed(key: string): void {
    const [only, ...others] = this.live
    if (only !== undefined && others.length === 0) only.part.pressed(key)
  }

  /** Streams of calls whose recordings were stopped. */
  stoppedStreams(plan: Answer): ReadonlySet<string> {
    const stopped = this.#shareOut(plan).filter(({ call }) => call?.part.control.isStopped)
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
      this.#shareOut(plan).flatMap(({ call, streams }) =>
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
      return holder.goOn({ ...plan, streams: this.#shares.heldBy(holder, plan) })
    })
  }

  /** Whether the journal has what the INVITE brought, or has it in time. */
  areJournaled(): Promise<boolean> {
    const contacts = this.live.map(({ contact }) => contact)
    return isJournaled(contacts, this.#options.clock)
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
      await Promise.all([this.#concluded, this.#shares.close()])
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
    for (const share of this.#shareOut(plan)) {
      const { call, streams } = share
      const { holder, from } = this.#shares.place(share)
      const answer = { ...plan, streams }
      held.push(...(await holder.hold(answer, from)))
      this.#shares.placed(holder, streams)
      call?.takeStreams(answer, atMs)
    }
    this.#concludeEnding()
    this.#beginNew(atMs)
    await this.#shares.closeUnused()
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

  #shareOut(plan: Answer): readonly Share[] {
    return this.#shares.of(plan, this.#division.calls, this.#calls)
  }

  #holderOf(recordingId: string): StreamHolder | undefined {
    const holders = [...this.live.map(({ part }) => part), ...this.#shares.idle]
    return holders.find((holder) => holder.recordingId === recordingId)
  }

  #concludeEnding(): void {
    const { log, onCallStopped } = this.#options
    const ending = this.#ending.map(async ({ call, endedAtMs }) => {
      try {
        onCallStopped(await this.#close(call, endedAtMs, []), endedAtMs)
      } catch (error) {
        log.error({ err: error }, 'call could not be ended in order')
      }
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

/**
 * The message as one of several calls is told of it; where there is one, as it came. What is kept of a message must not
 * tell of other people's calls.
 */
function ofCall({ metadata, isWhole }: DividedCall, message: RecordingRequest): RecordingRequest {
  if (isWhole) return message
  const own = new Set(metadata?.sessions.map(({ id }) => id))
  const isOwn = message.metadata?.sessions.every(({ id }) => own.has(id)) ?? true
  return { ...message, metadata, metadataRaw: isOwn ? message.metadataRaw : null }
}
