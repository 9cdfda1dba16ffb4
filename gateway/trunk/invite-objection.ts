import { TRUNK_OPTIONS, unsupportedOptions } from '../sip/option-tags.ts'
import { badExtension, type Refusal } from '../sip/refusal.ts'
import type { TimerAgreement } from '../sip/session-timer.ts'
import type { SipRequest } from '../sip/sip-surface.ts'

export const MISSING: Refusal = {
  status: 400,
  reason: 'Missing Call-ID, From Tag or Contact',
  headers: {},
}

/** Why an INVITE is no call at all, so that it leaves no contact; undefined where it is one. */
export function objectionTo(
  request: SipRequest,
  call: {
    readonly hops: number
    readonly isKnown: boolean
    /** Whether we have sent it ourselves. */
    readonly isOurs: boolean
    readonly agreement: TimerAgreement
  },
): Refusal | undefined {
  if (request.get('Contact') === undefined) return MISSING
  // The same request by another path (RFC 3261 §8.2.2.2): the call is being passed on already.
  if (call.isKnown) return { status: 482, reason: 'Merged Request', headers: {} }
  if (call.isOurs) return { status: 482, reason: 'Loop Detected', headers: {} }
  if (!(call.hops >= 1)) return { status: 483, reason: 'Too Many Hops', headers: {} }
  const unsupported = unsupportedOptions(request.get('Require') ?? '', TRUNK_OPTIONS)
  if (unsupported.length > 0) {
    return badExtension(unsupported)
  }
  if (call.agreement.kind !== 'too_short') return undefined
  const headers = { 'Min-SE': String(call.agreement.minS) }
  return { status: 422, reason: 'Session Interval Too Small', headers }
}

/** By Call-ID and From tag; undefined where the request lacks one. */
export function dialogKey(request: SipRequest): string | undefined {
  const callId = request.get('Call-ID')
  const tag = /;\s*tag\s*=\s*([^\s;,>]+)/i.exec(request.get('From') ?? '')?.[1]
  return callId === undefined || tag === undefined ? undefined : `${callId}\n${tag}`
}
