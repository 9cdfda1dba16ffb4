import type { Clock, Timer } from '../../base/clock.ts'
import type { SipHeaders, SipRequest } from './sip-surface.ts'

export type Refresher = 'uac' | 'uas'

/** The configured limits, seconds. */
export interface TimerLimits {
  readonly expiresS: number
  readonly minS: number
}

export type TimerAgreement =
  /** The peer asked for none: probes find out whether it still lives. */
  | { readonly kind: 'none' }
  | {
      readonly kind: 'agreed'
      readonly expiresS: number
      readonly refresher: Refresher
      /** Whether the peer knows timers, so that `Require: timer` may be sent. */
      readonly isKnownToPeer: boolean
    }
  /** Answer 422 with `Min-SE: minS`. */
  | { readonly kind: 'too_short'; readonly minS: number }

const DELTA = /^\s*(\d{1,9})\s*(?:;|$)/

/**
 * What to answer to a request's Session-Expires (RFC 4028 §9): never more than asked, never less than either
 * side's minimum, and the refresher that the peer named; where it named none, the peer itself.
 *
 * A peer that knows timers and asks for none is given one to refresh by itself: it is to find out when this node has
 * died, which a SIP server that refreshes in the node's place would hide from it.
 */
export function agreeOnTimer(
  request: Pick<SipRequest, 'get'>,
  limits: TimerLimits,
): TimerAgreement {
  // The framework spells out no compact form of it (RFC 4028 §4).
  const sessionExpires = request.get('Session-Expires') ?? request.get('x')
  const askedS = deltaOf(sessionExpires)
  const supports = /(?:^|,)\s*timer\s*(?:,|$)/i.test(request.get('Supported') ?? '')
  if (askedS === undefined) return supports ? ownTimer(request, limits) : { kind: 'none' }
  const named = /;\s*refresher\s*=\s*(uac|uas)\b/i.exec(sessionExpires ?? '')?.[1]
  const isKnownToPeer = supports || named !== undefined
  if (askedS < limits.minS && isKnownToPeer) return { kind: 'too_short', minS: limits.minS }
  const floorS = Math.max(deltaOf(request.get('Min-SE')) ?? 0, limits.minS)
  return {
    kind: 'agreed',
    expiresS: Math.min(askedS, Math.max(limits.expiresS, floorS)),
    refresher: refresherOf(named, isKnownToPeer),
    isKnownToPeer,
  }
}

function ownTimer(request: Pick<SipRequest, 'get'>, limits: TimerLimits): TimerAgreement {
  const expiresS = Math.max(limits.expiresS, deltaOf(request.get('Min-SE')) ?? 0)
  return { kind: 'agreed', expiresS, refresher: 'uac', isKnownToPeer: true }
}

/** The answer's headers; none where there is no timer. */
export function timerHeaders(agreement: TimerAgreement): SipHeaders {
  if (agreement.kind !== 'agreed') return {}
  const expires = `${agreement.expiresS};refresher=${agreement.refresher}`
  return agreement.isKnownToPeer && agreement.refresher === 'uac'
    ? { 'Session-Expires': expires, Require: 'timer' }
    : { 'Session-Expires': expires }
}

function refresherOf(named: string | undefined, isKnownToPeer: boolean): Refresher {
  if (named?.toLowerCase() === 'uas') return 'uas'
  return isKnownToPeer ? 'uac' : 'uas'
}

function deltaOf(header: string | undefined): number | undefined {
  const digits = DELTA.exec(header ?? '')?.[1]
  return digits === undefined ? undefined : Number(digits)
}

export interface SessionTimerEvents {
  /** It is this side's turn to refresh. */
  readonly onRefreshDue: () => void
  /** The peer did not refresh in time: the session is over (RFC 4028 §10). */
  readonly onExpired: () => void
  /** No timer is agreed and the peer has been quiet for long: ask whether it lives. */
  readonly onProbeDue: () => void
}

/** A dialog's session timer. `restart` at each refresh of either side, `stop` at the end; both idempotent. */
export class SessionTimer {
  readonly #clock: Clock
  readonly #events: SessionTimerEvents
  readonly #probeEveryS: number
  #timers: readonly Timer[] = []

  constructor(options: {
    readonly clock: Clock
    readonly events: SessionTimerEvents
    readonly probeEveryS: number
  }) {
    this.#clock = options.clock
    this.#events = options.events
    this.#probeEveryS = options.probeEveryS
  }

  restart(agreement: TimerAgreement): void {
    this.stop()
    if (agreement.kind !== 'agreed') {
      this.#timers = [this.#clock.every(this.#probeEveryS * 1000, this.#events.onProbeDue)]
      return
    }
    const { expiresS, refresher } = agreement
    // Shortly before the end, so that the BYE still finds the dialog on the peer (RFC 4028 §10).
    const expiry = this.#clock.after(
      (expiresS - Math.min(32, expiresS / 3)) * 1000,
      this.#events.onExpired,
    )
    if (refresher === 'uac') {
      this.#timers = [expiry]
      return
    }
    // A drachtio server refreshes at half of the interval, five seconds more or less, where nobody has done it before.
    const refresh = this.#clock.after(
      Math.max(expiresS * 0.4, expiresS / 2 - 8) * 1000,
      this.#events.onRefreshDue,
    )
    this.#timers = [expiry, refresh]
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers = []
  }
}
