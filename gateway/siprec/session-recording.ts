import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { newId } from '../../base/uuid.ts'
import type { ReasonCode } from '../../recorder/recording-plan.ts'
import type { CallEvents } from '../calls/call-events.ts'
import type { ContactRecord } from '../calls/contact-record.ts'
import { type FinishedRecording, finishRecording } from '../calls/finish-recording.ts'
import type { RecordingFiles } from '../calls/recording-files.ts'
import type { DialogRenewer } from '../sip/renew-dialog.ts'
import type { Answer } from './answer-plan.ts'
import type { SessionPlane, SessionStream } from './session-plane.ts'

export interface SessionRecordingOptions {
  readonly contact: ContactRecord
  readonly plane: SessionPlane
  readonly files: RecordingFiles
  readonly clock: Clock
  readonly log: Log
  readonly events: CallEvents
}

/** What one session leaves of its sound: opens its recordings, and writes them and their verdicts to the contact. */
export class SessionRecording {
  readonly #options: SessionRecordingOptions
  #recordingId = newId()
  /** Settles when the plane has opened the recording or refused to. */
  #opened: Promise<boolean> = Promise.resolve(false)
  /** Settles when recordings that were lost have their verdicts. */
  #salvaged: Promise<unknown> = Promise.resolve()

  constructor(options: SessionRecordingOptions) {
    this.#options = options
  }

  /** The open recording; another one after the first was lost. */
  get recordingId(): string {
    return this.#recordingId
  }

  /** Rejects as a `SessionPlane` does. */
  open(answer: Answer): Promise<readonly SessionStream[]> {
    return this.#open(answer, undefined)
  }

  /** Sets the timeline's zero. Never throws: a recording that cannot be told is being lost. */
  answered(answeredAtMs: number): void {
    this.#options.plane.answered(this.#recordingId, answeredAtMs).catch(() => undefined)
  }

  /** The SIP server that the media may depend on was lost, and there is one again. Never rejects. */
  async renewSignalling(framework: DialogRenewer): Promise<void> {
    await this.#options.plane.renewSignalling(this.#recordingId, framework).catch(() => undefined)
  }

  /** Rejects as a `SessionPlane` does. */
  update(answer: Answer): Promise<readonly SessionStream[]> {
    return this.#options.plane.update(this.#recordingId, answer)
  }

  /**
   * The recording is lost, and the call goes on in another from now. What was recorded gets its verdict. Rejects as
   * a `SessionPlane` does.
   */
  async goOn(answer: Answer): Promise<readonly SessionStream[]> {
    const { clock, contact, plane } = this.#options
    const lostId = this.#recordingId
    const lostAtMs = clock.epochMs()
    this.#recordingId = newId()
    const recordingId = this.#recordingId
    const opening = this.#open(answer, lostId)
    this.#opened = this.#opened.then((isOpened) => {
      if (isOpened) contact.recordingStarted(recordingId, lostAtMs)
      return isOpened
    })
    this.#salvaged = Promise.all([this.#salvaged, this.#judge(lostId, lostAtMs, ['engine_failed'])])
    const streams = await opening
    await plane.answered(recordingId, lostAtMs)
    return streams
  }

  /** Closes everything. Undefined where no recording is open now. */
  async close(
    endedAtMs: number,
    reasons: readonly ReasonCode[],
  ): Promise<FinishedRecording | undefined> {
    const isOpened = await this.#opened
    const recording = isOpened
      ? await this.#judge(this.#recordingId, endedAtMs, reasons)
      : undefined
    await this.#salvaged
    return recording
  }

  #open(answer: Answer, after: string | undefined): Promise<readonly SessionStream[]> {
    const { plane, contact } = this.#options
    const opening = plane.open({
      recordingId: this.#recordingId,
      callId: contact.callId,
      answer,
      ...(after === undefined ? {} : { after }),
    })
    this.#opened = opening.then(
      () => true,
      () => false,
    )
    return opening
  }

  async #judge(
    recordingId: string,
    endedAtMs: number,
    reasons: readonly ReasonCode[],
  ): Promise<FinishedRecording> {
    const { plane, contact, events } = this.#options
    const closed = await plane.close(recordingId, endedAtMs, reasons)
    const recording = await finishRecording(closed, this.#options)
    const { outcome, file } = recording
    if (contact.answeredAtMs === undefined) {
      // A call that was never answered has a recording only where its file holds something.
      if (outcome.sha256 === null) return recording
      contact.recordingStarted(recordingId, outcome.startedAtMs)
    }
    contact.recordingEnded(outcome, file)
    events.judged(outcome)
    return recording
  }
}
