import type { TrunkTarget } from '../../config/trunk-config.ts'
import type { TimerLimits } from '../sip/session-timer.ts'
import type { SipHeaders, SipRequest, SipResponse } from '../sip/sip-surface.ts'
import { readSipAddress } from '../sip-address.ts'
import { CARRIED_RESPONSE_HEADERS, carriedHeaders } from './carried-headers.ts'

/** Methods that a joined call takes on either leg. */
export const TRUNK_ALLOW =
  'INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO, PRACK, REFER, NOTIFY, MESSAGE'

/** The target's URI with the dialled number where it names no user. */
export function uriFor(target: TrunkTarget, dialled: string): string {
  if (target.uri.includes('@')) return target.uri
  const user = encodeURIComponent(dialled).replaceAll('%2B', '+')
  return target.uri.replace(/^(sips?:)/, (scheme) => `${scheme}${user}@`)
}

/**
 * Headers of the INVITE to a target. The caller's own addresses stay behind: From keeps the name and the number, and
 * the SIP server puts its own address in the place of `localhost`.
 */
export function targetHeaders(
  request: SipRequest,
  options: {
    readonly target: TrunkTarget
    readonly uri: string
    readonly hopsLeft: number
    readonly timer: TimerLimits
  },
): SipHeaders {
  const { target, uri, hopsLeft, timer } = options
  const extensionNames = Object.keys(request.headers).filter((name) => /^x-/i.test(name))
  const { user, from } = callerOf(request)
  const transport = /;transport=\w+/i.exec(target.uri)?.[0] ?? ''
  return {
    ...carriedHeaders((name) => request.get(name), { isTrusted: target.isTrusted, extensionNames }),
    From: from,
    To: `<${uri.replace(/;.*$/, '')}>`,
    Contact: `<sip:${user}@localhost${transport}>`,
    Allow: TRUNK_ALLOW,
    Supported: 'timer, 100rel, replaces',
    // The target is to refresh, so that it finds out when this node has died: a drachtio server that is to refresh
    // goes on doing so without it.
    'Session-Expires': `${timer.expiresS};refresher=uas`,
    'Min-SE': `${timer.minS}`,
    'Max-Forwards': `${hopsLeft}`,
    'Content-Type': 'application/sdp',
  }
}

/** Headers of a target's response that the caller gets to see. */
export function carriedFrom(response: SipResponse): SipHeaders {
  const headers: Record<string, string> = {}
  for (const name of CARRIED_RESPONSE_HEADERS) {
    const value = response.get(name)
    if (value !== undefined && value !== '') headers[name] = value
  }
  return headers
}

function callerOf(request: SipRequest): { readonly user: string; readonly from: string } {
  const { displayName, user: written, host } = readSipAddress(request.get('From') ?? '')
  const user = encodeURIComponent(written || 'anonymous').replaceAll('%2B', '+')
  const name = displayName === '' ? '' : `"${displayName.replace(/["\\\r\n]/g, '')}" `
  // The one host that says something of the caller (RFC 3323 §4.1.1.3), and nothing of the network.
  const isAnonymous = host.toLowerCase() === 'anonymous.invalid'
  return { user, from: `${name}<sip:${user}@${isAnonymous ? 'anonymous.invalid' : 'localhost'}>` }
}
