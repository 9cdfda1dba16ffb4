import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { TallenneError } from '../../base/tallenne-error.ts'
import type { TrunkRoute } from '../../config/trunk-config.ts'
import type { ReasonCode, RecordingOutcome } from '../../recorder/recording-plan.ts'
import type { CallEvents } from '../calls/call-events.ts'
import type { ContactRecord } from '../calls/contact-record.ts'
import { type FinishedRecording, finishRecording } from '../calls/finish-recording.ts'
import { nothingRecorded } from '../calls/nothing-recorded.ts'
import type { RecordingFiles } from '../calls/recording-files.ts'
import type {
  MovedMedia,
  RecordingStatus,
  TrunkMedia,
  TrunkMediaPlane,
} from '../media/trunk-media.ts'
import { UnanchoredMedia } from '../media/unanchored-media.ts'

export interface TrunkRecordingOptions {
  readonly recordingId: string
  readonly contact: ContactRecord
  readonly route: TrunkRoute
  readonly plane: TrunkMediaPlane
  readonly files: RecordingFiles
  readonly clock: Clock
  readonly log: Log
  readonly events: CallEvents
  /** Why a call that begins now could not be recorded; undefined where it can. */
  readonly recordingObstacle: () => string | undefined
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

  constructor(options: TrunkRecordingOptions) {
    this.#options = options
    this.#recordingId = options.recordingId
  }

  /** The recording that is open; another one after its engine died. */
  get recordingId(): string {
    return this.#recordingId
  }

  get #isWanted(): boolean {
    return this.#options.route.recording !== 'off'
  }

  /**
   * Rejects with the plane's `TallenneError` where the call can have no media, and with `cannot_record` where its route
   * requires what cannot be done.
   */
  async open(callerOffer: string | null): Promise<TrunkMedia> {
    const { plane, route, contact, recordingObstacle } = this.#options
    const obstacle = route.recording === 'require' ? recordingObstacle() : undefined
    if (obstacle !== undefined) throw new TallenneError('cannot_record', obstacle)
    const opening = plane.open({
      recordingId: this.#recordingId,
      callId: contact.callId,
      callerOffer,
      isRecorded: this.#isWanted,
      isRecordingRequired: route.recording === 'require',
    })
    this.#opening = opening.catch((error: unknown) => this.#withoutPlane(callerOffer, error))
    const media = await this.#opening
    this.#note(media.status)
    media.onStatusChange((status) => this.#note(status))
    return media
  }

  /** No plane has room. That costs the call only where its route says so. */
  #withoutPlane(callerOffer: string | null, error: unknown): TrunkMedia {
    const { route } = this.#options
    const isPassed = route.withoutMedia === 'pass' && route.recording !== 'require'
    const isWantOfRoom = error instanceof TallenneError && error.code !== 'unusable_offer'
    if (!isPassed || !isWantOfRoom || callerOffer === null) throw error
    return new UnanchoredMedia(callerOffer, error)
  }

  answered(answeredAtMs: number): void {
    if (this.#isWanted) this.#options.contact.recordingStarted(this.#recordingId, answeredAtMs)
  }

  /** The media goes on elsewhere: what was recorded gets its verdict, and another recording goes on. */
  moved({ recordingId, movedAtMs, before }: MovedMedia): void {
    const { contact } = this.#options
    const lostId = this.#recordingId
    this.#recordingId = recordingId
    if (!this.#isWanted) return
    contact.recordingStarted(recordingId, movedAtMs)
    this.#salvaged = Promise.all([
      this.#salvaged,
      before.then((outcome) => this.#judge(outcome ?? this.#nothing(lostId, movedAtMs))),
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
    return this.#judge(outcome ?? this.#nothing(this.#recordingId, endedAtMs))
  }

  async #judge(outcome: RecordingOutcome): Promise<FinishedRecording> {
    const { contact, events } = this.#options
    const recording = await finishRecording(outcome, this.#options)
    contact.recordingEnded(recording.outcome, recording.file)
    events.judged(recording.outcome)
    return recording
  }

  #note(status: RecordingStatus): void {
    if (status.kind !== 'unavailable') return
    const { log, onUnrecorded } = this.#options
    log.error({ code: status.code, reason: status.message }, 'call goes on unrecorded')
    onUnrecorded(status.code)
  }

  #nothing(recordingId: string, endedAtMs: number): RecordingOutcome {
    const startedAtMs = this.#options.contact.answeredAtMs ?? endedAtMs
    return nothingRecorded(recordingId, { startedAtMs, endedAtMs })
  }
}
