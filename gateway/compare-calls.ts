import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { RepeatedWork } from '../base/repeated-work.ts'
import {
  type Discrepancy,
  type DiscrepancyKind,
  keepDiscrepancies,
  tellDiscrepancies,
} from '../storage/completeness/discrepancies.ts'
import {
  findMissingRows,
  findOpenRecordings,
  findOpenRows,
} from '../storage/completeness/open-rows.ts'
import { databaseMessage, type Pool } from '../storage/database.ts'
import type { LiveCall } from './calls/live-call.ts'

export interface CallComparisonOptions {
  readonly pool: Pool
  readonly nodeId: string
  /** Calls that go on now. */
  readonly calls: () => readonly LiveCall[]
  /** Ids of recordings that are open in engines now. */
  readonly recordings: () => Promise<readonly string[]>
  /** Ids of the recordings whose files lie in the spool. */
  readonly spooled: () => Promise<readonly string[]>
  /** Whether the database has all that was journaled. */
  readonly isCaughtUp: () => boolean
  readonly clock: Clock
  readonly log: Log
}

const EVERY_MS = 30_000
/** What begins or ends now is on its way into the other places. */
const SETTLED_MS = 60_000
const KINDS: readonly DiscrepancyKind[] = [
  'row_without_dialog',
  'dialog_without_row',
  'recording_without_dialog',
  'spool_without_dialog',
]

/**
 * Compares, twice a minute, the node's live calls with its rows and with the files of open recordings. What does not
 * agree twice in a row is kept as a discrepancy and logged once; so is that it agrees again.
 */
export class CallComparison {
  readonly #options: CallComparisonOptions
  readonly #work: RepeatedWork
  /** What did not agree the last time. */
  #suspected = new Set<string>()

  constructor(options: CallComparisonOptions) {
    this.#options = options
    const { clock, log } = options
    const work = () =>
      this.#compare().catch((error: unknown) => {
        log.warn({ reason: databaseMessage(error) }, 'calls could not be compared')
      })
    this.#work = new RepeatedWork({ clock, everyMs: EVERY_MS, work })
  }

  /** Idempotent. */
  start(): void {
    this.#work.start()
  }

  /** Compares now, or joins the comparison that runs. Never rejects: without its database nothing can be compared. */
  compare(): Promise<void> {
    return this.#work.run()
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#work.close()
  }

  async #compare(): Promise<void> {
    const { isCaughtUp, pool, nodeId, clock, log } = this.#options
    if (!isCaughtUp()) return
    const found = await this.#differences()
    // What was journaled meanwhile may be the very difference.
    if (!isCaughtUp()) return
    const again = found.filter((one) => this.#suspected.has(keyOf(one)))
    this.#suspected = new Set(found.map(keyOf))
    const change = await keepDiscrepancies(pool, again, {
      kinds: KINDS,
      nodeId,
      nowMs: clock.epochMs(),
    })
    tellDiscrepancies(change, log)
  }

  async #differences(): Promise<readonly Discrepancy[]> {
    const { pool, nodeId, clock, calls, recordings, spooled } = this.#options
    const settled = { nodeId, beforeMs: clock.epochMs() - SETTLED_MS }
    const [rows, recordingRows, files] = await Promise.all([
      findOpenRows(pool, settled),
      findOpenRecordings(pool, settled),
      spooled(),
    ])
    // Asked after the rows: a call that ended in between is still in them, and is looked for again before it counts.
    const live = calls()
    const contacts = new Set(live.map(({ contactId }) => contactId))
    const open = new Set([...live.map(({ recordingId }) => recordingId), ...(await recordings())])
    const old = live.filter(({ startedAtMs }) => startedAtMs < settled.beforeMs)
    const missing = await findMissingRows(
      pool,
      old.map(({ contactId }) => contactId),
    )
    const differ = (kind: DiscrepancyKind, ids: readonly string[]) =>
      ids.map((subject): Discrepancy => ({ kind, subject, nodeId }))
    return [
      ...differ(
        'row_without_dialog',
        rows.filter((id) => !contacts.has(id)),
      ),
      ...differ('dialog_without_row', missing),
      ...differ(
        'recording_without_dialog',
        recordingRows.filter((id) => !open.has(id)),
      ),
      ...differ(
        'spool_without_dialog',
        files.filter((id) => !open.has(id)),
      ),
    ]
  }
}

function keyOf({ kind, subject }: Discrepancy): string {
  return `${kind} ${subject}`
}
