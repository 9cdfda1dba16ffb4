import { TallenneError } from '../../base/tallenne-error.ts'
import type { TrunkRoute } from '../../config/trunk-config.ts'
import type { ReasonCode, RecordingOutcome } from '../../recorder/recording-plan.ts'
import {
  type CallAdmission,
  NotAdmitted,
  type Obstacle,
  resourceOf,
} from '../admission/admission.ts'
import type { CallControl } from '../calls/call-control.ts'
import type { FinishedRecording } from '../calls/finish-recording.ts'
import { isJournaled } from '../calls/is-journaled.ts'
import { nothingRecorded } from '../calls/nothing-recorded.ts'
import { RecordingVerdicts, type RecordingVerdictsOptions } from '../calls/recording-verdicts.ts'
import type {
  MovedMedia,
  RecordingStatus,
  TrunkMedia,
  TrunkMediaPlane,
} from '../media/trunk-media.ts'
import { UnanchoredMedia } from '../media/unanchored-media.ts'

export interface TrunkRecordingOptions extends RecordingVerdictsOptions {
  readonly recordingId: string
  readonly control: CallControl
  readonly route: TrunkRoute
  readonly plane: TrunkMediaPlane
  readonly admission: CallAdmission
  /** The call goes on without being recorded, or never began to be. */
  readonly onUnrecorded: (code: string) => void
}

/**
 * What one trunk call leaves of its sound: opens the media, and writes recordings and their verdicts to the contact.
 *
 * A recording that fails is told of and never ends the call.
 */
export class TrunkRecording {
  readonly #options: TrunkRecordingOptions
  #recordingId: string
  /** Settles when the plane has given the media or refused it. */
  #opening: Promise<TrunkMedia> | undefined
  /** Settles when recordings of places that died have their verdicts. */
  #salvaged: Promise<unknown> = Promise.resolve()
  /** Whether the open recording awaits a verdict; none does after the recording was stopped. */
  #awaitsVerdict = true
  #stopped: FinishedRecording | undefined
  readonly #verdicts: RecordingVerdicts
  /** Why a call that goes on unrecorded is not recorded, as its verdict says it. */
  #unrecordedFor: ReasonCode | undefined

  constructor(options: TrunkRecordingOptions) {
    this.#options = options
    this.#recordingId = options.recordingId
    this.#verdicts = new RecordingVerdicts(options)
    options.control.onStopped((outcome) => this.#stop(outcome))
  }

  /** The recording that is open; another one after its engine died. */
  get recordingId(): string {
    return this.#recordingId
  }

  get #isWanted(): boolean {
    return this.#options.route.recording !== 'off'
  }

  /**
   * Rejects with the plane's `TallenneError` where the call can have no media, and with `NotAdmitted` where its route
   * requires what cannot be done.
   */
  async open(callerOffer: string | null): Promise<TrunkMedia> {
    const { control, admission } = this.#options
    const { obstacle } = admission
    const opening =
      obstacle === undefined ? this.#openPlane(callerOffer) : this.#meet(obstacle, callerOffer)
    this.#opening = opening.catch((error: unknown) => this.#withoutPlane(callerOffer, error))
    const media = await this.#opening
    control.opened()
    this.#note(media.status)
    media.onStatusChange((status) => this.#note(status))
    return media
  }

  #openPlane(callerOffer: string | null, isRecorded = this.#isWanted): Promise<TrunkMedia> {
    const { plane, route, contact, control } = this.#options
    return plane.open({
      recordingId: this.#recordingId,
      callId: contact.callId,
      callerOffer,
      isRecorded,
      isRecordingRequired: route.recording === 'require',
      control,
      srtp: route.srtp,
    })
  }

  /** Where nothing can be kept of the call it may go on as it is; where there is no room for its media it has none. */
  async #meet(obstacle: Obstacle, callerOffer: string | null): Promise<TrunkMedia> {
    const { route, admission } = this.#options
    const { kind, resource, reason, message } = obstacle
    const isRequired = route.recording === 'require'
    if (kind === 'storage' && !this.#isWanted) return this.#openPlane(callerOffer)
    if (kind === 'certainty' && !isRequired) return this.#openPlane(callerOffer)
    if (kind === 'room' || isRequired) throw new NotAdmitted(obstacle)
    admission.turned(resource, 'unrecorded')
    this.#unrecordedFor = reason
    this.#note({ kind: 'unavailable', code: reason, message })
    return this.#openPlane(callerOffer, false)
  }

