import type { Clock, Timer } from '../../base/clock.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import type { TrunkTarget } from '../../config/trunk-config.ts'
import {
  type CallMaker,
  isRefusal,
  type OutgoingInvite,
  type PlatformDialog,
} from '../sip/call-maker.ts'
import type { SipHeaders, SipResponse } from '../sip/sip-surface.ts'
import type { Incoming } from './pass-request.ts'

/** How one target took the call. */
export type TargetOutcome =
  | { readonly kind: 'answered'; readonly dialog: PlatformDialog; readonly answeredAtMs: number }
  | {
      readonly kind: 'refused'
      readonly status: number
      readonly reason: string
      readonly response: SipResponse | undefined
    }
  /** Nothing came within the response time, or no answer within the ringing time. */
  | { readonly kind: 'silent'; readonly afterS: number }
  | { readonly kind: 'cancelled' }

export interface TargetAttempt {
  readonly target: TrunkTarget
  readonly uri: string
  readonly localSdp: string
  readonly headers: SipHeaders
  /** Sends it there instead of where `uri` leads; undefined for none. */
  readonly proxy: string | undefined
  readonly responseTimeoutS: number
  readonly ringTimeoutS: number
  /** Aborted when the caller gives up; its `reason` may hold headers for the CANCEL. */
  readonly giveUp: AbortSignal
  readonly onProvisional: (response: SipResponse) => void
  /** The INVITE is on its way. */
  readonly onSent: (invite: OutgoingInvite) => void
  /** An UPDATE of the target's before it has answered. */
  readonly onUpdate: (update: Incoming) => void
}

/**
 * Sends the call to one target and waits for its outcome. Never rejects. A target that is given up is cancelled,
 * and one that answers all the same is hung up.
 */
export function tryTarget(
  attempt: TargetAttempt,
  { calls, clock }: { readonly calls: CallMaker; readonly clock: Clock },
): Promise<TargetOutcome> {
  return new Promise((resolve) => {
    let invite: OutgoingInvite | undefined
    let timer: Timer | undefined
    let outcome: TargetOutcome | undefined

    const settle = (settled: TargetOutcome) => {
      if (outcome) return
      outcome = settled
      timer?.cancel()
      attempt.giveUp.removeEventListener('abort', onGiveUp)
      resolve(settled)
    }
    const cancel = () => {
      try {
        invite?.cancel({ headers: cancelHeaders(attempt.giveUp) }, () => {})
      } catch {
        // The framework throws where its SIP server is lost, and the transaction with it.
      }
    }
    const abandon = (settled: TargetOutcome) => {
      settle(settled)
      cancel()
    }
    const giveTime = (seconds: number) => {
      timer?.cancel()
      timer = clock.after(seconds * 1000, () => abandon({ kind: 'silent', afterS: seconds }))
    }
    const onGiveUp = () => abandon({ kind: 'cancelled' })

    if (attempt.giveUp.aborted) {
      resolve({ kind: 'cancelled' })
      return
    }
    attempt.giveUp.addEventListener('abort', onGiveUp)
    giveTime(attempt.responseTimeoutS)
    let hasRung = false
    try {
      calls.createUAC(
        attempt.uri,
        {
          localSdp: attempt.localSdp,
          headers: attempt.headers,
          ...(attempt.proxy === undefined ? {} : { proxy: attempt.proxy }),
        },
        {
          cbRequest: (_failure, request) => {
            invite = request
            if (request) {
              attempt.onSent(request)
              takeUpdates(request, attempt.onUpdate)
            }
            if (outcome) cancel()
          },
          cbProvisional: (response) => {
            if (outcome) return
            // A 100 says only that a hop has it; ringing time counts from the first, once.
            if (!hasRung) giveTime(attempt.ringTimeoutS)
            hasRung = true
            if (response.status > 100) attempt.onProvisional(response)
          },
        },
        (failure, dialog) => {
          if (dialog) {
            if (!outcome) settle({ kind: 'answered', dialog, answeredAtMs: clock.epochMs() })
            // It answered while the CANCEL was under way (RFC 3261 §9.1): nobody is there to talk to.
            else if (outcome.kind !== 'answered') void dialog.destroy().catch(() => {})
            return
          }
          settle(refusalOf(failure))
        },
      )
    } catch (error) {
      settle(refusalOf(error))
    }
  })
}

/** The framework's own listener, which it adds next, answers with what was offered first, whatever is asked. */
function takeUpdates(invite: OutgoingInvite, onUpdate: (update: Incoming) => void): void {
  queueMicrotask(() => {
    invite.removeAllListeners('update')
    invite.on('update', (request, response) => onUpdate({ request, response }))
  })
}

function refusalOf(failure: unknown): TargetOutcome {
  if (isRefusal(failure)) {
    const { status, reason, res } = failure
    return { kind: 'refused', status, reason, response: res }
  }
  // The SIP server could not send it: the target's name does not resolve, or its port refuses.
  return { kind: 'refused', status: 503, reason: messageOf(failure), response: undefined }
}

function cancelHeaders(giveUp: AbortSignal): SipHeaders {
  const reason: unknown = giveUp.reason
  return typeof reason === 'string' ? { Reason: reason } : {}
}
