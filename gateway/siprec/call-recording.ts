import type { ReasonCode } from '../../recorder/recording-plan.ts'
import type { CallControl } from '../calls/call-control.ts'
import type { ContactRecord } from '../calls/contact-record.ts'
import type { FinishedRecording } from '../calls/finish-recording.ts'
import type { DialogRenewer } from '../sip/renew-dialog.ts'
import type { Answer } from './answer-plan.ts'
import { InTurn } from './in-turn.ts'
import type { SessionPlane, SessionStream, StreamOrigin } from './session-plane.ts'
import type { SessionRecording } from './session-recording.ts'
import type { StreamHolder } from './stream-holder.ts'

export interface CallRecordingOptions {
  readonly recording: SessionRecording
  readonly contact: ContactRecord
  /** It closes this at its end. */
  readonly control: CallControl
  readonly plane: SessionPlane
}

/** A session that brings streams, and what it brings. */
interface Bringer {
  /** Set before the stream ids of all but the first, since each session names its own. */
  readonly prefix: string
  /** Whose voice alone it brings; null where it brings both. */
  readonly soleRole: 'caller' | 'agent' | null
  answer: Answer | undefined
  /** The recording that it last had its streams in. */
  recordingId: string
  /** What the session does when the recording was stopped. */
  onStopped: () => Promise<void>
}

/**
 * The recording of one call, which is one file after another where its place is lost. Where a client sends each party
 * in a session of its own, both sessions bring their streams to it.
 */
export class CallRecording {
  readonly #options: CallRecordingOptions
  readonly #turns = new InTurn()
  readonly #bringers = new Set<Bringer>()
  readonly #reasons = new Set<ReasonCode>()
  #count = 0
  #isOpen = false
  #hasStarted = false
  #isClosed = false

