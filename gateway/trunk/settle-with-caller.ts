import type { Log } from '../../base/log.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import type { SipRequest } from '../sip/sip-surface.ts'
import type { CallerResponses } from './caller-responses.ts'
import type { JoinedCall } from './joined-call.ts'
import type { EstablishedCall } from './set-up-call.ts'

/**
 * What is left to agree on with the caller when its ACK comes. Where the INVITE had no offer, the ACK holds the answer
 * to ours (RFC 3261 §13.2.1); where early media was of another description, the caller is offered that of the answer.
 *
 * False where the caller's answer is none that the media can take.
 */
export async function settleWithCaller(
  joined: JoinedCall,
  options: {
    readonly call: EstablishedCall
    readonly request: SipRequest
    readonly responses: CallerResponses
    readonly log: Log
  },
): Promise<boolean> {
  const { call, request, responses, log } = options
  const isOther = responses.isOtherThanTold(call.callerSdp)
  if (request.body && !isOther) return true
  const answer = await joined.leg('caller').nextAck()
  if (isOther) await joined.offerCaller(call.callerSdp)
  if (request.body) return true
  try {
    await call.media.takeAnswer('caller', answer)
    return true
  } catch (error) {
    log.warn({ reason: messageOf(error) }, 'caller’s answer cannot be taken')
    return false
  }
}
