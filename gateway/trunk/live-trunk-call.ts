import type { LiveCall } from '../calls/live-call.ts'
import type { TrunkCall } from './trunk-call.ts'

const LIVE_STATES = {
  opening: 'opening',
  announcing: 'opening',
  passing: 'answering',
  joined: 'established',
  ending: 'ending',
  ended: 'ended',
} as const

/** How a live call is shown. */
export function liveTrunkCall({
  contact,
  control,
  recordingId,
  state,
  isHeld,
}: TrunkCall): LiveCall {
  return {
    contactId: contact.contactId,
    recordingId,
    callId: contact.callId,
    state: LIVE_STATES[state],
    isHeld,
    isPaused: control.pausedBy.length > 0,
    isStopped: control.isStopped,
    startedAtMs: contact.startedAtMs,
    answeredAtMs: contact.answeredAtMs ?? null,
    caller: contact.facts.caller.display,
    serviceNumber: contact.facts.serviceNumber.display,
    serviceLine: contact.facts.serviceLine,
    agent: contact.facts.agent,
  }
}
