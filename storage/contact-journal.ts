import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, Timer } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { settledWithin } from '../base/settled-within.ts'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import type { Connection } from './database.ts'
import { JournalCarrier } from './journal-carrier.ts'
import { type JournalBatch, JournalReader } from './journal-reader.ts'
import { listSegments, segmentName } from './journal-segment.ts'
import { JournalWriter } from './journal-writer.ts'
import type { ContactJournal, JournalEntry } from './model.ts'

export interface FileJournalOptions {
  /** The journal's own folder; one process writes it. */
  readonly folder: string
  /** Opens the connection that entries are applied on; called again after each loss. */
  readonly connect: () => Promise<Connection>
  readonly clock: Clock
  readonly log: Log
  readonly syncWithinMs?: number
  readonly segmentBytes?: number
}

/** How the journal stands, for metrics and readiness. */
export interface JournalState {
  /** Entries that MariaDB does not have yet. */
  readonly depth: number
  /** Age of the oldest of them. */
  readonly oldestAgeMs: number
  /** Entries of which memory holds the only copy, since the disk takes none. */
  readonly unwritten: number
  /** Entries set aside or refused since the start: bad in themselves. */
  readonly rejected: number
  /** Segments found torn since the start. */
  readonly torn: number
  /** Why entries are not applied now, or undefined. */
  readonly applyError: string | undefined
  /** Why entries are not written now, or undefined. */
  readonly diskError: string | undefined
}

const BATCH_RECORDS = 500
/** Entries of one moment are applied in one transaction, and are visible soon all the same. */
const GATHER_MS = 10
const READ_RETRY_MS = 1000
/** A segment of this size is left as soon as all of it is applied, so that a start has little to replay. */
const DRAINED_SEGMENT_BYTES = 262_144

/**
 * The node's journal: a local file for each state change, and a loop that carries them to MariaDB in order.
 *
 * `append` works from construction on, whatever MariaDB does. `start` begins the carrying, first of what
 * earlier starts left. An entry that can never be applied is set aside under `rejected/`, with its reason,
 * and holds nothing up.
 */
export class FileJournal implements ContactJournal {
  readonly #folder: string
  readonly #clock: Clock
  readonly #log: Log
  readonly #writer: JournalWriter
  readonly #reader: JournalReader
  readonly #carrier: JournalCarrier
  #depth = 0
  #rejected = 0
  /** When the entry that is next to be applied was appended. */
  #oldestAtMs = 0
  #readError: string | undefined
  #isStopping = false
  #isWoken = false
  #wake = () => {}
  #gathering: Timer | undefined
  #whenDrained: (() => void)[] = []
  #running: Promise<void> | undefined
  #closing: Promise<void> | undefined