  constructor(options: CallRecordingOptions) {
    const { recording, control } = options
    this.#options = options
    control.onStopped(async (outcome) => {
      await recording.stopped(outcome)
      await Promise.all([...this.#bringers].map(({ onStopped }) => onStopped()))
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Whether a session that brings one party alone completes it. */
  canTake(soleRole: Bringer['soleRole'], plane: SessionPlane): boolean {
    if (soleRole === null || this.#isClosed) return false
    if (plane !== this.#options.plane || !plane.takesFurtherStreams) return false
    const roles = [...this.#bringers].map((bringer) => bringer.soleRole)
    return roles.length > 0 && !roles.includes(null) && !roles.includes(soleRole)
  }

  /** For one more session. */
  join(soleRole: Bringer['soleRole']): RecordingPart {
    const prefix = this.#count === 0 ? '' : `${this.#count}/`
    this.#count++
    const { recording, control } = this.#options
    const { recordingId } = recording
    const bringer: Bringer = {
      prefix,
      soleRole,
      answer: undefined,
      recordingId,
      onStopped: async () => undefined,
    }
    this.#bringers.add(bringer)
    const bringers = this.#bringers
    return {
      control,
      get isWhole() {
        return soleRole === null && bringers.size === 1
      },
      get hasStaleCodes() {
        return bringer.answer !== undefined && recording.hasStaleCodes
      },
      pressed: (key) => control.pressed(soleRole ?? 'mixed', key, 'info'),
      onStopped: (listener) => {
        bringer.onStopped = listener
      },
      get recordingId() {
        return bringer.recordingId
      },
      get isOpen() {
        return bringer.answer !== undefined
      },
      hold: (answer, from) => this.#turns.take(() => this.#hold(bringer, answer, from)),
      goOn: (answer) => this.#turns.take(() => this.#goOn(bringer, answer)),
      answered: (answeredAtMs) => this.#options.recording.answered(answeredAtMs),
      started: (startedAtMs) => this.#started(startedAtMs),
      renewSignalling: (framework) => this.#options.recording.renewSignalling(framework),
      close: (endedAtMs, reasons) =>
        this.#turns.take(() => this.#leave(bringer, endedAtMs, reasons)),
    }
  }

  async #hold(
    bringer: Bringer,
    answer: Answer,
    from: StreamOrigin | undefined,
  ): Promise<readonly SessionStream[]> {
    const { recording } = this.#options
    const earlier = bringer.answer
    bringer.answer = answer
    try {
      const streams = this.#isOpen
        ? await recording.update(this.#together(answer), from)
        : await recording.open(this.#together(answer), from)
      this.#isOpen = true
      bringer.recordingId = recording.recordingId
      return own(streams, bringer)
    } catch (error) {
      bringer.answer = earlier
      throw error
    }
  }

  /** The first session that hears of the loss opens another recording; the others bring their streams to it. */
  async #goOn(bringer: Bringer, answer: Answer): Promise<readonly SessionStream[]> {
    const { recording } = this.#options
    if (bringer.recordingId !== recording.recordingId) return this.#hold(bringer, answer, undefined)
    for (const other of this.#bringers) if (other !== bringer) other.answer = undefined
    bringer.answer = answer
    const going = recording.goOn(this.#together(answer))
    bringer.recordingId = recording.recordingId
    return own(await going, bringer)
  }

  #started(startedAtMs: number): void {
    if (this.#hasStarted) return
    this.#hasStarted = true
    const { contact, recording } = this.#options
    contact.recordingStarted(recording.recordingId, startedAtMs)
  }

  async #leave(
    bringer: Bringer,
    endedAtMs: number,
    reasons: readonly ReasonCode[],
  ): Promise<FinishedRecording | undefined> {
    const { recording, control } = this.#options
    if (!this.#bringers.delete(bringer)) return undefined
    for (const reason of reasons) this.#reasons.add(reason)
    const [other] = [...this.#bringers].flatMap(({ answer }) => answer ?? [])
    if (this.#bringers.size > 0) {
      if (other !== undefined) await recording.update(this.#together(other)).catch(() => undefined)
      return undefined
    }
    this.#isClosed = true
    try {
      return await recording.close(endedAtMs, [...this.#reasons])
    } finally {
      control.close()
    }
  }

  /** The lines are one session's; the streams are those of all. */
  #together(answer: Answer): Answer {
    return {
      ...answer,
      streams: [...this.#bringers].flatMap(({ prefix, answer: brought }) =>
        (brought?.streams ?? []).map((stream) => ({
          ...stream,
          streamId: `${prefix}${stream.streamId}`,
        })),
      ),
    }
  }
}

/** What one session has of a call's recording. */
export interface RecordingPart extends StreamHolder {
  /** Of the whole recording. */
  readonly control: CallControl
  /** Whether nobody else brings, or may yet bring, a part of the recording. */
  readonly isWhole: boolean
  /** Whether the plane does not know yet which keys count now. */
  readonly hasStaleCodes: boolean
  /** The session's client tells of a key: of its only party, or of any. */
  pressed(key: string): void
  /** What the session does when the recording was stopped before its call; one listener. */
  onStopped(listener: () => Promise<void>): void
  /** Sets the timeline's zero, once. Never throws. */
  answered(answeredAtMs: number): void
  /** Writes to the contact that the recording has begun, once. */
  started(startedAtMs: number): void
  /** Never rejects. */
  renewSignalling(framework: DialogRenewer): Promise<void>
  /** The session has ended. The last one closes the recording; undefined where it goes on or none is open. */
  close(endedAtMs: number, reasons: readonly ReasonCode[]): Promise<FinishedRecording | undefined>
}

function own(streams: readonly SessionStream[], { prefix }: Bringer): readonly SessionStream[] {
  return streams.flatMap((stream) =>
    stream.streamId.startsWith(prefix)
      ? { ...stream, streamId: stream.streamId.slice(prefix.length) }
      : [],
  )
}
