import type { TrunkTarget } from '../../config/trunk-config.ts'
import { localContact } from '../sip/local-contact.ts'
import type { TimerLimits } from '../sip/session-timer.ts'
import type { SipHeaders, SipRequest } from '../sip/sip-surface.ts'
import { readSipAddress } from '../sip-address.ts'
import { carriedHeaders, privacyWishes } from './carried-headers.ts'
import type { HiddenHosts } from './hide-hosts.ts'

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
    readonly hosts: HiddenHosts
    /** The dialog whose place the call takes, as the target knows it; undefined for none. */
    readonly replaces: string | undefined
  },
): SipHeaders {
  const { target, uri, hopsLeft, timer, hosts, replaces } = options
  const { isTrusted } = target
  const read = (name: string) => request.get(name)
  const extensionNames = Object.keys(request.headers).filter((name) => /^x-/i.test(name))
  const { user, from } = callerOf(request, !isTrusted && privacyWishes(read).has('user'))
  return {
    ...carriedHeaders(read, { isTrusted, extensionNames, hosts }),
    From: from,
    To: `<${uri.replace(/;.*$/, '')}>`,
    Contact: localContact(user, target.uri),
    Allow: TRUNK_ALLOW,
    Supported: 'timer, 100rel, replaces',
    // The target is to refresh, so that it finds out when this node has died: a drachtio server that is to refresh
    // goes on doing so without it.
    'Session-Expires': `${timer.expiresS};refresher=uas`,
    'Min-SE': `${timer.minS}`,
    'Max-Forwards': `${hopsLeft}`,
    'Content-Type': 'application/sdp',
    ...(replaces === undefined ? {} : { Replaces: replaces, Require: 'replaces' }),
  }
}

function callerOf(
  request: SipRequest,
  isAnonymous: boolean,
): { readonly user: string; readonly from: string } {
  const { displayName, user: written, host } = readSipAddress(request.get('From') ?? '')
  if (isAnonymous) {
    return { user: 'anonymous', from: '"Anonymous" <sip:anonymous@anonymous.invalid>' }
  }
  const user = encodeURIComponent(written || 'anonymous').replaceAll('%2B', '+')
  const name = displayName === '' ? '' : `"${displayName.replace(/["\\\r\n]/g, '')}" `
  // The one host that says something of the caller (RFC 3323 §4.1.1.3), and nothing of the network.
  const isWithheld = host.toLowerCase() === 'anonymous.invalid'
  return { user, from: `${name}<sip:${user}@${isWithheld ? 'anonymous.invalid' : 'localhost'}>` }
}
