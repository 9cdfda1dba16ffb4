import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { RecordingOutcome } from '../../recorder/recording-plan.ts'
import type { CallEvents } from './call-events.ts'
import type { ContactRecord } from './contact-record.ts'
import { type FinishedRecording, finishRecording } from './finish-recording.ts'
import type { RecordingFiles } from './recording-files.ts'

export interface RecordingVerdictsOptions {
  readonly contact: ContactRecord
  readonly files: RecordingFiles
  readonly clock: Clock
  readonly log: Log
  readonly events: CallEvents
}

/**
 * Gives the recordings of one call their verdicts, each once: a recording that is stopped and a call that ends at the
 * same moment both tell how it ended.
 */
export class RecordingVerdicts {
  readonly #options: RecordingVerdictsOptions
  readonly #given = new Map<string, Promise<FinishedRecording>>()

  constructor(options: RecordingVerdictsOptions) {
    this.#options = options
  }

  /**
   * Moves the file into the store and tells the contact; all others hear of it when the journal has it. Never rejects;
   * the first outcome stays.
   */
  give(outcome: RecordingOutcome): Promise<FinishedRecording> {
    const { recordingId } = outcome
    const given = this.#given.get(recordingId) ?? this.#give(outcome)
    this.#given.set(recordingId, given)
    return given
  }

  async #give(closed: RecordingOutcome): Promise<FinishedRecording> {
    const { contact, events } = this.#options
    const finished = await finishRecording(closed, this.#options)
    const { outcome, file } = finished
    if (contact.answeredAtMs === undefined) {
      // A call that was never answered has a recording only where its file holds something.
      if (outcome.sha256 === null) return finished
      contact.recordingStarted(outcome.recordingId, outcome.startedAtMs)
    }
    contact.recordingEnded(outcome, file)
    const { serviceLine } = contact.facts
    void contact.written().then(() => events.judged(outcome, serviceLine))
    return finished
  }
}
