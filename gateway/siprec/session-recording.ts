import { newId } from '../../base/uuid.ts'
import type { ReasonCode, RecordingOutcome } from '../../recorder/recording-plan.ts'
import type { CallControl } from '../calls/call-control.ts'
import type { FinishedRecording } from '../calls/finish-recording.ts'
import { withMasking } from '../calls/ordered-control.ts'
import { RecordingVerdicts, type RecordingVerdictsOptions } from '../calls/recording-verdicts.ts'
import type { DialogRenewer } from '../sip/renew-dialog.ts'
import type { Answer } from './answer-plan.ts'
import type { SessionPlane, SessionStream, StreamOrigin } from './session-plane.ts'

export interface SessionRecordingOptions extends RecordingVerdictsOptions {
  readonly control: CallControl
  readonly plane: SessionPlane
  /** How many times as fast as it was spoken the media comes. */
  readonly pace: number
}

/** What one session leaves of its sound: opens its recordings, and writes them and their verdicts to the contact. */
export class SessionRecording {
  readonly #options: SessionRecordingOptions
  #recordingId = newId()
  /** Settles when the plane has opened the recording or refused to. */
  #opened: Promise<boolean> = Promise.resolve(false)
  /** Settles when recordings that were lost have their verdicts. */
  #salvaged: Promise<unknown> = Promise.resolve()
  /** Whether the open recording awaits a verdict; none does after the recording was stopped. */
  #awaitsVerdict = true
  #stopped: FinishedRecording | undefined
  /** The service line whose keys the plane was last told. */
  #line = ''
  readonly #verdicts: RecordingVerdicts

  constructor(options: SessionRecordingOptions) {
    this.#options = options
    this.#verdicts = new RecordingVerdicts(options)
  }

  /** The open recording; another one after the first was lost. */
  get recordingId(): string {
    return this.#recordingId
  }

  /** Rejects as a `SessionPlane` does. */
  open(answer: Answer, from?: StreamOrigin): Promise<readonly SessionStream[]> {
    return this.#open(answer, from)
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
  update(answer: Answer, from?: StreamOrigin): Promise<readonly SessionStream[]> {
    return this.#options.plane.update(this.#recordingId, this.#coded(answer), from)
  }

  /** Whether the plane does not know yet which keys count now. */
  get hasStaleCodes(): boolean {
    return this.#line !== this.#options.contact.facts.serviceLine
  }

  /** The recording was ended before the session: gives its verdict. Without an outcome the session's end does. */
  async stopped(outcome: RecordingOutcome | undefined): Promise<void> {
    if (outcome === undefined) return
    this.#awaitsVerdict = false
    this.#stopped = await this.#verdicts.give(outcome)
  }

  /**
   * The recording is lost, and the call goes on in another from now. What was recorded gets its verdict. Rejects as
   * a `SessionPlane` does.
   */
  async goOn(answer: Answer): Promise<readonly SessionStream[]> {
    const { clock, contact, control, plane } = this.#options
    const lostId = this.#recordingId
    const lostAtMs = clock.epochMs()
    this.#recordingId = newId()
    const recordingId = this.#recordingId
    const isJudged = !this.#awaitsVerdict
    const isRecorded = !control.isStopped
    this.#awaitsVerdict = isRecorded
    const opening = this.#open(answer, { before: [lostId], beside: [] })
    this.#opened = this.#opened.then((isOpened) => {
      if (isOpened && isRecorded) contact.recordingStarted(recordingId, lostAtMs)
      return isOpened
    })
    this.#salvaged = Promise.all([
      this.#salvaged,
      isJudged
        ? plane.close(lostId, lostAtMs, [])
        : this.#judge(lostId, lostAtMs, ['engine_failed']),
    ])
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
    const recording = isOpened ? await this.#conclude(endedAtMs, reasons) : undefined
    await this.#salvaged
    return recording ?? this.#stopped
  }

  async #conclude(endedAtMs: number, reasons: readonly ReasonCode[]) {
    if (this.#awaitsVerdict) return this.#judge(this.#recordingId, endedAtMs, reasons)
    await this.#options.plane.close(this.#recordingId, endedAtMs, reasons)
    return undefined
  }

  /** With the keys that count of each stream. */
  #coded(answer: Answer): Answer {
    const { contact, control } = this.#options
    this.#line = contact.facts.serviceLine
    return { ...answer, streams: withMasking(answer.streams, control) }
  }

  #open(answer: Answer, from: StreamOrigin | undefined): Promise<readonly SessionStream[]> {
    const { plane, contact, control, pace } = this.#options
    const opening = plane.open({
      recordingId: this.#recordingId,
      callId: contact.callId,
      answer: this.#coded(answer),
      control,
      pace,
      ...(from === undefined ? {} : { from }),
    })
    this.#opened = opening.then(
      () => {
        control.opened()
        return true
      },
      () => false,
    )
    return opening
  }

  async #judge(
    recordingId: string,
    endedAtMs: number,
    reasons: readonly ReasonCode[],
  ): Promise<FinishedRecording> {
    return this.#verdicts.give(await this.#options.plane.close(recordingId, endedAtMs, reasons))
  }
}
