import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import { otherOf, type Party, type TrunkMedia } from '../media/trunk-media.ts'
import { OPTIONS_HEADERS } from '../sip/sip-headers.ts'
import type { SipDialog, SipHeaders, SipRequest, SipResponse } from '../sip/sip-surface.ts'
import { JoinedLeg, reasonOf } from './joined-leg.ts'
import type { LegTimers } from './leg-timers.ts'

export interface JoinedCallOptions {
  readonly caller: SipDialog
  readonly platform: SipDialog
  readonly media: TrunkMedia
  /** The SDP that each party has of us now. */
  readonly localSdp: Readonly<Record<Party, string>>
  readonly timers: LegTimers
  /** Takes a REFER that the route handles here; absent where all are passed on. */
  readonly onRefer: ((request: SipRequest, response: SipResponse) => void) | undefined
  /** A party hung up; the other was told. */
  readonly onHungUp: (party: Party, request: SipRequest) => void
  /** A party no longer knows its dialog, or will not have the media where it is now. */
  readonly onGone: (endReason: 'session_expired' | 'media_lost') => void
  readonly clock: Clock
  readonly log: Log
}

/** Requests that pass from one dialog to the other with their bodies, and the headers that give them meaning. */
const PASSED = {
  info: ['Content-Type', 'Info-Package', 'Content-Disposition'],
  message: ['Content-Type'],
  notify: ['Content-Type', 'Event', 'Subscription-State'],
  refer: ['Refer-To', 'Referred-By', 'Replaces', 'Refer-Sub', 'Target-Dialog'],
} as const

interface Incoming {
  readonly request: SipRequest
  readonly response: SipResponse
}

/**
 * Two dialogs of one call, joined: what one party asks for within its dialog reaches the other, with every
 * description rewritten by the media plane. A failure here refuses one request and leaves the call standing.
 */
export class JoinedCall {
  readonly #options: JoinedCallOptions
  readonly #legs: Record<Party, JoinedLeg>
  readonly #localSdp: Record<Party, string>
  readonly #offeredSdp: Partial<Record<Party, string>> = {}
  /** While one offer is open another is refused (RFC 3261 §14.2). */
  #isOffering = false
  #isEnded = false

