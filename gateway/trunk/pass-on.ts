import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { TrunkRoute, TrunkTarget } from '../../config/trunk-config.ts'
import type { Party } from '../media/trunk-media.ts'
import type { CallMaker, OutgoingInvite, PlatformDialog } from '../sip/call-maker.ts'
import type { DigestSession } from '../sip/digest-session.ts'
import { maskTarget } from '../sip/mask-target.ts'
import type { TimerLimits } from '../sip/session-timer.ts'
import type { SipHeaders, SipRequest, SipResponse } from '../sip/sip-surface.ts'
import { carriedResponseHeaders } from './carried-headers.ts'
import { isTargetFault, refusalFor } from './failover.ts'
import type { HiddenHosts } from './hide-hosts.ts'
import { targetHeaders, uriFor } from './leg-headers.ts'
import type { Incoming } from './pass-request.ts'
import { TargetQueue } from './target-queue.ts'
import { type CredentialedOutcome, tryWithCredentials } from './try-with-credentials.ts'

export interface PassOnOptions {
  readonly request: SipRequest
  readonly route: TrunkRoute
  /** In the order in which they are tried. */
  readonly targets: readonly TrunkTarget[]
  readonly dialled: string
  readonly hopsLeft: number
  readonly hosts: Readonly<Record<Party, HiddenHosts>>
  /** The dialog whose place the call takes, as the targets know it; undefined for none. */
  readonly replaces: string | undefined
  readonly timer: TimerLimits
  readonly calls: CallMaker
  readonly clock: Clock
  readonly log: Log
  readonly giveUp: AbortSignal
  /** Gives the SDP for the next target. */
  readonly offer: (target: TrunkTarget) => Promise<string>
  /** A provisional response other than 100; the next is told when this one is dealt with. */
  readonly onProvisional: (response: SipResponse) => Promise<void>
  /** An UPDATE of the target's before it has answered, and what it was offered. */
  readonly onUpdate: (update: Incoming, localSdp: string) => void
  /** An INVITE to a target is on its way. */
  readonly onSent: (invite: OutgoingInvite) => void
  /** What a target made of the call, for the judgement of targets. */
  readonly onTarget: (target: TrunkTarget, isThere: boolean) => void
}

export type Passed =
  | {
      readonly kind: 'answered'
      readonly dialog: PlatformDialog
      readonly digest: DigestSession | undefined
      readonly target: TrunkTarget
      /** When its 200 came: what it says from then on belongs to the call. */
      readonly answeredAtMs: number
      /** What the target was offered. */
      readonly localSdp: string
    }
  | { readonly kind: 'refused'; readonly status: number; readonly headers: SipHeaders }
  | { readonly kind: 'cancelled' }

/** Offers the call to one target after the other, redirections included, until one answers or refuses for good. */
export async function passOn(options: PassOnOptions): Promise<Passed> {
  const { log, onTarget } = options
  let last: Extract<CredentialedOutcome, { readonly kind: 'refused' }> | undefined
  const left = new TargetQueue(options)
  for (let target = left.next(); target !== undefined; target = left.next()) {
    const { outcome, localSdp } = await offerTo(target, options)
    switch (outcome.kind) {
      case 'answered':
        onTarget(target, true)
        return { ...outcome, target, localSdp }
      case 'cancelled':
        return { kind: 'cancelled' }
      case 'silent':
        onTarget(target, false)
        last = { kind: 'refused', status: 408, reason: 'no answer', response: undefined }
        break
      case 'refused':
        onTarget(target, !isTargetFault(outcome.status))
        last = outcome
        left.redirect(target, outcome)
        break
    }
    log.warn(
      { target: maskTarget(target.uri), status: last.status },
      'target did not take the call',
    )
    if (!isTargetFault(last.status)) break
  }
  return {
    kind: 'refused',
    status: refusalFor(last?.status),
    headers: last?.response === undefined ? {} : refusalHeaders(last.response, options),
  }
}

function refusalHeaders(response: SipResponse, { hosts }: PassOnOptions): SipHeaders {
  return carriedResponseHeaders((name) => response.get(name), hosts.caller)
}

async function offerTo(target: TrunkTarget, options: PassOnOptions) {
  const localSdp = await options.offer(target)
  const outcome = await attempt(target, { ...options, localSdp })
  const minSe = outcome.kind === 'refused' ? wantedInterval(outcome) : undefined
  if (minSe === undefined) return { outcome, localSdp }
  // It wants a longer session interval (RFC 4028 §6): once more, with what it asks for.
  const timer = { expiresS: Math.max(minSe, options.timer.expiresS), minS: minSe }
  return { outcome: await attempt(target, { ...options, timer, localSdp }), localSdp }
}

function wantedInterval({
  status,
  response,
}: Extract<CredentialedOutcome, { readonly kind: 'refused' }>): number | undefined {
  const minSe = Number(/^\s*(\d{1,6})/.exec(response?.get('Min-SE') ?? '')?.[1])
  return status === 422 && minSe > 0 ? minSe : undefined
}

async function attempt(
  target: TrunkTarget,
  options: PassOnOptions & { readonly localSdp: string },
): Promise<CredentialedOutcome> {
  const { request, route, dialled, calls, clock, giveUp, localSdp } = options
  const uri = uriFor(target, dialled)
  let provisionals = Promise.resolve()
  const outcome = await tryWithCredentials(
    {
      target,
      uri,
      localSdp,
      headers: targetHeaders(request, { ...options, target, uri, hosts: options.hosts.platform }),
      responseTimeoutS: route.responseTimeoutS,
      ringTimeoutS: route.ringTimeoutS,
      giveUp,
      onProvisional: (response) => {
        // In order, since the media plane may take its time over the first description.
        provisionals = provisionals.then(() => options.onProvisional(response))
      },
      onUpdate: (update) => options.onUpdate(update, localSdp),
      onSent: options.onSent,
    },
    { calls, clock },
  )
  await provisionals
  return outcome
}
