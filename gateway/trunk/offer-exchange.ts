import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import { otherOf, type Party, type TrunkMedia } from '../media/trunk-media.ts'
import { isDialogGone } from '../sip/is-dialog-gone.ts'
import type { SipHeaders } from '../sip/sip-surface.ts'
import type { JoinedLeg } from './joined-leg.ts'
import type { LegTimers } from './leg-timers.ts'
import { OfferTurns } from './offer-turns.ts'
import type { Incoming } from './pass-request.ts'

export interface OfferExchangeOptions {
  readonly media: TrunkMedia
  /** The SDP that each party has of us now. */
  readonly localSdp: Readonly<Record<Party, string>>
  readonly timers: LegTimers
  readonly legOf: (party: Party) => JoinedLeg
  /** A party no longer knows its dialog. */
  readonly onGone: () => void
  readonly clock: Clock
  readonly log: Log
}

const OFFER_ATTEMPTS = 5
/** How long to wait when two offers crossed: longer where the Call-ID is ours (RFC 3261 §14.1). */
const GLARE_MS = {
  caller: { least: 0, most: 2000 },
  platform: { least: 2100, most: 4000 },
} as const

/**
 * The offers and answers of two joined dialogs: those that one party makes to the other, with every description
 * rewritten by the media plane, and those that are our own.
 */
export class OfferExchange {
  readonly #options: OfferExchangeOptions
  readonly #localSdp: Record<Party, string>
  readonly #offeredSdp: Partial<Record<Party, string>> = {}
  readonly #turns = new OfferTurns()
  #isClosed = false

  constructor(options: OfferExchangeOptions) {
    this.#options = options
    this.#localSdp = { ...options.localSdp }
  }

  /** What the party has of us now. */
  localSdpOf(party: Party): string {
    return this.#localSdp[party]
  }

  /** Offers nothing any more. Idempotent. */
  close(): void {
    this.#isClosed = true
  }

  /** Another party has taken the platform's place; the caller is offered `sdp.caller` where that is news. */
  async platformReplaced(sdp: Readonly<Record<Party, string>>): Promise<void> {
    this.#localSdp.platform = sdp.platform
    delete this.#offeredSdp.platform
    if (sdp.caller !== this.#localSdp.caller) await this.offer('caller', sdp.caller)
  }

  /** A new offer, a request for one, or a refresh (RFC 3261 §14, RFC 3311, RFC 4028). */
  async take(party: Party, incoming: Incoming): Promise<void> {
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
    if (!this.#turns.takeBoth()) return response.send(491, 'Request Pending', {})
    try {
      const isAnswered =
        body === ''
          ? await this.#askForOffer(party, incoming, headers)
          : await this.#passOffer(party, incoming, headers)
      if (!isAnswered) return
      this.#offeredSdp[party] = body
      timers.start(party, agreement)
    } finally {
      this.#turns.giveBack('caller', 'platform')
    }
  }

  /** Refreshes the session with a party by the description that it has (RFC 4028 §7.4). */
  async refresh(party: Party): Promise<void> {
    await this.#offerInTurn(party, () => this.#localSdp[party])
  }

  /** Offers a party a description of ours, again where its own crosses it; false where it did not take it. */
  offer(party: Party, sdp: string): Promise<boolean> {
    return this.#offerInTurn(party, () => sdp)
  }

  async #offerInTurn(party: Party, sdpOf: () => string): Promise<boolean> {
    const { clock, log } = this.#options
    for (let attempt = 1; attempt <= OFFER_ATTEMPTS; attempt++) {
      await this.#turns.take(party)
      try {
        if (this.#isClosed) return false
        const outcome = await this.#offerOnce(party, sdpOf())
        if (outcome !== 'crossed') return outcome === 'taken'
      } finally {
        this.#turns.giveBack(party)
      }
      const { least, most } = GLARE_MS[party]
      const waitMs = least + Math.random() * (most - least)
      await new Promise<void>((resolve) => clock.after(waitMs, resolve))
    }
    log.warn({ party }, 'our offer crossed theirs too often')
    return false
  }

  async #offerOnce(party: Party, sdp: string): Promise<'taken' | 'refused' | 'crossed'> {
    const { timers, media, log, legOf, onGone } = this.#options
    const outcome = await legOf(party).offer(sdp, timers.refreshHeaders(party))
    if (this.#isClosed) return 'refused'
    switch (outcome.kind) {
      case 'crossed':
        return 'crossed'
      case 'gone':
        onGone()
        return 'refused'
      case 'refused':
        log.warn({ party, status: outcome.status }, 'our offer was refused')
        return 'refused'
      case 'accepted':
        this.#localSdp[party] = sdp
        timers.refreshed(party)
        try {
          await media.takeAnswer(party, outcome.sdp)
          return 'taken'
        } catch (error) {
          log.warn({ party, reason: messageOf(error) }, 'the answer to our offer cannot be taken')
          return 'refused'
        }
    }
  }

  async #passOffer(
    party: Party,
    { request, response }: Incoming,
    headers: SipHeaders,
  ): Promise<boolean> {
    const { media, timers, legOf, onGone } = this.#options
    const other = otherOf(party)
    const offer = await media.reofferFrom(party, request.body ?? '')
    const leg = legOf(other)
    const { response: answer } = await leg.ask({
      method: request.method,
      headers: leg.sdpHeaders(timers.refreshHeaders(other)),
      body: offer,
    })
    if (answer.status !== 200) {
      response.send(answer.status, '', {})
      if (isDialogGone(answer.status)) onGone()
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
    const { media, legOf, onGone } = this.#options
    const other = otherOf(party)
    const leg = legOf(other)
    const { response: offered, ack } = await leg.ask({
      method: 'INVITE',
      headers: { Contact: leg.dialog.local.contact },
      noAck: true,
    })
    if (offered.status !== 200 || ack === undefined) {
      response.send(offered.status, '', {})
      if (isDialogGone(offered.status)) onGone()
      return false
    }
    this.#localSdp[party] = await media.reofferFrom(other, offered.body ?? '')
    const acknowledged = legOf(party).nextAck()
    response.send(200, 'OK', this.#answer(party, headers))
    const answer = await media.reanswerTo(other, await acknowledged)
    this.#localSdp[other] = answer
    ack({ body: answer })
    return true
  }

  #answer(party: Party, headers: SipHeaders) {
    const leg = this.#options.legOf(party)
    return { headers: leg.sdpHeaders(headers), body: this.#localSdp[party] }
  }
}
