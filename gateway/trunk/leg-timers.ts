import type { Clock } from '../../base/clock.ts'
import type { Party } from '../media/trunk-media.ts'
import {
  agreeOnTimer,
  SessionTimer,
  type TimerAgreement,
  type TimerLimits,
  timerHeaders,
} from '../sip/session-timer.ts'
import type { SipHeaders, SipRequest, SipResponse } from '../sip/sip-surface.ts'

export interface LegTimersOptions {
  readonly clock: Clock
  readonly limits: TimerLimits
  /** It is our turn to refresh the session with the party. */
  readonly onRefreshDue: (party: Party) => void
  /** No timer is agreed with the party, and it has been quiet for long. */
  readonly onProbeDue: (party: Party) => void
  readonly onExpired: (party: Party) => void
}

/** The session timers of a call's two legs, each agreed on by itself (RFC 4028). `stop` ends them. */
export class LegTimers {
  readonly #options: LegTimersOptions
  readonly #legs: Record<Party, { readonly timer: SessionTimer; agreement: TimerAgreement }>

  constructor(options: LegTimersOptions) {
    this.#options = options
    this.#legs = { caller: this.#leg('caller'), platform: this.#leg('platform') }
  }

  start(party: Party, agreement: TimerAgreement): void {
    const leg = this.#legs[party]
    leg.agreement = agreement
    leg.timer.restart(agreement)
  }

  /** The party showed that it lives. */
  refreshed(party: Party): void {
    const { timer, agreement } = this.#legs[party]
    timer.restart(agreement)
  }

  /**
   * What a re-INVITE or UPDATE of the party's agrees on, and the headers that say so in the answer; `start` puts it
   * into force.
   */
  judge(request: SipRequest): { readonly agreement: TimerAgreement; readonly headers: SipHeaders } {
    const agreement = agreeOnTimer(request, this.#options.limits)
    if (agreement.kind === 'too_short') {
      return { agreement, headers: { 'Min-SE': String(agreement.minS) } }
    }
    return { agreement, headers: timerHeaders(agreement) }
  }

  /** From now on it is for us to refresh the session with the party; false where none is agreed. */
  takeOver(party: Party): boolean {
    const leg = this.#legs[party]
    if (leg.agreement.kind !== 'agreed') return false
    leg.agreement = { ...leg.agreement, refresher: 'uas' }
    return true
  }

  /** Headers of a refresh of ours. */
  refreshHeaders(party: Party): SipHeaders {
    const { agreement } = this.#legs[party]
    if (agreement.kind !== 'agreed') return {}
    // In a request of ours we are the UAC (RFC 4028 §7.1), whoever was that in the INVITE.
    const refresher = agreement.refresher === 'uas' ? 'uac' : 'uas'
    return { 'Session-Expires': `${agreement.expiresS};refresher=${refresher}` }
  }

  stop(): void {
    for (const { timer } of Object.values(this.#legs)) timer.stop()
  }

  #leg(party: Party) {
    const { clock, limits, onRefreshDue, onProbeDue, onExpired } = this.#options
    const timer = new SessionTimer({
      clock,
      probeEveryS: limits.expiresS / 2,
      events: {
        onRefreshDue: () => onRefreshDue(party),
        onProbeDue: () => onProbeDue(party),
        onExpired: () => onExpired(party),
      },
    })
    return { timer, agreement: { kind: 'none' } as TimerAgreement }
  }
}

/** On this leg the gateway is the UAC, so a refresher `uac` is ourselves; `SessionTimer` speaks as the UAS. */
export function platformAgreement(response: SipResponse): TimerAgreement {
  const header = response.get('Session-Expires') ?? response.get('x') ?? ''
  const expiresS = Number(/^\s*(\d{1,9})/.exec(header)?.[1])
  if (!(expiresS > 0)) return { kind: 'none' }
  const refresher = /refresher\s*=\s*uas/i.test(header) ? 'uac' : 'uas'
  return { kind: 'agreed', expiresS, refresher, isKnownToPeer: true }
}