  /** Makes the folder and a new segment; throws what the file system throws. */
  constructor({ folder, connect, clock, log, syncWithinMs, segmentBytes }: FileJournalOptions) {
    this.#folder = folder
    this.#clock = clock
    this.#log = log
    const left = listSegments(folder)
    this.#writer = new JournalWriter({
      folder,
      firstSegment: (left.at(-1) ?? 0) + 1,
      clock,
      syncWithinMs: syncWithinMs ?? 50,
      segmentBytes: segmentBytes ?? 8_388_608,
    })
    this.#reader = new JournalReader(folder, this.#writer, left)
    this.#carrier = new JournalCarrier({ connect, clock, log })
  }

  get state(): JournalState {
    const isBehind = this.#depth > 0
    return {
      depth: this.#depth,
      oldestAgeMs: isBehind ? Math.max(0, this.#clock.epochMs() - this.#oldestAtMs) : 0,
      unwritten: this.#writer.unwrittenCount,
      rejected: this.#rejected,
      torn: this.#reader.tornSegments,
      applyError: this.#readError ?? this.#carrier.error,
      diskError: this.#writer.error,
    }
  }

  /** Never throws for what an entry holds or the disk does; after `close` it throws `journal_closed`. */
  append(entry: JournalEntry): void {
    if (this.#closing !== undefined) {
      throw new TallenneError('journal_closed', `${entry.kind} came after the journal was closed.`)
    }
    try {
      this.#writer.append(entry)
    } catch (error) {
      this.#rejected++
      this.#log.error({ err: error, ...idsOf(entry) }, 'journal refuses an entry')
      return
    }
    if (this.#depth === 0) this.#oldestAtMs = this.#clock.epochMs()
    this.#depth++
    this.#gathering ??= this.#clock.after(GATHER_MS, () => {
      this.#gathering = undefined
      this.#wakeUp()
    })
  }

  /** Begins to carry entries to MariaDB. Idempotent. */
  start(): void {
    this.#running ??= this.#run()
  }

  /** Resolves when MariaDB has all that was appended. */
  async drained(): Promise<void> {
    if (this.#depth === 0) return
    await new Promise<void>((resolve) => {
      this.#whenDrained.push(resolve)
    })
  }

  /** Waits up to `drainMs` for MariaDB to have everything, then ends; the rest stays on the disk. Idempotent. */
  close({ drainMs = 5000 }: { readonly drainMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#end(drainMs)
    return this.#closing
  }

  async #end(drainMs: number): Promise<void> {
    this.#gathering?.cancel()
    this.#wakeUp()
    if (this.#running !== undefined) {
      await settledWithin(this.drained(), { clock: this.#clock, limitMs: drainMs })
    }
    this.#isStopping = true
    this.#wakeUp()
    await this.#carrier.close()
    await this.#running
    await this.#reader.close()
    this.#writer.close({ removesSegment: this.#depth === 0 })
  }

  async #run(): Promise<void> {
    let isCounted = false
    while (!this.#isStopping) {
      this.#isWoken = false
      try {
        if (!isCounted) {
          const left = await this.#reader.countLeft()
          this.#depth += left
          isCounted = true
        }
        const batch = await this.#reader.next()
        this.#readError = undefined
        if (batch) await this.#apply(batch)
        else await this.#rest()
      } catch (error) {
        this.#readError = messageOf(error)
        this.#log.error({ err: error }, 'journal cannot go on')
        await this.#sleep(READ_RETRY_MS)
      }
    }
  }

  async #apply({ records, badLines, segment }: JournalBatch): Promise<void> {
    for (const { text, reason } of badLines) {
      this.#log.error({ reason, segment }, 'journal holds a bad line')
      this.#setAside(`${segmentName(segment)}-line-${this.#rejected + 1}`, text.toString(), reason)
    }
    this.#settle(badLines.length)
    for (let from = 0; from < records.length; from += BATCH_RECORDS) {
      const slice = records.slice(from, from + BATCH_RECORDS)
      this.#oldestAtMs = slice[0]?.appendedAtMs ?? this.#oldestAtMs
      const rejected = await this.#carrier.carry(slice)
      if (rejected === undefined) return
      for (const { record, reason } of rejected) {
        this.#log.error({ reason, ...idsOf(record.entry) }, 'journal entry cannot be applied')
        const name = `${segmentName(segment)}-${record.sequence}`
        this.#setAside(name, JSON.stringify(record), reason)
      }
      this.#settle(slice.length)
    }
  }

  /** All is applied: a segment that has grown is left, then the next entry is waited for. */
  async #rest(): Promise<void> {
    this.#writer.flush()
    if (this.#writer.bytes > DRAINED_SEGMENT_BYTES) {
      this.#writer.rotate()
      return
    }
    await this.#sleep(undefined)
  }

  async #sleep(atMostMs: number | undefined): Promise<void> {
    if (this.#isWoken || this.#isStopping) return
    let timer: Timer | undefined
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      if (atMostMs !== undefined) timer = this.#clock.after(atMostMs, resolve)
    })
    timer?.cancel()
  }

  #wakeUp(): void {
    this.#isWoken = true
    this.#wake()
  }

  #settle(count: number): void {
    this.#depth -= count
    if (this.#depth > 0) return
    for (const resolve of this.#whenDrained.splice(0)) resolve()
  }

  #setAside(name: string, record: string, reason: string): void {
    this.#rejected++
    const folder = join(this.#folder, 'rejected')
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ reason, record })}\n`, {
        mode: 0o600,
      })
    } catch (error) {
      this.#log.error({ err: error, name }, 'journal entry cannot be set aside')
    }
  }
}

/** What a log line may say of an entry: ids, never numbers. */
function idsOf(entry: JournalEntry) {
  return {
    entry: entry.kind,
    ...('contactId' in entry && { contactId: entry.contactId }),
    ...('segmentId' in entry && { segmentId: entry.segmentId }),
    ...('recordingId' in entry && { recordingId: entry.recordingId }),
  }
}
