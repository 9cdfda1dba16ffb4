import type { RecordingOutcome, StreamPort } from '../../recorder/recording-plan.ts'
import type { OrderedControl } from '../calls/ordered-control.ts'
import type { DialogRenewer } from '../sip/renew-dialog.ts'
import type { Answer } from './answer-plan.ts'
import type { MediaCapabilities } from './media-capabilities.ts'
import type { SdpFormat } from './sdp-offer.ts'

/** How a media plane itself describes a line that is answered. */
export interface PlaneLine {
  readonly formats: readonly SdpFormat[]
  readonly ptimeMs: number | null
  /** Values of `a=crypto` (RFC 4568). */
  readonly crypto: readonly string[]
}

/** Where a stream is received. */
export interface SessionStream extends StreamPort {
  /** Absent where the line is answered as it was planned. */
  readonly line?: PlaneLine
}

/** Where streams come from that a recording is to have. */
export interface StreamOrigin {
  /** Recordings that had some of them until now: what still lives of their media goes on in this one. */
  readonly before: readonly string[]
  /** Others of the same session, which may give it streams later, or take them. */
  readonly beside: readonly string[]
}

export interface SessionMediaRequest {
  readonly recordingId: string
  readonly callId: string
  readonly answer: Answer
  readonly from?: StreamOrigin
  readonly control: OrderedControl
  /** How many times as fast as it was spoken the media comes; absent means once. */
  readonly pace?: number
}

/**
 * Where recording sessions have their media. A plane that cannot take one rejects with a `TallenneError`:
 * `unusable_offer` where it cannot take the offer (488), else `no_ports`, `no_files`, `too_many_recordings`,
 * `engine_overload`, `engine_failed`, `no_media_server`, `media_timeout`, or a fork's code (503).
 */
export interface SessionPlane {
  /** What may be answered now. */
  readonly capabilities: MediaCapabilities
  /** Whether a recording may have streams of several sessions, which then share its `update`. */
  readonly takesFurtherStreams: boolean
  /** Tells where the streams are received, in any order. */
  open(request: SessionMediaRequest): Promise<readonly SessionStream[]>
  /** Sets the timeline's zero. */
  answered(recordingId: string, answeredAtMs: number): Promise<void>
  /** Applies a re-offer, or what else has become known of the streams; `from` is of those that are new to it. */
  update(
    recordingId: string,
    answer: Answer,
    from?: StreamOrigin,
  ): Promise<readonly SessionStream[]>
  /** Takes up again what the media has of dialogs on a SIP server that was lost. */
  renewSignalling(recordingId: string, framework: DialogRenewer): Promise<void>
  /** Ends the recording and releases its media. Never rejects: a lost engine is a `failed` verdict. */
  close(
    recordingId: string,
    endedAtMs: number,
    reasons: RecordingOutcome['reasons'],
  ): Promise<RecordingOutcome>
  /**
   * Told once for each open recording that cannot go on: its engine or its media server is gone. What was recorded
   * until then is safe; the owner opens another one `after` it, and closes it. Takes several listeners.
   */
  onLost(listener: (recordingId: string, cause: string) => void): void
}
