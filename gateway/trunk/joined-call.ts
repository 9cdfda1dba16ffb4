import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import { infoKey } from '../calls/info-key.ts'
import { otherOf, type Party, type TrunkMedia } from '../media/trunk-media.ts'
import type { PlatformDialog } from '../sip/call-maker.ts'
import type { DigestSession } from '../sip/digest-session.ts'
import { isDialogGone } from '../sip/is-dialog-gone.ts'
import type { DialogRenewer } from '../sip/renew-dialog.ts'
import { OPTIONS_HEADERS } from '../sip/sip-headers.ts'
import type { SipDialog, SipHeaders, SipRequest, SipResponse } from '../sip/sip-surface.ts'
import { type FarSide, type FarSideOf, passedReferTo } from './far-side.ts'
import { type HiddenHosts, hideHosts } from './hide-hosts.ts'
import { JoinedLeg, reasonOf } from './joined-leg.ts'
import { LegRenewals } from './leg-renewals.ts'
import type { LegTimers } from './leg-timers.ts'
import { OfferExchange } from './offer-exchange.ts'
import { type Incoming, type PassedMethod, passRequest } from './pass-request.ts'
import type { NamedDialog } from './replaces.ts'
import type { Transferred } from './transfer.ts'

export interface JoinedCallOptions {
  readonly caller: SipDialog
  readonly platform: SipDialog
  /** The platform's credentials; undefined where it needs none. */
  readonly digest: DigestSession | undefined
  readonly media: TrunkMedia
  /** The SDP that each party has of us now. */
  readonly localSdp: Readonly<Record<Party, string>>
  readonly timers: LegTimers
  /** What each party may know of the other's network. */
  readonly hosts: Readonly<Record<Party, HiddenHosts>>
  /** Of all calls, since transfers name others. */
  readonly farSideOf: FarSideOf
  /** Takes a REFER that the route handles here; absent where all are passed on. */
  readonly onRefer: ((request: SipRequest, response: SipResponse) => void) | undefined
  /** A party's client tells of a key in INFO, which passes on to the other. */
  readonly onKey: (party: Party, key: string) => void
  /** A party hung up; the other was told. Its BYE is undefined where it came before the call was joined. */
  readonly onHungUp: (party: Party, bye: SipRequest | undefined) => void
  /** A party no longer knows its dialog, or will not have the media where it is now. */
  readonly onGone: (endReason: GoneReason) => void
  /** How often a party is asked whether it is still there, where it cannot say BYE. */
  readonly askEveryMs: number
  readonly clock: Clock
  readonly log: Log
}

/** Why a call is over that nobody hung up. */
export type GoneReason = 'session_expired' | 'media_lost' | 'sip_server_lost'

/**
 * Two dialogs of one call, joined: what one party asks for within its dialog reaches the other. A failure here
 * refuses one request and leaves the call standing.
 */
export class JoinedCall {
  readonly #options: JoinedCallOptions
  readonly #legs: Record<Party, JoinedLeg>
  readonly #offers: OfferExchange
  readonly #renewals: LegRenewals
  #isEnded = false

