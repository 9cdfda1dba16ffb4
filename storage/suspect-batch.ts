import type { Clock } from '../base/clock.ts'
import type { RejectedRecord } from './apply-journal.ts'
import { databaseMessage } from './database.ts'
import type { DatabaseFault } from './database-fault.ts'
import type { JournalRecord } from './journal-record.ts'

/** A batch that fails at least so often, and for `afterMs`, is looked at record by record. */
const SUSPICIOUS_FAILURES = 5
/**
 * A batch that fails again and again, with an error that neither blames a record nor a state of the database that is
 * known to pass. A record that makes the server fail must not hold up the others for ever; but only a server that takes
 * a change right afterwards shows that it was the record.
 */
export class SuspectBatch {
  readonly #records: readonly JournalRecord[]
  readonly #clock: Clock
  readonly #afterMs: number
  readonly #beganAtMs: number
  #failures = 0

  constructor(
    records: readonly JournalRecord[],
    { clock, afterMs }: { readonly clock: Clock; readonly afterMs: number },
  ) {
    this.#records = records
    this.#clock = clock
    this.#afterMs = afterMs
    this.#beganAtMs = clock.monotonicMs()
  }

  get isSuspect(): boolean {
    return (
      this.#failures >= SUSPICIOUS_FAILURES &&
      this.#clock.monotonicMs() - this.#beganAtMs >= this.#afterMs
    )
  }

  /** An attempt failed. Faults that operators mend begin the count anew. */
  failed(fault: DatabaseFault): void {
    const isTelling = fault === 'other' || fault === 'unreachable'
    this.#failures = isTelling ? this.#failures + 1 : 0
  }

  /** Applies the records one by one and tells those that were refused. Rejects where the server takes nothing at all. */
  async sift(server: {
    apply(records: readonly JournalRecord[]): Promise<readonly RejectedRecord[]>
    /** Makes a change that changes nothing. */
    probe(): Promise<void>
  }): Promise<readonly RejectedRecord[]> {
    const rejected: RejectedRecord[] = []
    for (const record of this.#records) {
      try {
        rejected.push(...(await server.apply([record])))
      } catch (error) {
        await server.probe()
        rejected.push({ record, reason: databaseMessage(error) })
      }
    }
    return rejected
  }
}
