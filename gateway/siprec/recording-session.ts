import type { Log } from '../../base/log.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import type { ReasonCode } from '../../recorder/recording-plan.ts'
import { type Obstacle, resourceOf } from '../admission/admission.ts'
import { JOURNAL_PATIENCE_MS } from '../calls/is-journaled.ts'
import type { LiveCall } from '../calls/live-call.ts'
import { reportEndedCall } from '../calls/report-ended-call.ts'
import type { DialogRenewer } from '../sip/renew-dialog.ts'
import { timerHeaders } from '../sip/session-timer.ts'
import { recordingContact, recordingHeaders } from '../sip/sip-headers.ts'
import type { SipDialog, SipHeaders } from '../sip/sip-surface.ts'
import { type CallGuard, callGuard } from './call-guard.ts'
import { liveSessionCall } from './live-session-call.ts'
import type { ReadHeaders, RecordingRequest } from './recording-session-request.ts'
import { type ClosedCall, SessionCalls } from './session-calls.ts'
import { SessionDialog } from './session-dialog.ts'
import { SessionMedia } from './session-media.ts'
import type { EndOptions, RecordingSessionOptions } from './session-options.ts'

/** Moves forward only. */
export type SessionState = 'opening' | 'answering' | 'established' | 'ending' | 'ended'

/** How long a new call is asked to wait after a refusal for want of room. */
const RETRY_AFTER_S = 5
/** The journal has begun to hang since the INVITE was let in. */
const JOURNAL_HANGS: Obstacle = {
  resource: 'journal',
  kind: 'storage',
  reason: 'write_failed',
  message: `the journal was not written within ${JOURNAL_PATIENCE_MS} ms`,
  retryAfterS: RETRY_AFTER_S,
}

/**
 * One recording session (RFC 7866), from its INVITE to its verdict. Whatever happens, it ends once, and then the
 * contacts of its calls have an end, unless others bring them too, and their recordings a verdict.
 */
export class RecordingSession {
  readonly #options: RecordingSessionOptions
  readonly #log: Log
  readonly #guard: CallGuard
  readonly #calls: SessionCalls
  readonly #media: SessionMedia
  readonly #arrivedAtMs: number
  #state: SessionState = 'opening'
  #dialog: SessionDialog | undefined
  #setupMs: number | undefined
  #renewal: Promise<void> | undefined
  #end: Promise<void> | undefined
  #farewell: Promise<void> | undefined