  constructor(options: JoinedCallOptions) {
    this.#options = options
    this.#legs = {
      caller: new JoinedLeg(options.caller, options.clock),
      platform: new JoinedLeg(options.platform, options.clock),
    }
    this.#localSdp = { ...options.localSdp }
    this.#listen('caller')
    this.#listen('platform')
  }

  leg(party: Party): JoinedLeg {
    return this.#legs[party]
  }

  /**
   * Puts another platform party in the place of the one that transferred the call away, which is hung up. The caller
   * is offered `sdp.caller` where that is news.
   */
  async replacePlatform(dialog: SipDialog, sdp: Readonly<Record<Party, string>>): Promise<void> {
    const left = this.#legs.platform
    this.#legs.platform = new JoinedLeg(dialog, this.#options.clock)
    this.#localSdp.platform = sdp.platform
    delete this.#offeredSdp.platform
    this.#listen('platform')
    void left.hangUp()
    if (sdp.caller !== this.#localSdp.caller) await this.#offerOurs('caller', sdp.caller)
  }

  /** Refreshes the session with a party by the description that it has (RFC 4028 §7.4). */
  async refresh(party: Party): Promise<void> {
    if (!this.#isEnded && !this.#isOffering) await this.#offerOurs(party, this.#localSdp[party])
  }

  /** Asks whether the party still knows its dialog. */
  async probe(party: Party): Promise<void> {
    if (this.#isEnded) return
    const { status } = await this.#legs[party].statusOf({ method: 'OPTIONS' })
    if (this.#isEnded) return
    if (status === 481 || status === 408) this.#options.onGone('session_expired')
    else this.#options.timers.refreshed(party)
  }

  /** Tells both parties where the media is now. */
  async move(offers: Readonly<Record<Party, string>>): Promise<void> {
    await Promise.all(
      (['caller', 'platform'] as const).map(async (party) => {
        if (!(await this.#offerOurs(party, offers[party])) && !this.#isEnded) {
          this.#options.onGone('media_lost')
        }
      }),
    )
  }

  /** Hangs up on both parties and resolves when they have answered. Idempotent. */
  async end(headers: SipHeaders): Promise<void> {
    if (this.#isEnded) return
    this.#isEnded = true
    await Promise.all(Object.values(this.#legs).map((leg) => leg.hangUp(headers)))
  }

  #listen(party: Party): void {
    const leg = this.#legs[party]
    const isCurrent = () => this.#legs[party] === leg && !this.#isEnded
    const guarded =
      (take: (incoming: Incoming) => void | Promise<void>) =>
      (request: SipRequest, response: SipResponse): void => {
        if (isCurrent()) void this.#attempt(party, response, () => take({ request, response }))
        else response.send(481, 'Call/Transaction Does Not Exist', {})
      }
    leg.dialog.on('destroy', (request) => {
      if (!isCurrent()) return
      this.#isEnded = true
      void this.#legs[otherOf(party)].hangUp(reasonOf(request))
      this.#options.onHungUp(party, request)
    })
    const reoffer = guarded((incoming) => this.#reoffer(party, incoming))
    leg.dialog.on('modify', reoffer).on('update', reoffer)
    for (const method of ['info', 'message', 'notify'] as const) {
      leg.dialog.on(
        method,
        guarded((incoming) => this.#pass(party, incoming, PASSED[method])),
      )
    }
    leg.dialog.on(
      'refer',
      guarded((incoming) => {
        const { onRefer } = this.#options
        // Only the platform's agents transfer by way of us; a caller's REFER is the platform's to judge.
        if (onRefer === undefined || party === 'caller') {
          return this.#pass(party, incoming, PASSED.refer)
        }
        return onRefer(incoming.request, incoming.response)
      }),
    )
    leg.dialog.on(
      'options',
      guarded(({ response }) => response.send(200, 'OK', { headers: OPTIONS_HEADERS })),
    )
  }

  async #attempt(
    party: Party,
    response: SipResponse,
    take: () => void | Promise<void>,
  ): Promise<void> {
    try {
      await take()
    } catch (error) {
      this.#options.log.warn({ party, reason: messageOf(error) }, 'a request was not passed on')
      if (!response.finalResponseSent) response.send(488, 'Not Acceptable Here', {})
    }
  }

  async #pass(
    party: Party,
    { request, response }: Incoming,
    names: readonly string[],
  ): Promise<void> {
    const headers: Record<string, string> = {}
    for (const name of names) {
      const value = request.get(name)
      if (value !== undefined) headers[name] = value
    }
    const { method, body } = request
    const asked = { method, headers, ...(body ? { body } : {}) }
    const answer = await this.#legs[otherOf(party)].ask(asked).catch(() => undefined)
    if (answer === undefined) return response.send(408, 'Request Timeout', {})
    const { status, body: answerBody } = answer.response
    const contentType = answer.response.get('Content-Type')
    response.send(status, '', {
      ...(contentType === undefined ? {} : { headers: { 'Content-Type': contentType } }),
      ...(answerBody ? { body: answerBody } : {}),
    })
  }

  /** A new offer, a request for one, or a refresh (RFC 3261 §14, RFC 3311, RFC 4028). */
  async #reoffer(party: Party, incoming: Incoming): Promise<void> {
    const { request, response } = incoming
    const { timers } = this.#options
    const { agreement, headers } = timers.judge(request)
    if (agreement.kind === 'too_short') {
      return response.send(422, 'Session Interval Too Small', { headers })
    }
    const body = request.body ?? ''
    const isRefresh = body === '' ? request.method === 'UPDATE' : body === this.#offeredSdp[party]
    if (isRefresh) {
      response.send(200, 'OK', body === '' ? { headers } : this.#answer(party, headers))
      return timers.start(party, agreement)
    }
    if (this.#isOffering) return response.send(491, 'Request Pending', {})
    this.#isOffering = true
    try {
      const isAnswered =
        body === ''
          ? await this.#askForOffer(party, incoming, headers)
          : await this.#passOffer(party, incoming, headers)
      if (!isAnswered) return
      this.#offeredSdp[party] = body
      timers.start(party, agreement)
    } finally {
      this.#isOffering = false
    }
  }

  async #passOffer(
    party: Party,
    { request, response }: Incoming,
    headers: SipHeaders,
  ): Promise<boolean> {
    const { media, timers } = this.#options
    const other = otherOf(party)
    const offer = await media.reofferFrom(party, request.body ?? '')
    const leg = this.#legs[other]
    const { response: answer } = await leg.ask({
      method: request.method,
      headers: leg.sdpHeaders(timers.refreshHeaders(other)),
      body: offer,
    })
    if (answer.status !== 200) {
      response.send(answer.status, '', {})
      return false
    }
    this.#localSdp[other] = offer
    timers.refreshed(other)
    this.#localSdp[party] = await media.reanswerTo(party, answer.body ?? '')
    response.send(200, 'OK', this.#answer(party, headers))
    return true
  }

  /** An INVITE without SDP asks the other party for its offer; the answer comes with the ACK (RFC 3261 §14.2). */
  async #askForOffer(party: Party, { response }: Incoming, headers: SipHeaders): Promise<boolean> {
    const { media } = this.#options
    const other = otherOf(party)
    const leg = this.#legs[other]
    const { response: offered, ack } = await leg.ask({
      method: 'INVITE',
      headers: { Contact: leg.dialog.local.contact },
      noAck: true,
    })
    if (offered.status !== 200 || ack === undefined) {
      response.send(offered.status, '', {})
      return false
    }
    this.#localSdp[party] = await media.reofferFrom(other, offered.body ?? '')
    const acknowledged = this.#legs[party].nextAck()
    response.send(200, 'OK', this.#answer(party, headers))
    const answer = await media.reanswerTo(other, await acknowledged)
    this.#localSdp[other] = answer
    ack({ body: answer })
    return true
  }

  /** Offers a party a description of ours; false where it did not take it. */
  async #offerOurs(party: Party, body: string): Promise<boolean> {
    const { timers, media, log, onGone } = this.#options
    this.#isOffering = true
    try {
      const outcome = await this.#legs[party].offer(body, timers.refreshHeaders(party))
      if (this.#isEnded) return false
      if (outcome.kind === 'gone') {
        onGone('session_expired')
        return false
      }
      if (outcome.kind === 'refused') {
        log.warn({ party, status: outcome.status }, 'our offer was refused')
        return false
      }
      this.#localSdp[party] = body
      timers.refreshed(party)
      await media.takeAnswer(party, outcome.sdp)
      return true
    } catch (error) {
      log.warn({ party, reason: messageOf(error) }, 'the answer to our offer cannot be taken')
      return false
    } finally {
      this.#isOffering = false
    }
  }

  #answer(party: Party, headers: SipHeaders) {
    return { headers: this.#legs[party].sdpHeaders(headers), body: this.#localSdp[party] }
  }
}