  /** No plane has room, or the call is not admitted. That costs the call only where its route says so. */
  #withoutPlane(callerOffer: string | null, error: unknown): TrunkMedia {
    const { route, admission } = this.#options
    if (!(error instanceof TallenneError) || error.code === 'unusable_offer') throw error
    const resource = error instanceof NotAdmitted ? error.obstacle.resource : resourceOf(error.code)
    const isPassed =
      route.withoutMedia === 'pass' && route.recording !== 'require' && callerOffer !== null
    if (resource !== undefined) admission.turned(resource, isPassed ? 'unrecorded' : 'refused')
    if (!isPassed) throw error
    if (error instanceof NotAdmitted) this.#unrecordedFor = error.obstacle.reason
    return new UnanchoredMedia(callerOffer, error)
  }

  /**
   * Whether the caller may be answered. What is journaled of the call comes first; a route that does not require a
   * recording has the call go on all the same where the journal hangs.
   */
  async mayAnswer(): Promise<boolean> {
    const { contact, route, admission, clock } = this.#options
    const isRequired = route.recording === 'require'
    // Known, so that waiting would be in vain.
    if (!isRequired && admission.obstacle?.resource === 'journal') return true
    return (await isJournaled([contact], clock)) || !isRequired
  }

  answered(answeredAtMs: number): void {
    const { contact } = this.#options
    if (this.#isWanted) contact.recordingStarted(this.#recordingId, answeredAtMs)
    else contact.exempted()
  }

  /** The media goes on elsewhere: what was recorded gets its verdict, and another recording goes on. */
  moved({ recordingId, movedAtMs, before }: MovedMedia): void {
    const { contact, control } = this.#options
    const lostId = this.#recordingId
    const wasJudged = !this.#awaitsVerdict
    this.#recordingId = recordingId
    control.opened()
    if (!this.#isWanted) return
    this.#awaitsVerdict = !control.isStopped
    if (this.#awaitsVerdict) contact.recordingStarted(recordingId, movedAtMs)
    this.#salvaged = Promise.all([
      this.#salvaged,
      before.then((outcome) =>
        wasJudged ? undefined : this.#verdicts.give(outcome ?? this.#nothing(lostId, movedAtMs)),
      ),
    ])
  }

  /** Releases the media and gives the verdict; undefined for a call that was never answered or is never recorded. */
  async close(
    endedAtMs: number,
    reasons: readonly ReasonCode[],
  ): Promise<FinishedRecording | undefined> {
    // A call may end while its media is being opened.
    const media = await this.#opening?.catch(() => undefined)
    const outcome = await media?.close(endedAtMs, reasons)
    await this.#salvaged
    if (this.#options.contact.answeredAtMs === undefined || !this.#isWanted) return undefined
    if (!this.#awaitsVerdict) return this.#stopped
    return this.#verdicts.give(outcome ?? this.#nothing(this.#recordingId, endedAtMs))
  }

  /** The recording was ended before the call. Without an outcome the call's end gives the verdict. */
  async #stop(outcome: RecordingOutcome | undefined): Promise<void> {
    if (outcome === undefined || !this.#isWanted) return
    this.#awaitsVerdict = false
    this.#stopped = await this.#verdicts.give(outcome)
  }

  #note(status: RecordingStatus): void {
    if (status.kind !== 'unavailable') return
    const { log, onUnrecorded } = this.#options
    log.error({ code: status.code, reason: status.message }, 'call goes on unrecorded')
    onUnrecorded(status.code)
  }

  #nothing(recordingId: string, endedAtMs: number): RecordingOutcome {
    const startedAtMs = this.#options.contact.answeredAtMs ?? endedAtMs
    const reason = this.#unrecordedFor
    return nothingRecorded(recordingId, { startedAtMs, endedAtMs, ...(reason && { reason }) })
  }
}
