import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { SiprecConfig } from '../../config/siprec-config.ts'
import type { ReasonCode } from '../../recorder/recording-plan.ts'
import type { CallAdmission } from '../admission/admission.ts'
import type { CallEvents, CallSource } from '../calls/call-events.ts'
import type { TimerAgreement, TimerLimits } from '../sip/session-timer.ts'
import type { DialogMaker, SipRequest, SipResponse } from '../sip/sip-surface.ts'
import type { CallMaker, CallOrigin } from './call-maker.ts'
import type { MediaNegotiation } from './media-negotiation.ts'
import type { RecordingRequest } from './recording-session-request.ts'

/** What a recording session is made of. */
export interface RecordingSessionOptions {
  readonly source: CallSource
  readonly request: SipRequest
  readonly response: SipResponse
  readonly message: RecordingRequest
  readonly maker: CallMaker
  readonly origin: CallOrigin
  readonly negotiation: MediaNegotiation
  readonly dialogs: DialogMaker
  readonly admission: CallAdmission
  readonly timer: TimerLimits
  readonly agreement: TimerAgreement
  /** What the client is told when its recording is stopped. */
  readonly onStop: SiprecConfig['onStop']
  readonly ackTimeoutMs: number
  /** Parties of a lost SIP server that send nothing for so long have hung up. */
  readonly orphanQuietMs: number
  readonly clock: Clock
  readonly log: Log
  readonly events: CallEvents
  /** Told once, when nothing is left to do. */
  readonly onEnded: () => void
}

/** How a recording session is to end. */
export interface EndOptions {
  readonly reasons?: readonly ReasonCode[]
  /** The peer or the SIP server has ended the dialog already: no BYE. */
  readonly isGone?: boolean
}
