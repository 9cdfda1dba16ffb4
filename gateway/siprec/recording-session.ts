import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { maskNumber } from '../../base/mask-number.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import { newId } from '../../base/uuid.ts'
import type { ReasonCode } from '../../recorder/recording-plan.ts'
import type { CallEvents } from '../calls/call-events.ts'
import type { ContactRecord } from '../calls/contact-record.ts'
import { type FinishedRecording, finishRecording } from '../calls/finish-recording.ts'
import type { RecordingFiles } from '../calls/recording-files.ts'
import type { MediaPlane } from '../media/media-plane.ts'
import type { DialogRenewer } from '../sip/renew-dialog.ts'
import { type TimerAgreement, type TimerLimits, timerHeaders } from '../sip/session-timer.ts'
import { recordingContact, recordingHeaders } from '../sip/sip-headers.ts'
import type {
  DialogMaker,
  SipDialog,
  SipHeaders,
  SipRequest,
  SipResponse,
} from '../sip/sip-surface.ts'
import type { Answer } from './answer-plan.ts'
import type { MediaNegotiation } from './media-negotiation.ts'
import type { RecordingRequest } from './recording-session-request.ts'
import type { SdpOffer } from './sdp-offer.ts'
import { type OfferReply, SessionDialog } from './session-dialog.ts'
import type { SessionKnowledge } from './session-knowledge.ts'

/** Moves forward only. */
export type SessionState = 'opening' | 'answering' | 'established' | 'ending' | 'ended'

export interface RecordingSessionOptions {
  readonly request: SipRequest
  readonly response: SipResponse
  readonly message: RecordingRequest
  readonly contact: ContactRecord
  readonly knowledge: SessionKnowledge
  readonly negotiation: MediaNegotiation
  readonly dialogs: DialogMaker
  readonly plane: MediaPlane
  readonly files: RecordingFiles
  readonly timer: TimerLimits
  readonly agreement: TimerAgreement
  readonly ackTimeoutMs: number
  /** Parties of a lost SIP server that send nothing for so long have hung up. */
  readonly orphanQuietMs: number
  readonly clock: Clock
  readonly log: Log
  readonly events: CallEvents
  /** Told once, when nothing is left to do. */
  readonly onEnded: () => void
}

export interface EndOptions {
  readonly reasons?: readonly ReasonCode[]
  /** The peer or the SIP server has ended the dialog already: no BYE. */
  readonly isGone?: boolean
}

/** How long a new call is asked to wait after a refusal for want of room. */
const RETRY_AFTER_S = 5

/**
 * One recording session (RFC 7866), from its INVITE to its verdict. Whatever happens, it ends once, and then the
 * contact has an end and the recording a verdict.
 */
export class RecordingSession {
  readonly #options: RecordingSessionOptions
  readonly #contact: ContactRecord
  readonly #log: Log
  readonly #arrivedAtMs: number
  #state: SessionState = 'opening'
  #recordingId = newId()
  /** Settles when the plane has opened the recording or refused to. */
  #opened: Promise<boolean> | undefined
  #dialog: SessionDialog | undefined
  #setupMs: number | undefined
  #renewal: Promise<void> | undefined
  /** Whether the peer has said anything of its media, in an offer or an answer. */
  #isAgreed: boolean
  #end: Promise<void> | undefined
  #farewell: Promise<void> | undefined
  /** Settles when recordings of engines that died have their verdicts. */
  #salvaged: Promise<unknown> = Promise.resolve()