  constructor(options: JoinedCallOptions) {
    this.#options = options
    this.#legs = {
      caller: new JoinedLeg(options.caller),
      platform: new JoinedLeg(options.platform, options.digest),
    }
    this.#offers = new OfferExchange({
      ...options,
      legOf: (party) => this.#legs[party],
      onGone: () => options.onGone('session_expired'),
    })
    this.#renewals = new LegRenewals({
      ...options,
      legOf: (party) => this.#legs[party],
      localSdpOf: (party) => this.#offers.localSdpOf(party),
      refresh: (party) => this.refresh(party),
      onRenewed: (party, dialog) => this.#goOnWith(party, dialog),
      onGone: () => options.onGone('sip_server_lost'),
    })
    this.#listen('caller')
    this.#listen('platform')
  }

  leg(party: Party): JoinedLeg {
    return this.#legs[party]
  }

  /** The other party's dialog of this call, where the name is that of one of its dialogs. */
  farSideOf(
    named: NamedDialog,
  ): (Pick<FarSide, 'named' | 'party'> & { readonly uri: string }) | undefined {
    if (this.#isEnded) return undefined
    const near = (['caller', 'platform'] as const).find((party) => this.#legs[party].isNamed(named))
    if (near === undefined) return undefined
    const party = otherOf(near)
    const { name, remoteUri } = this.#legs[party]
    return { named: name, party, uri: remoteUri }
  }

  /**
   * Puts another platform party in the place of the one that transferred the call away, which is hung up. The caller
   * is offered `localSdp.caller` where that is news.
   */
  async replacePlatform({ dialog, digest, localSdp }: Transferred): Promise<void> {
    const left = this.#legs.platform
    this.#legs.platform = new JoinedLeg(dialog, digest)
    this.#listen('platform')
    void left.hangUp()
    await this.#offers.platformReplaced(localSdp)
  }

  /** Refreshes the session with a party by the description that it has (RFC 4028 §7.4). */
  async refresh(party: Party): Promise<void> {
    if (!this.#isEnded) await this.#offers.refresh(party)
  }

  /** Tells the caller again what it was answered. */
  async offerCaller(sdp: string): Promise<void> {
    if (!this.#isEnded) await this.#offers.offer('caller', sdp)
  }

  /** Asks whether the party still knows its dialog. */
  async probe(party: Party): Promise<void> {
    if (this.#isEnded) return
    const { status } = await this.#legs[party].statusOf({ method: 'OPTIONS' })
    if (this.#isEnded) return
    if (isDialogGone(status)) this.#options.onGone('session_expired')
    else this.#options.timers.refreshed(party)
  }

  /** Whether a dialog is lost with its SIP server and not renewed yet. */
  get isOrphaned(): boolean {
    return this.#renewals.isPending
  }

  /** The SIP server is lost with both dialogs. Idempotent. */
  serverLost(): void {
    this.#renewals.lose()
  }

  /** Takes lost dialogs up again; one that its party no longer knows ends the call. */
  renew(framework: DialogRenewer): Promise<void> {
    return this.#renewals.renew(framework)
  }

  /** Tells both parties where the media is now. */
  async move(offers: Readonly<Record<Party, string>>): Promise<void> {
    await Promise.all(
      (['caller', 'platform'] as const).map(async (party) => {
        const isTaken = await this.#offers.offer(party, offers[party])
        if (!isTaken && !this.#isEnded) this.#options.onGone('media_lost')
      }),
    )
  }

  /** Hangs up on both parties and resolves when they have answered. Idempotent. */
  async end(headers: SipHeaders): Promise<void> {
    if (this.#isEnded) return
    this.#close()
    await Promise.all(Object.values(this.#legs).map((leg) => leg.hangUp(headers)))
  }

  #close(): void {
    this.#isEnded = true
    this.#offers.close()
    this.#renewals.close()
  }

  async #goOnWith(party: Party, dialog: PlatformDialog): Promise<void> {
    const { media, log } = this.#options
    this.#legs[party] = new JoinedLeg(dialog, this.#legs[party].digest)
    this.#listen(party)
    try {
      // A party that answers a refresh without a description keeps to what it said before.
      if (dialog.remote.sdp) await media.takeAnswer(party, dialog.remote.sdp)
    } catch (error) {
      log.warn({ party, reason: messageOf(error) }, 'the answer to our offer cannot be taken')
    }
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
    const passed = (method: PassedMethod) => (incoming: Incoming) =>
      this.#pass(party, method, incoming)
    void leg.hungUp.then((bye) => {
      if (!isCurrent()) return
      this.#close()
      void this.#legs[otherOf(party)].hangUp(reasonOf(bye))
      this.#options.onHungUp(party, bye)
    })
    const reoffer = guarded((incoming) => this.#offers.take(party, incoming))
    leg.dialog
      .on('modify', reoffer)
      .on('update', reoffer)
      .on(
        'info',
        guarded((incoming) => {
          const key = infoKey(incoming.request)
          if (key !== undefined) this.#options.onKey(party, key)
          return this.#pass(party, 'INFO', incoming)
        }),
      )
      .on('message', guarded(passed('MESSAGE')))
      .on('notify', guarded(passed('NOTIFY')))
      .on(
        'refer',
        guarded((incoming) => this.#refer(party, incoming)),
      )
      .on('options', guarded(answerOptions))
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

  /** Only the platform's agents transfer by way of us; a caller's REFER is the platform's to judge. */
  #refer(party: Party, incoming: Incoming): void | Promise<void> {
    const { onRefer } = this.#options
    if (onRefer === undefined || party === 'caller') return this.#pass(party, 'REFER', incoming)
    return onRefer(incoming.request, incoming.response)
  }

  async #pass(party: Party, method: PassedMethod, incoming: Incoming): Promise<void> {
    const other = otherOf(party)
    const { hosts, farSideOf } = this.#options
    const rewrite = (name: string, value: string) => {
      if (name === 'Refer-To') {
        return passedReferTo(value, { party: other, hosts: hosts[other], farSideOf })
      }
      return name === 'Referred-By' ? hideHosts(value, hosts[other]) : value
    }
    const status = await passRequest(method, incoming, { to: this.#legs[other], rewrite })
    // A NOTIFY or REFER may also concern a subscription that is no more (RFC 5057 §5.1).
    if (method === 'INFO' && status === 481 && !this.#isEnded) {
      this.#options.onGone('session_expired')
    }
  }
}

function answerOptions({ response }: Incoming): void {
  response.send(200, 'OK', { headers: OPTIONS_HEADERS })
}
