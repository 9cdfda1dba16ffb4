import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { TrunkRoute, TrunkTarget } from '../../config/trunk-config.ts'
import type { CallMaker, PlatformDialog } from '../sip/call-maker.ts'
import type { TimerLimits } from '../sip/session-timer.ts'
import type { SipHeaders, SipRequest, SipResponse } from '../sip/sip-surface.ts'
import { isTargetFault, refusalFor } from './failover.ts'
import { carriedFrom, targetHeaders, uriFor } from './leg-headers.ts'
import { type TargetOutcome, tryTarget } from './try-target.ts'

export interface PassOnOptions {
  readonly request: SipRequest
  readonly route: TrunkRoute
  /** In the order in which they are tried. */
  readonly targets: readonly TrunkTarget[]
  readonly dialled: string
  readonly hopsLeft: number
  readonly timer: TimerLimits
  readonly calls: CallMaker
  readonly clock: Clock
  readonly log: Log
  readonly giveUp: AbortSignal
  /** Gives the SDP for the next target. */
  readonly offer: () => Promise<string>
  /** A provisional response other than 100; the next is told when this one is dealt with. */
  readonly onProvisional: (response: SipResponse) => Promise<void>
  /** What a target made of the call, for the judgement of targets. */
  readonly onTarget: (target: TrunkTarget, isThere: boolean) => void
}

export type Passed =
  | {
      readonly kind: 'answered'
      readonly dialog: PlatformDialog
      readonly target: TrunkTarget
      /** When its 200 came: what it says from then on belongs to the call. */
      readonly answeredAtMs: number
      /** What the target was offered. */
      readonly localSdp: string
    }
  | { readonly kind: 'refused'; readonly status: number; readonly headers: SipHeaders }
  | { readonly kind: 'cancelled' }

/** Offers the call to one target after the other until one answers or refuses for good. */
export async function passOn(options: PassOnOptions): Promise<Passed> {
  const { targets, log, onTarget } = options
  let last: Extract<TargetOutcome, { readonly kind: 'refused' }> | undefined
  for (const target of targets) {
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
        break
    }
    log.warn({ target: target.uri, status: last.status }, 'target did not take the call')
    if (!isTargetFault(last.status)) break
  }
  return {
    kind: 'refused',
    status: refusalFor(last?.status),
    headers: last?.response === undefined ? {} : carriedFrom(last.response),
  }
}

async function offerTo(target: TrunkTarget, options: PassOnOptions) {
  const localSdp = await options.offer()
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
}: Extract<TargetOutcome, { readonly kind: 'refused' }>): number | undefined {
  const minSe = Number(/^\s*(\d{1,6})/.exec(response?.get('Min-SE') ?? '')?.[1])
  return status === 422 && minSe > 0 ? minSe : undefined
}

async function attempt(
  target: TrunkTarget,
  options: PassOnOptions & { readonly localSdp: string },
): Promise<TargetOutcome> {
  const { request, route, dialled, hopsLeft, timer, calls, clock, giveUp, localSdp } = options
  const uri = uriFor(target, dialled)
  let provisionals = Promise.resolve()
  const outcome = await tryTarget(
    {
      target,
      uri,
      localSdp,
      headers: targetHeaders(request, { target, uri, hopsLeft, timer }),
      responseTimeoutS: route.responseTimeoutS,
      ringTimeoutS: route.ringTimeoutS,
      giveUp,
      onProvisional: (response) => {
        // In order, since the media plane may take its time over the first description.
        provisionals = provisionals.then(() => options.onProvisional(response))
      },
    },
    { calls, clock },
  )
  await provisionals
  return outcome
}
