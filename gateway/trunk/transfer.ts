import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import type { TrunkRoute, TrunkTarget } from '../../config/trunk-config.ts'
import type { Party, TrunkMedia } from '../media/trunk-media.ts'
import type { CallMaker, OutgoingInvite, PlatformDialog } from '../sip/call-maker.ts'
import type { DigestSession } from '../sip/digest-session.ts'
import type { TimerLimits } from '../sip/session-timer.ts'
import type { SipHeaders, SipRequest, SipResponse } from '../sip/sip-surface.ts'
import { answerEarlyUpdate } from './early-update.ts'
import { type FarSideOf, farSideNamed } from './far-side.ts'
import type { HiddenHosts } from './hide-hosts.ts'
import type { JoinedLeg } from './joined-leg.ts'
import { targetHeaders } from './leg-headers.ts'
import type { Incoming } from './pass-request.ts'
import { readReplaces, replacesIn, writeReplaces } from './replaces.ts'
import { type CredentialedOutcome, tryWithCredentials } from './try-with-credentials.ts'
import { withinRoute } from './within-route.ts'

export interface TransferOptions {
  /** The leg that asks for it. */
  readonly leg: JoinedLeg
  /** The caller's INVITE, whose identity the new party is told. */
  readonly invite: SipRequest
  readonly route: TrunkRoute
  /** The target that has the call now. */
  readonly target: TrunkTarget
  readonly hopsLeft: number
  readonly hosts: Readonly<Record<Party, HiddenHosts>>
  readonly farSideOf: FarSideOf
  readonly timer: TimerLimits
  readonly media: TrunkMedia
  readonly calls: CallMaker
  readonly clock: Clock
  readonly log: Log
  /** An INVITE to the new party is on its way. */
  readonly onSent: (invite: OutgoingInvite) => void
  /** Aborted when the call ends meanwhile. */
  readonly giveUp: AbortSignal
}

/** The party that the call goes to from now on. */
export interface Transferred {
  readonly dialog: PlatformDialog
  readonly digest: DigestSession | undefined
  readonly localSdp: Readonly<Record<Party, string>>
}

/**
 * Carries a transfer out for the platform (RFC 3515, RFC 5589): calls whom the REFER names, blind or with Replaces,
 * and reports by NOTIFY. Undefined where it came to nothing; the call then stays as it is.
 *
 * A transfer never leaves the route's own targets: the address in Refer-To counts where it is one of theirs, else
 * its user part alone, at the target that has the call.
 */
export async function transfer(
  refer: SipRequest,
  response: SipResponse,
  options: TransferOptions,
): Promise<Transferred | undefined> {
  const { leg, media, log } = options
  const destination = readDestination(refer.get('Refer-To') ?? '', options)
  if (destination === undefined) {
    response.send(400, 'Bad Refer-To', {})
    return undefined
  }
  response.send(202, 'Accepted', {})
  const report = reporter(leg, (refer.get('Refer-Sub') ?? '').trim().toLowerCase() !== 'false')
  report('100 Trying', 'active;expires=180')
  try {
    const platformSdp = await media.offerForPlatform(destination.target.srtp)
    const outcome = await call(destination, platformSdp, { ...options, refer, report })
    if (outcome.kind !== 'answered') {
      report(statusLine(outcome), 'terminated;reason=noresource')
      return undefined
    }
    const { dialog, digest } = outcome
    const callerSdp = await media.answerFromPlatform(dialog.remote.sdp ?? '')
    report('200 OK', 'terminated;reason=noresource')
    return { dialog, digest, localSdp: { caller: callerSdp, platform: platformSdp } }
  } catch (error) {
    log.warn({ reason: messageOf(error) }, 'transfer failed')
    report('500 Server Internal Error', 'terminated;reason=noresource')
    return undefined
  }
}

interface Destination {
  readonly target: TrunkTarget
  readonly uri: string
  readonly replaces: string | undefined
}

function call(
  { target, uri, replaces }: Destination,
  localSdp: string,
  options: TransferOptions & { readonly refer: SipRequest; readonly report: Report },
): Promise<CredentialedOutcome> {
  const { invite, route, calls, clock, giveUp, refer, report } = options
  const referredBy = refer.get('Referred-By')
  const headers: SipHeaders = {
    ...targetHeaders(invite, { ...options, target, uri, replaces, hosts: options.hosts.platform }),
    ...(referredBy === undefined ? {} : { 'Referred-By': referredBy }),
  }
  const attempt = {
    target,
    uri,
    localSdp,
    headers,
    responseTimeoutS: route.responseTimeoutS,
    ringTimeoutS: route.ringTimeoutS,
    giveUp,
    onSent: options.onSent,
    onUpdate: (update: Incoming) =>
      answerEarlyUpdate(update, { media: options.media, localSdp, log: options.log }),
    onProvisional: ({ status }: SipResponse) =>
      report(`${status} ${status === 180 ? 'Ringing' : 'Session Progress'}`, 'active;expires=180'),
  }
  return tryWithCredentials(attempt, { calls, clock })
}

/**
 * `<sip:user@host?Replaces=call-id%3Bto-tag%3D…%3Bfrom-tag%3D…>` (RFC 3891). Where that names a call of ours, whoever
 * is at its far end is called.
 */
function readDestination(
  referTo: string,
  { route, target, farSideOf }: Pick<TransferOptions, 'route' | 'target' | 'farSideOf'>,
): Destination | undefined {
  const replaces = replacesIn(referTo)
  if (replaces !== undefined && readReplaces(replaces) === undefined) return undefined
  const far = farSideNamed(replaces ?? '', farSideOf)
  if (far !== undefined) {
    return { target: far.target, uri: far.target.uri, replaces: writeReplaces(far.named) }
  }
  const at = withinRoute(referTo, { route, target })
  return at && { target: at, uri: at.uri, replaces }
}

type Report = (status: string, subscription: string) => void

function reporter(leg: JoinedLeg, isWanted: boolean): Report {
  return (status, subscription) => {
    if (!isWanted || !leg.dialog.connected) return
    void leg.statusOf({
      method: 'NOTIFY',
      headers: {
        Event: 'refer',
        'Subscription-State': subscription,
        'Content-Type': 'message/sipfrag;version=2.0',
        Contact: leg.dialog.local.contact,
      },
      body: `SIP/2.0 ${status}\r\n`,
    })
  }
}

function statusLine(outcome: Exclude<CredentialedOutcome, { readonly kind: 'answered' }>): string {
  switch (outcome.kind) {
    case 'refused':
      return `${outcome.status} ${outcome.reason.replace(/[^\x20-\x7e]/g, '') || 'Refused'}`
    case 'silent':
      return '408 Request Timeout'
    case 'cancelled':
      return '487 Request Terminated'
  }
}
