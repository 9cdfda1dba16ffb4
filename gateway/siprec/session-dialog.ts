import type { Clock, Timer } from '../../base/clock.ts'
import { hasCode } from '../../base/has-code.ts'
import { infoKey } from '../calls/info-key.ts'
import { isDialogGone } from '../sip/is-dialog-gone.ts'
import { readHeaders } from '../sip/read-headers.ts'
import { type DialogRenewer, renewDialog } from '../sip/renew-dialog.ts'
import {
  agreeOnTimer,
  SessionTimer,
  type TimerAgreement,
  type TimerLimits,
  timerHeaders,
} from '../sip/session-timer.ts'
import { ALLOW, OPTIONS_HEADERS, recordingHeaders } from '../sip/sip-headers.ts'
import type {
  DialogRequest,
  SipDialog,
  SipHeaders,
  SipRequest,
  SipResponse,
} from '../sip/sip-surface.ts'
import {
  type ReadHeaders,
  type RecordingRequest,
  readRecordingRequest,
} from './recording-session-request.ts'
import type { SdpOffer } from './sdp-offer.ts'

/** What the session decides about an offer within the dialog. */
export type OfferReply =
  | { readonly kind: 'answer'; readonly description: string }
  | { readonly kind: 'refused'; readonly status: 488 | 500 }

/** What the session hears of its dialog. */
export interface DialogEvents {
  /** A message that may carry metadata, or headers that tell of parties. */
  onMessage(message: RecordingRequest, headers: ReadHeaders): void
  /** INFO that tells of a key. */
  onKey(key: string): void
  /** Null where the offer cannot be read. */
  onOffer(offer: SdpOffer | null): Promise<OfferReply>
  /** The answer to our own offer, out of an ACK; null where there is none or it cannot be read. */
  onAnswer(answer: SdpOffer | null): Promise<void>
  /** The dialog is over; `isGone` where the peer or the SIP server has ended it, else a BYE is due. */
  onEnd(endReason: string, isGone: boolean): void
}

export interface SessionDialogOptions {
  readonly dialog: SipDialog
  readonly events: DialogEvents
  readonly agreement: TimerAgreement
  readonly limits: TimerLimits
  /** True where our 200 carried the offer. */
  readonly awaitsAnswer: boolean
  /** The description in force. */
  readonly description: () => string
  /** Headers of our own requests. */
  readonly headers: SipHeaders
  /** Runs what may throw, and handles what is thrown. */
  readonly guard: (work: () => void | Promise<void>, response?: SipResponse) => void
  readonly clock: Clock
  /** How often a peer is asked whether it is still there, where it cannot say BYE. */
  readonly askEveryMs: number
  /** A dialog whose 200 is not acknowledged so long is over (RFC 3261 §13.3.1.4). */
  readonly ackTimeoutMs: number
}

const OFFER_ATTEMPTS = 5

/**
 * An established recording session's dialog: answers what comes within it and keeps its session timer.
 *
 * Offers are handled one at a time. Owns its timers; `close` ends them and the dialog.
 */
export class SessionDialog {
  readonly #options: SessionDialogOptions
  #dialog: SipDialog
  readonly #timer: SessionTimer
  readonly #ackTimer: Timer
  #agreement: TimerAgreement
  #awaitsAnswer: boolean
  /** Whose offer is open: while it is, another is refused (RFC 3261 §14.2). */
  #openOffer: 'none' | 'theirs' | 'ours' = 'none'
  /** How the peer is asked whether it is there, where the SIP server refuses what it asks for. */
  #asking: Timer | undefined
  #isLost = false
  #isClosed = false

  constructor(options: SessionDialogOptions) {
    const { dialog, clock, limits, events, guard } = options
    this.#options = options
    this.#dialog = dialog
    this.#agreement = options.agreement
    this.#awaitsAnswer = options.awaitsAnswer
    this.#timer = new SessionTimer({
      clock,
      probeEveryS: limits.expiresS / 2,
      events: {
        onRefreshDue: () => guard(() => this.#refresh()),
        onExpired: () => events.onEnd('session_expired', false),
        onProbeDue: () => guard(() => this.#probe()),
      },
    })
    this.#timer.restart(options.agreement)
    this.#ackTimer = clock.after(options.ackTimeoutMs, () => events.onEnd('no_ack', false))
    this.#listen()
  }

  /** Whether it is lost with its SIP server and not renewed yet. */
  get isLost(): boolean {
    return this.#isLost && !this.#isClosed
  }

