import type { LiveCall } from '../calls/live-call.ts'
import type { SessionCall } from './session-call.ts'

/** A call of a session as the node's own API tells it; `session` is what is the same for all of its calls. */
export function liveSessionCall(
  { contact, part, isHeld }: SessionCall,
  session: Pick<LiveCall, 'state' | 'isHeld'>,
): LiveCall {
  const { contactId, callId, startedAtMs, answeredAtMs = null, facts } = contact
  return {
    contactId,
    recordingId: part.recordingId,
    callId,
    state: session.state,
    isHeld: isHeld || session.isHeld,
    isPaused: part.control.pausedBy.length > 0,
    isStopped: part.control.isStopped,
    startedAtMs,
    answeredAtMs,
    caller: facts.caller.display,
    serviceNumber: facts.serviceNumber.display,
    serviceLine: facts.serviceLine,
    agent: facts.agent,
  }
}
