import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { RejectedRecord } from './apply-journal.ts'
import type { JournalItem } from './journal-reader.ts'
import type { JournalEntry } from './model.ts'
import type { SetAsideFolder } from './set-aside.ts'

/** Sets aside what can never be applied, says so in the log, and counts it. */
export class JournalRejects {
  readonly #folder: SetAsideFolder
  readonly #clock: Clock
  readonly #log: Log
  #count = 0

  constructor(folder: SetAsideFolder, { clock, log }: { clock: Clock; log: Log }) {
    this.#folder = folder
    this.#clock = clock
    this.#log = log
  }

  /** Set aside since the start. */
  get count(): number {
    return this.#count
  }

  /** Those of the items that are no records. */
  takeLines(items: readonly JournalItem[], segment: number): void {
    const nowMs = this.#clock.epochMs()
    for (const { text, decoded } of items) {
      if (decoded.kind === 'record') continue
      const { reason } = decoded
      const setAsideId = this.#folder.keepLine(text, { segment, reason, nowMs })
      this.#log.error({ setAsideId, reason, segment }, 'journal holds a bad line')
      this.#count++
    }
  }

  takeRecords(rejected: readonly RejectedRecord[], segment: number): void {
    const nowMs = this.#clock.epochMs()
    for (const { record, reason } of rejected) {
      const setAsideId = this.#folder.keepRecord(record, { segment, reason, nowMs })
      const ids = idsOf(record.entry)
      this.#log.error({ setAsideId, reason, ...ids }, 'journal entry cannot be applied')
      this.#count++
    }
  }
}

/** What a log line may say of an entry: ids, never numbers. */
export function idsOf(entry: JournalEntry) {
  return {
    entry: entry.kind,
    ...('contactId' in entry && { contactId: entry.contactId }),
    ...('segmentId' in entry && { segmentId: entry.segmentId }),
    ...('recordingId' in entry && { recordingId: entry.recordingId }),
  }
}