  /** The SIP server is lost. Idempotent. */
  serverLost(): void {
    this.#isLost = true
    // What was asked for through the lost server is never answered.
    this.#openOffer = 'none'
  }

  /** Takes the dialog up again, through the SIP server that is back or another. Never rejects. */
  async renew(framework: DialogRenewer): Promise<void> {
    if (!this.isLost) return
    const lost = this.#dialog
    const renewal = await renewDialog(lost, {
      framework,
      clock: this.#options.clock,
      localSdp: this.#options.description(),
      headers: this.#refreshHeaders(),
    })
    const isCurrent = !this.#isClosed && this.#dialog === lost
    switch (renewal.kind) {
      case 'gone':
        if (isCurrent) this.#options.events.onEnd('sip_server_lost', true)
        return
      case 'unanswered':
        return
      case 'kept':
        if (!isCurrent) return void lost.destroy().catch(() => undefined)
        this.#isLost = false
        this.#askAfter()
        if (this.#agreement.kind !== 'agreed') return
        this.#agreement = { ...this.#agreement, refresher: 'uas' }
        return void (await this.offer())
      case 'renewed':
        if (!isCurrent) return void renewal.dialog.destroy().catch(() => undefined)
        this.#isLost = false
        this.#dialog = renewal.dialog
        this.#listen()
        this.#timer.restart(this.#agreement)
        this.#ackTimer.cancel()
        this.#asking?.cancel()
        this.#asking = undefined
    }
  }

  /** Ends the timers and, unless the dialog `isGone`, says BYE. Resolves at its response, or rejects. Idempotent. */
  async close(isGone: boolean): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#timer.stop()
    this.#ackTimer.cancel()
    this.#asking?.cancel()
    if (!isGone && this.#dialog.connected) await this.#dialog.destroy()
  }

  #listen(): void {
    const { events, guard } = this.#options
    const takeOffer = (request: SipRequest, response: SipResponse) =>
      guard(() => this.#takeOffer(request, response), response)
    this.#dialog
      .on('ack', (request) => guard(() => this.#acknowledged(request)))
      .on('destroy', (request) =>
        guard(() => {
          events.onMessage(readMessage(request), readHeaders(request.raw))
          events.onEnd(endReasonOf(request), true)
        }),
      )
      .on('modify', takeOffer)
      .on('update', takeOffer)
      .on('info', (request, response) =>
        guard(() => {
          const key = infoKey(request)
          if (key !== undefined) events.onKey(key)
          else events.onMessage(readMessage(request), readHeaders(request.raw))
          response.send(200, 'OK', {})
        }, response),
      )
      .on('options', (_request, response) =>
        guard(() => response.send(200, 'OK', { headers: OPTIONS_HEADERS }), response),
      )
    for (const method of ['message', 'notify', 'refer'] as const) {
      this.#dialog.on(method, (_request, response) =>
        guard(
          () => response.send(405, 'Method Not Allowed', { headers: { Allow: ALLOW } }),
          response,
        ),
      )
    }
  }

  async #acknowledged(request: SipRequest): Promise<void> {
    this.#ackTimer.cancel()
    if (!this.#awaitsAnswer) return
    this.#awaitsAnswer = false
    const message = readMessage(request)
    this.#options.events.onMessage(message, readHeaders(request.raw))
    await this.#options.events.onAnswer(message.sdp)
  }

  /** A re-INVITE or UPDATE: refreshes the timer, may bring metadata, and may carry an offer. */
  async #takeOffer(request: SipRequest, response: SipResponse): Promise<void> {
    if (this.#openOffer === 'ours') return response.send(491, 'Request Pending', {})
    if (this.#openOffer === 'theirs') {
      return response.send(500, 'Another Offer Is Open', { headers: { 'Retry-After': '1' } })
    }
    const agreement = agreeOnTimer(request, this.#options.limits)
    if (agreement.kind === 'too_short') {
      const headers = { 'Min-SE': String(agreement.minS) }
      return response.send(422, 'Session Interval Too Small', { headers })
    }
    const message = readMessage(request)
    this.#options.events.onMessage(message, readHeaders(request.raw))
    this.#openOffer = 'theirs'
    try {
      const reply = await this.#reply(request.method, message)
      if (this.#isClosed) return response.send(481, 'Call/Transaction Does Not Exist', {})
      if (reply.kind === 'refused') return response.send(reply.status, reasonPhrase(reply), {})
      this.#agreement = agreement
      this.#timer.restart(agreement)
      const headers = { ...recordingHeaders(request), ...timerHeaders(agreement) }
      response.send(
        200,
        'OK',
        reply.description === ''
          ? { headers }
          : {
              headers: { ...headers, 'Content-Type': 'application/sdp' },
              body: reply.description,
            },
      )
    } finally {
      this.#openOffer = 'none'
    }
  }

  async #reply(method: string, message: RecordingRequest): Promise<OfferReply> {
    if (message.hasSdp) return this.#options.events.onOffer(message.sdp)
    // An UPDATE without an offer is a refresh or brings metadata; an INVITE without one asks for ours.
    if (method !== 'INVITE') return { kind: 'answer', description: '' }
    this.#awaitsAnswer = true
    return { kind: 'answer', description: this.#options.description() }
  }

  /**
   * Sends the description in force in a re-INVITE, which refreshes the session as well. Waits while another offer
   * is open.
   */
  async offer(): Promise<'accepted' | 'refused' | 'gone'> {
    for (let attempt = 0; attempt < OFFER_ATTEMPTS; attempt++) {
      if (this.#isClosed) return 'gone'
      if (this.#openOffer === 'none') {
        const status = await this.#sendOffer()
        if (this.#isClosed || isDialogGone(status)) return 'gone'
        if (status < 300) {
          this.#timer.restart(this.#agreement)
          return 'accepted'
        }
        if (status !== 491) return 'refused'
      }
      await this.#waitBeforeOffer()
    }
    return 'refused'
  }

  #refreshHeaders(): SipHeaders {
    const agreed = this.#agreement
    if (agreed.kind !== 'agreed') return this.#options.headers
    const sessionExpires = `${agreed.expiresS};refresher=${refresherOfRequest(agreed)}`
    return { ...this.#options.headers, 'Session-Expires': sessionExpires }
  }

  async #sendOffer(): Promise<number> {
    this.#openOffer = 'ours'
    try {
      return await this.#request({
        method: 'INVITE',
        headers: { ...this.#refreshHeaders(), 'Content-Type': 'application/sdp' },
        body: this.#options.description(),
      })
    } finally {
      this.#openOffer = 'none'
    }
  }

  /** The Call-ID is the peer's, so it is for us to wait up to two seconds (RFC 3261 §14.1). */
  #waitBeforeOffer(): Promise<void> {
    return new Promise((resolve) => this.#options.clock.after(Math.random() * 2000, resolve))
  }

  async #refresh(): Promise<void> {
    // What is refused is left alone: the timer ends a session that nobody refreshes.
    if ((await this.offer()) === 'gone') this.#gone()
  }

  async #probe(): Promise<void> {
    if (this.#isClosed) return
    if (isDialogGone(await this.#request({ method: 'OPTIONS' }))) this.#gone()
  }

  /**
   * Sends a request and tells the final status. A SIP server that does not know the dialog counts as a peer that
   * does not; one that cannot be reached leaves the dialog as it is, for its timer to judge.
   */
  async #request(request: DialogRequest): Promise<number> {
    try {
      const response = await this.#dialog.request(request)
      return response.status
    } catch (error) {
      return hasCode(error, 'ENODIALOG') ? 481 : 503
    }
  }

  #askAfter(): void {
    const { clock, askEveryMs, guard, events } = this.#options
    this.#asking ??= clock.every(askEveryMs, () =>
      guard(async () => {
        if (this.#isClosed || this.#isLost) return
        if (isDialogGone(await this.#request({ method: 'OPTIONS' }))) {
          events.onEnd('sip_server_lost', true)
        }
      }),
    )
  }

  #gone(): void {
    if (!this.#isClosed) this.#options.events.onEnd('session_expired', false)
  }
}

/** In a request of ours we are the UAC (RFC 4028 §7.1), whoever was that in the INVITE. */
function refresherOfRequest({ refresher }: { readonly refresher: 'uac' | 'uas' }): 'uac' | 'uas' {
  return refresher === 'uas' ? 'uac' : 'uas'
}

function reasonPhrase(reply: Extract<OfferReply, { readonly kind: 'refused' }>): string {
  return reply.status === 488 ? 'Not Acceptable Here' : 'Server Internal Error'
}

export function readMessage(request: SipRequest): RecordingRequest {
  return readRecordingRequest(request.get('Content-Type') ?? '', request.body ?? '')
}

function endReasonOf(request: SipRequest): string {
  if (request.source !== 'application') return 'bye'
  // The SIP server ended the dialog by itself and says why in the Reason header.
  return /timer/i.test(request.get('Reason') ?? '') ? 'session_expired' : 'no_ack'
}
