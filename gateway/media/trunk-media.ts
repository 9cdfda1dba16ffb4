import type { SrtpPolicy, TargetSrtp } from '../../config/srtp-config.ts'
import type { RecordingOutcome } from '../../recorder/recording-plan.ts'
import type { OrderedControl } from '../calls/ordered-control.ts'
import type { DialogRenewer } from '../sip/renew-dialog.ts'

/** The two parties of a trunk call as media sees them: who called in, and the platform it was passed to. */
export type Party = 'caller' | 'platform'

export function otherOf(party: Party): Party {
  return party === 'caller' ? 'platform' : 'caller'
}

/** A trunk call that is about to be passed on. */
export interface TrunkMediaRequest {
  readonly recordingId: string
  readonly callId: string
  /** The caller's offer; null where the INVITE had none. */
  readonly callerOffer: string | null
  /** False where the route never records: media is anchored all the same. */
  readonly isRecorded: boolean
  /** Offers that cannot be recorded are to be refused (`unusable_offer`) instead of passed on unrecorded. */
  readonly isRecordingRequired: boolean
  /** Absent where nobody orders the recording about. */
  readonly control?: OrderedControl
  /** What becomes of callers' offers with regard to SRTP. */
  readonly srtp: SrtpPolicy
}

/** Media that goes on in another place after the one that held it died. */
export interface MovedMedia {
  /** Of the recording that goes on from here; not the one that the call began with. */
  readonly recordingId: string
  readonly movedAtMs: number
  /**
   * What each party is to be offered in a re-INVITE; its answer goes to `takeAnswer`. Null where the parties' media
   * stays where it is and the recording alone has moved.
   */
  readonly offers: Readonly<Record<Party, string>> | null
  /** The verdict on what was recorded until then; null where nothing was. */
  readonly before: Promise<RecordingOutcome | null>
}

/** Whether the call is being recorded, and if not, why: a code and a sentence for the contact row and the alarm. */
export type RecordingStatus =
  | { readonly kind: 'recording' }
  | { readonly kind: 'off' }
  | { readonly kind: 'unavailable'; readonly code: string; readonly message: string }

/**
 * The media of one trunk call, anchored on a plane. Every SDP that leaves names the plane's own addresses.
 *
 * A failure to record never rejects: it is told by `status` and through `onStatusChange`, and the call goes on.
 * What rejects (a `TallenneError`) is a call that cannot have media at all.
 */
export interface TrunkMedia {
  readonly status: RecordingStatus
  /** Whether a party has put the other on hold. */
  readonly isHeld: boolean
  /** Told at most once for each change, also when recording is lost in mid-call. */
  onStatusChange(listener: (status: RecordingStatus) => void): void
  /** Told once, when the plane lost the call's media for good: both legs are then to be released. */
  onLost(listener: (reason: string) => void): void
  /** Told each time that the plane could carry the media of an answered call on elsewhere. */
  onMoved(listener: (moved: MovedMedia) => void): void

  /**
   * The SDP to offer to the platform, protected as the target wants it, by default as the caller does. May be called
   * again for the next target after a refusal.
   */
  offerForPlatform(srtp?: TargetSrtp): Promise<string>
  /** Takes the platform's SDP of a 18x or 2xx and gives the SDP for the caller's response. Idempotent for equal SDP. */
  answerFromPlatform(sdp: string): Promise<string>
  /**
   * A party's answer to an offer of the plane's own: what the caller asked for by an INVITE without SDP, a refresh
   * of the session, or a move.
   */
  takeAnswer(party: Party, sdp: string): Promise<void>

  /** A party's new offer in the dialog: gives the offer for the other party. */
  reofferFrom(party: Party, sdp: string): Promise<string>
  /** The other party's answer to that offer: gives the answer for the party that offered. */
  reanswerTo(party: Party, sdp: string): Promise<string>

  /**
   * Plays a sound file to the caller before the call is passed on and resolves at its end or at `cancel`.
   * Gives the SDP that the caller needs first through `onAnswer`, to be sent in a 183.
   */
  announce(
    file: string,
    options: { readonly onAnswer: (sdp: string) => void; readonly cancel: AbortSignal },
  ): Promise<void>

  /**
   * Takes up again what the plane itself has of dialogs on a SIP server that was lost, through that one or another.
   * Never rejects: the media does not depend on it.
   */
  renewSignalling(framework: DialogRenewer): Promise<void>

  /** The timeline's zero: the 2xx went to the caller. */
  answered(answeredAtMs: number): Promise<void>
  /** Releases everything on both sides and tells the verdict, or null where nothing was recorded. Never rejects. */
  close(endedAtMs: number, reasons: RecordingOutcome['reasons']): Promise<RecordingOutcome | null>
}

/** A media plane for trunk calls: the engines' own relay, or a pool of FreeSWITCH servers. */
export interface TrunkMediaPlane {
  /** Rejects with a `TallenneError` (`no_ports`, `no_media_server`, `unusable_offer`, …) where the call can have no media. */
  open(request: TrunkMediaRequest): Promise<TrunkMedia>
}