  constructor(options: RecordingSessionOptions) {
    const { origin, clock } = options
    const log = options.log.child({ callId: origin.callId })
    this.#options = options
    this.#log = log
    this.#guard = callGuard({ log, onFailed: () => void this.end('internal_error') })
    this.#arrivedAtMs = clock.monotonicMs()
    this.#calls = new SessionCalls({
      ...options,
      startedAtMs: clock.epochMs(),
      log,
      onRecordingStopped: () => this.#stopped(),
      onCallStopped: (closed, endedAtMs) => this.#callEnded(closed, endedAtMs, 'session_stopped'),
    })
    this.#media = new SessionMedia({ ...options, calls: this.#calls, log })
  }

  /** The first open recording; another one after it was lost. */
  get recordingId(): string {
    return this.#calls.recordingId
  }

  /** Whether it has streams in a recording. */
  has(recordingId: string): boolean {
    return this.#calls.has(recordingId)
  }

  get state(): SessionState {
    return this.#state
  }

  /** Its calls that go on. */
  get live(): readonly LiveCall[] {
    return this.#calls.live.map((call) => liveSessionCall(call, this))
  }

  /** Whether it sends what nobody has named a call of yet. */
  get isUntold(): boolean {
    return this.#state === 'established' && !this.#calls.haveBegun && !this.isHeld
  }

  /** Takes what it sends for a call: a client that says nothing of its calls must not cost them their recordings. */
  assumeCall(): void {
    this.#log.warn('session sends sound and tells of no call: recorded all the same')
    this.#calls.assume(this.#options.clock.epochMs())
    this.#guard(() => this.#takeMetadata())
  }

  /** Whether every stream is on hold or stopped now. */
  get isHeld(): boolean {
    return this.#media.isHeld
  }

  get isOrphaned(): boolean {
    return this.#dialog?.isLost ?? false
  }

  /** A session that was not established yet is over with its transaction; the media of another goes on. */
  serverLost(): void {
    // A renewal that was under way hears nothing any more.
    this.#renewal = undefined
    if (this.#dialog === undefined) void this.end('sip_server_lost', { isGone: true })
    else this.#dialog.serverLost()
  }

  renew(framework: DialogRenewer): Promise<void> {
    this.#renewal ??= Promise.all([
      this.#dialog?.renew(framework),
      this.#calls.renewSignalling(framework),
    ]).then(() => {
      this.#renewal = undefined
    })
    return this.#renewal
  }

  /** Resolves when the peer has answered our BYE, or at once where none was sent. Never rejects. */
  get farewell(): Promise<void> {
    return this.#farewell ?? Promise.resolve()
  }

  /** Answers the INVITE. Never throws. */
  start(): void {
    this.#guard(() => this.#start(), this.#options.response)
  }

  /** Refuses the INVITE and ends. */
  refuse(
    status: number,
    reason: string,
    options: { readonly headers?: SipHeaders; readonly endReason?: string | undefined } = {},
  ): void {
    const { headers = {}, endReason = `refused_${status}` } = options
    if (!this.#options.response.finalResponseSent) {
      this.#options.response.send(status, reason, { headers })
    }
    void this.end(endReason)
  }

  /** There is no room for it, or nothing of it could be kept. */
  turnAway({ resource, retryAfterS, message }: Obstacle): void {
    this.#log.warn({ code: 'not_admitted', reason: message }, 'recording refused')
    this.#options.admission.turned(resource, 'refused')
    this.refuse(503, 'Service Unavailable', { headers: { 'Retry-After': String(retryAfterS) } })
  }

  /**
   * Ends the session, with a BYE where the dialog is up, and resolves when it has its verdict, whether or not the
   * peer has answered. Idempotent: the first reason stays.
   */
  end(endReason: string, options: EndOptions = {}): Promise<void> {
    this.#end ??= this.#finish(endReason, options).catch((error: unknown) => {
      this.#log.error({ err: error, endReason }, 'session could not be ended in order')
    })
    return this.#end
  }

  async #start(): Promise<void> {
    const { request, message, agreement } = this.#options
    request.on('cancel', () => void this.end('cancelled'))
    const description = await this.#describe(message)
    if (description === undefined || this.#state !== 'opening') return
    if (!(await this.#calls.areJournaled())) {
      if (this.#state === 'opening') this.turnAway(JOURNAL_HANGS)
      return
    }
    if (this.#state !== 'opening') return
    this.#state = 'answering'
    const answeredAtMs = this.#options.clock.epochMs()
    // Told before the 200 leaves, so that the first packets find the timeline's zero set.
    this.#calls.answered(answeredAtMs)
    this.#options.dialogs.createUAS(
      request,
      this.#options.response,
      {
        localSdp: description,
        headers: {
          ...recordingHeaders(request),
          ...timerHeaders(agreement),
          'Content-Type': 'application/sdp',
        },
      },
      (failure, dialog) =>
        this.#guard(() => {
          if (dialog === undefined) return this.#notEstablished(failure)
          this.#setupMs = this.#options.clock.monotonicMs() - this.#arrivedAtMs
          if (this.#state !== 'answering') return this.#hangUp(dialog)
          this.#established(dialog, this.#setupMs)
        }),
    )
  }

  /** What to answer the INVITE with; refuses it where nothing can be. */
  async #describe(message: RecordingRequest): Promise<string | undefined> {
    try {
      const reply = await this.#media.begin(message)
      if (reply.kind === 'answer') return reply.description
      if (this.#state === 'opening') {
        this.refuse(reply.status, reply.reason, { endReason: reply.endReason })
      }
    } catch (error) {
      const code = error instanceof TallenneError ? error.code : 'engine_failed'
      this.#log.warn({ code, reason: messageOf(error) }, 'recording refused')
      const resource = resourceOf(code)
      if (resource !== undefined) this.#options.admission.turned(resource, 'refused')
      if (this.#state === 'opening') {
        const headers = { 'Retry-After': String(RETRY_AFTER_S) }
        this.refuse(503, 'Service Unavailable', { headers })
      }
    }
    return undefined
  }

  #established(dialog: SipDialog, setupMs: number): void {
    const { source, request, message, agreement, clock, ackTimeoutMs, orphanQuietMs, events } =
      this.#options
    const media = this.#media
    this.#state = 'established'
    events.answered(source, setupMs)
    this.#calls.established()
    this.#dialog = new SessionDialog({
      dialog,
      agreement,
      limits: this.#options.timer,
      awaitsAnswer: !message.hasSdp,
      description: () => media.description,
      headers: { Contact: recordingContact(request) },
      guard: (work, response) => this.#guard(work, response),
      askEveryMs: orphanQuietMs / 2,
      clock,
      ackTimeoutMs,
      events: {
        onMessage: (update, headers) => this.#learn(update, headers),
        onKey: (key) => this.#calls.pressed(key),
        onOffer: (offer) => media.takeOffer(offer),
        onAnswer: async (answer) => {
          if (!(await media.takeAnswer(answer))) void this.end('no_answer_in_ack')
        },
        onEnd: (endReason, isGone) => void this.#ended(endReason, isGone),
      },
    })
  }

  /**
   * What held the recording is gone: its engine, or its media server. What was recorded gets its verdict, and the
   * session goes on in a new recording. Where its media moves, the peer is told in a re-INVITE; one that will not have
   * that is left, as is one for which there is no room.
   */
  mediaLost(recordingId: string): void {
    if (this.#state !== 'established') {
      void this.end('engine_failed', { reasons: ['engine_failed'] })
      return
    }
    this.#guard(() => this.#goOn(recordingId))
  }

  async #goOn(lostRecordingId: string): Promise<void> {
    const outcome = await this.#media.goOn(lostRecordingId).catch((error: unknown) => {
      this.#log.warn({ reason: messageOf(error) }, 'session cannot go on')
      return 'impossible' as const
    })
    if (this.#state !== 'established' || outcome === 'in_place') return
    const reply = outcome === 'moved' ? await this.#dialog?.offer() : outcome
    if (reply !== 'accepted' && this.#state === 'established') void this.end('engine_failed')
  }

  #notEstablished(failure: unknown): void {
    if (this.#state !== 'answering') return
    this.#log.warn({ reason: messageOf(failure) }, 'answer could not be sent')
    void this.end('unanswered')
  }

  /** A CANCEL crossed the 200: the dialog is up all the same, and goes (RFC 3261 §9.1). */
  async #hangUp(dialog: SipDialog): Promise<void> {
    dialog.on('destroy', () => undefined)
    await dialog.destroy().catch(() => undefined)
  }

  #learn(message: RecordingRequest, headers: ReadHeaders): void {
    this.#calls.learn(message, headers, this.#options.clock.epochMs())
    // An offer beside it brings its own streams.
    if (!message.hasSdp) this.#guard(() => this.#takeMetadata())
  }

  /** The recording has ended before its call: the client is told that nothing is wanted any more. */
  async #stopped(): Promise<void> {
    const { onStop } = this.#options
    if (this.#state !== 'established') return
    const isOnly = this.#calls.live.length === 1
    if (onStop === 'bye' && isOnly) return this.end('recording_stopped')
    await this.#media.stop()
    // A client that will not have it sends on, and is not heard.
    void this.#dialog?.offer()
  }

  #ended(endReason: string, isGone: boolean): Promise<void> {
    const reasons: readonly ReasonCode[] =
      endReason === 'session_expired' ? ['session_expired'] : []
    return this.end(endReason, { isGone, reasons })
  }

  async #finish(endReason: string, { reasons = [], isGone = false }: EndOptions): Promise<void> {
    const { source, clock, events, onEnded } = this.#options
    const endedAtMs = clock.epochMs()
    this.#state = 'ending'
    this.#farewell = this.#dialog?.close(isGone).catch((error: unknown) => {
      this.#log.debug({ reason: messageOf(error) }, 'BYE had no answer')
    })
    try {
      const codec: readonly ReasonCode[] = this.#media.hadUndecodableLine
        ? ['unrecordable_codec']
        : []
      for (const closed of await this.#calls.close(endedAtMs, [...reasons, ...codec])) {
        this.#callEnded(closed, endedAtMs, endReason)
      }
    } finally {
      this.#state = 'ended'
      events.ended(source, endReason)
      onEnded()
    }
  }

  async #takeMetadata(): Promise<void> {
    // A BYE has ended the session by then, and what its metadata stops ends with it.
    await Promise.resolve()
    if (this.#state !== 'established') return
    if ((await this.#media.takeMetadata()) === 'moved') await this.#dialog?.offer()
  }

  /** Nothing more of a call comes in this session. */
  #callEnded({ call, recording }: ClosedCall, endedAtMs: number, endReason: string): void {
    const { contact, part } = call
    contact.ended(endedAtMs, endReason)
    const log = this.#log.child({ contactId: contact.contactId })
    const ended = { contact, recording, endReason, endedAtMs, setupMs: this.#setupMs }
    const told = { ...this.#options, ...ended, recordingId: part.recordingId }
    void contact.written().then(() => reportEndedCall(log, told))
  }
}