  constructor(options: RecordingSessionOptions) {
    this.#options = options
    this.#contact = options.contact
    this.#arrivedAtMs = options.clock.monotonicMs()
    this.#isAgreed = options.message.hasSdp
    this.#log = options.log.child({
      callId: options.contact.callId,
      contactId: options.contact.contactId,
    })
  }

  /** The open recording; another one after an engine died. */
  get recordingId(): string {
    return this.#recordingId
  }

  get state(): SessionState {
    return this.#state
  }

  get contact(): ContactRecord {
    return this.#contact
  }

  /** Whether every stream is on hold or stopped now. */
  get isHeld(): boolean {
    return !this.#options.negotiation.streams.some((stream) => stream.isReceiving)
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
    this.#renewal ??= (this.#dialog?.renew(framework) ?? Promise.resolve()).finally(() => {
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
  refuse(status: number, reason: string, headers: SipHeaders = {}): void {
    if (!this.#options.response.finalResponseSent) {
      this.#options.response.send(status, reason, { headers })
    }
    void this.end(`refused_${status}`)
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
    const { request, message, negotiation, timer, agreement } = this.#options
    request.on('cancel', () => void this.end('cancelled'))
    const plan = this.#planFirst(message)
    if (plan === undefined) return
    const description = await this.#open(plan)
    if (description === undefined || this.#state !== 'opening') return
    this.#state = 'answering'
    const answeredAtMs = this.#options.clock.epochMs()
    // Told before the 200 leaves, so that the first packets find the timeline's zero set.
    this.#options.plane.answered(this.#recordingId, answeredAtMs).catch(() => undefined)
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
          this.#state = 'established'
          this.#options.events.answered(this.#setupMs)
          this.#contact.answered(answeredAtMs)
          this.#contact.recordingStarted(this.#recordingId, answeredAtMs)
          this.#dialog = new SessionDialog({
            dialog,
            agreement,
            limits: timer,
            awaitsAnswer: !message.hasSdp,
            description: () => negotiation.description,
            headers: { Contact: recordingContact(request.protocol) },
            guard: (work, response) => this.#guard(work, response),
            askEveryMs: this.#options.orphanQuietMs / 2,
            clock: this.#options.clock,
            ackTimeoutMs: this.#options.ackTimeoutMs,
            events: {
              onMessage: (update) => this.#learn(update),
              onOffer: (offer) => this.#takeOffer(offer),
              onAnswer: (answer) => this.#takeAnswer(answer),
              onEnd: (endReason, isGone) => void this.#ended(endReason, isGone),
            },
          })
        }),
    )
  }

  /** What to open for the INVITE; refuses it where nothing can be. */
  #planFirst(message: RecordingRequest): Answer | undefined {
    const { negotiation, knowledge } = this.#options
    if (!message.hasSdp) return negotiation.ownOffer()
    if (message.sdp === null) {
      this.#log.info({ problems: message.problems }, 'offer cannot be read')
      this.refuse(400, 'Unreadable Session Description')
      return undefined
    }
    const judgement = negotiation.judge(message.sdp)
    if (judgement.kind === 'changed') return knowledge.assignRoles(judgement.plan)
    this.#log.info(
      { problem: judgement.kind === 'unusable' ? judgement.problem : 'nothing new' },
      'offer cannot be taken',
    )
    this.refuse(488, 'Not Acceptable Here')
    return undefined
  }

  async #open(plan: Answer): Promise<string | undefined> {
    const { plane, negotiation } = this.#options
    const opening = plane.open({
      recordingId: this.#recordingId,
      callId: this.#contact.callId,
      streams: plan.streams,
    })
    this.#opened = opening.then(
      () => true,
      () => false,
    )
    try {
      return negotiation.agree(plan, await opening)
    } catch (error) {
      const code = error instanceof TallenneError ? error.code : 'engine_failed'
      this.#log.warn({ code, reason: messageOf(error) }, 'recording refused')
      if (this.#state === 'opening') {
        this.refuse(503, 'Service Unavailable', { 'Retry-After': String(RETRY_AFTER_S) })
      }
      return undefined
    }
  }

  /**
   * The engine that held the recording died. What it had recorded gets its verdict, and the session goes on in a new
   * recording on other ports, which the peer is told in a re-INVITE; one that will not have them is left.
   */
  mediaLost(): void {
    if (this.#state !== 'established') {
      void this.end('engine_failed', { reasons: ['engine_failed'] })
      return
    }
    this.#guard(() => this.#goOn())
  }

  async #goOn(): Promise<void> {
    const { clock, plane, negotiation } = this.#options
    const lostId = this.#recordingId
    const lostAtMs = clock.epochMs()
    this.#salvaged = Promise.all([
      this.#salvaged,
      this.#closeRecording(lostId, lostAtMs, ['engine_failed']),
    ])
    this.#recordingId = newId()
    const recordingId = this.#recordingId
    const plan = negotiation.plan
    if (plan === undefined || (await this.#open(plan)) === undefined) {
      return void this.end('engine_failed')
    }
    if (this.#state !== 'established') return
    this.#contact.recordingStarted(recordingId, lostAtMs)
    await plane.answered(recordingId, lostAtMs)
    const reply = await this.#dialog?.offer()
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

  async #takeOffer(offer: SdpOffer | null): Promise<OfferReply> {
    const { negotiation, knowledge } = this.#options
    if (offer === null) return { kind: 'refused', status: 488 }
    const judgement = negotiation.judge(offer)
    switch (judgement.kind) {
      case 'unusable':
        this.#log.info({ problem: judgement.problem }, 'offer cannot be taken')
        return { kind: 'refused', status: 488 }
      case 'unchanged':
        return { kind: 'answer', description: negotiation.description }
      case 'changed': {
        const plan = knowledge.assignRoles(judgement.plan)
        return { kind: 'answer', description: await this.#apply(plan) }
      }
    }
  }

  async #takeAnswer(answer: SdpOffer | null): Promise<void> {
    const { negotiation, knowledge } = this.#options
    const judgement =
      answer === null
        ? { kind: 'unusable' as const, problem: 'no answer to our offer' }
        : negotiation.judgeAnswer(answer)
    if (judgement.kind === 'unusable') {
      this.#log.info({ problem: judgement.problem }, 'answer cannot be taken')
      // What was agreed before goes on: the recording is worth more than a re-INVITE done right.
      return this.#isAgreed ? undefined : void this.end('no_answer_in_ack')
    }
    this.#isAgreed = true
    if (judgement.kind === 'changed') await this.#apply(knowledge.assignRoles(judgement.plan))
  }

  async #apply(plan: Answer): Promise<string> {
    const { plane, negotiation } = this.#options
    const ports = await plane.update(this.#recordingId, plan.streams)
    return negotiation.agree(plan, ports)
  }

  #learn(message: RecordingRequest): void {
    const { knowledge, negotiation, clock, plane } = this.#options
    if (message.metadata === null && message.metadataRaw === null) return
    this.#contact.change(knowledge.learn(message), clock.epochMs())
    // Metadata may tell whose voice a stream carries after the stream was opened.
    const plan = negotiation.plan
    if (plan === undefined || message.hasSdp || this.#state !== 'established') return
    const assigned = knowledge.assignRoles(plan)
    if (JSON.stringify(assigned.streams) === JSON.stringify(plan.streams)) return
    this.#guard(async () => {
      negotiation.agree(assigned, await plane.update(this.#recordingId, assigned.streams))
    })
  }

  #ended(endReason: string, isGone: boolean): Promise<void> {
    const reasons: readonly ReasonCode[] =
      endReason === 'session_expired' ? ['session_expired'] : []
    return this.end(endReason, { isGone, reasons })
  }

  async #finish(endReason: string, { reasons = [], isGone = false }: EndOptions): Promise<void> {
    const { clock, events, onEnded } = this.#options
    const endedAtMs = clock.epochMs()
    this.#state = 'ending'
    this.#farewell = this.#dialog?.close(isGone).catch((error: unknown) => {
      this.#log.debug({ reason: messageOf(error) }, 'BYE had no answer')
    })
    try {
      const isOpened = (await this.#opened) === true
      const recording = isOpened
        ? await this.#closeRecording(this.#recordingId, endedAtMs, reasons)
        : undefined
      await this.#salvaged
      this.#contact.ended(endedAtMs, endReason)
      this.#report(endReason, recording)
    } finally {
      this.#state = 'ended'
      events.ended(endReason)
      onEnded()
    }
  }

  async #closeRecording(
    recordingId: string,
    endedAtMs: number,
    reasons: readonly ReasonCode[],
  ): Promise<FinishedRecording> {
    const { plane, events } = this.#options
    const closed = await plane.close(recordingId, endedAtMs, reasons)
    const recording = await finishRecording(closed, this.#options)
    const { outcome, file } = recording
    if (this.#contact.answeredAtMs === undefined) {
      // A call that was never answered has a recording only where its file holds something.
      if (outcome.sha256 === null) return recording
      this.#contact.recordingStarted(recordingId, outcome.startedAtMs)
    }
    this.#contact.recordingEnded(outcome, file)
    events.judged(outcome)
    return recording
  }

  /** The one line that says everything of a call. */
  #report(endReason: string, recording: FinishedRecording | undefined): void {
    const { request } = this.#options
    const { facts } = this.#contact
    const outcome = recording?.outcome
    this.#log.info(
      {
        peer: `${request.source_address}:${request.source_port}`,
        transport: request.protocol,
        recordingId: this.#recordingId,
        caller: maskNumber(facts.caller.display),
        serviceNumber: facts.serviceNumber.display,
        serviceLine: facts.serviceLine,
        agent: facts.agent,
        endReason,
        setupMs: this.#setupMs === undefined ? null : Math.round(this.#setupMs * 10) / 10,
        verdict: outcome?.verdict ?? null,
        reasons: outcome?.reasons ?? [],
        callDurationMs: outcome?.callDurationMs ?? 0,
        durationMs: outcome?.durationMs ?? 0,
        lostMs: outcome?.lostMs ?? 0,
        bytes: outcome?.bytes ?? 0,
        file: recording?.file ?? null,
        streams: outcome?.streams ?? [],
      },
      'call ended',
    )
  }

  /** What is thrown in one call is logged here, answered 500, and ends that call alone. */
  #guard(work: () => void | Promise<void>, response?: SipResponse): void {
    const failed = (error: unknown) => {
      this.#log.error({ err: error }, 'call failed')
      try {
        if (response !== undefined && !response.finalResponseSent) {
          response.send(500, 'Server Internal Error', {})
        }
      } finally {
        void this.end('internal_error')
      }
    }
    try {
      work()?.catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}
