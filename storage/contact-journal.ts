import type { Clock, Timer } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { Nap } from '../base/nap.ts'
import { settledWithin } from '../base/settled-within.ts'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import { newId } from '../base/uuid.ts'
import { type ConnectInTime, JournalCarrier } from './journal-carrier.ts'
import { JournalDepth } from './journal-depth.ts'
import { takeJournal } from './journal-lock.ts'
import { PositionFile } from './journal-position.ts'
import { type JournalBatch, type JournalItem, JournalReader } from './journal-reader.ts'
import { idsOf, JournalRejects } from './journal-rejects.ts'
import { listSegments, makeJournalFolder } from './journal-segment.ts'
import type { JournalState } from './journal-state.ts'
import { type ArrivedEntry, type JournalSync, JournalWriter } from './journal-writer.ts'
import type { ContactJournal, JournalEntry } from './model.ts'
import { SetAsideFolder } from './set-aside.ts'

export interface FileJournalOptions {
  /** The journal's own folder; one process writes it. */
  readonly folder: string
  /** Who has it within the process: by default nobody else. */
  readonly holder?: string
  /** Opens the connection that entries are applied on. */
  readonly connect: ConnectInTime
  readonly clock: Clock
  readonly log: Log
  /** By default every 50 ms. */
  readonly sync?: JournalSync
  readonly segmentBytes?: number
  /** How long the database may take for an answer before it is taken to hang; 20 s by default. */
  readonly answerWithinMs?: number
  /** How long a batch may fail before it is searched for an entry that is to blame; a minute by default. */
  readonly suspectAfterMs?: number
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
 * earlier starts left. An entry that can never be applied is set aside with its reason, and holds nothing up.
 */
export class FileJournal implements ContactJournal {
  readonly #clock: Clock
  readonly #log: Log
  readonly #release: () => void
  readonly #firstSegment: number
  readonly #writer: JournalWriter
  readonly #reader: JournalReader
  readonly #carrier: JournalCarrier
  readonly #position: PositionFile
  readonly #setAside: SetAsideFolder
  readonly #rejects: JournalRejects
  readonly #hasHistory: boolean
  readonly #depth = new JournalDepth()
  readonly #nap: Nap
  /** Newest entry of this start that is done with. */
  #lastSequence = 0
  #refused = 0
  #unreadable = 0
  /** When the entry that is next to be applied was appended. */
  #oldestAtMs = 0
  #readError: string | undefined
  #isStopping = false
  #gathering: Timer | undefined
  #noteCounted = () => {}
  readonly #counted = new Promise<void>((resolve) => {
    this.#noteCounted = resolve
  })
  #running: Promise<void> | undefined
  #closing: Promise<void> | undefined

  /** Makes the folder and a new segment; throws what the file system throws, and `journal_in_use`. */
  constructor(options: FileJournalOptions) {
    const { folder, connect, clock, log, sync, segmentBytes, holder = newId() } = options
    const { answerWithinMs = 20_000, suspectAfterMs = 60_000 } = options
    this.#clock = clock
    this.#log = log
    this.#nap = new Nap(clock)
    makeJournalFolder(folder)
    this.#release = takeJournal(folder, holder)
    try {
      const left = listSegments(folder)
      this.#position = new PositionFile(folder)
      const position = this.#position.read()
      this.#hasHistory = position !== undefined
      this.#setAside = new SetAsideFolder(folder)
      this.#rejects = new JournalRejects(this.#setAside, { clock, log })
      this.#firstSegment = Math.max(left.at(-1) ?? 0, position?.segment ?? 0) + 1
      this.#writer = new JournalWriter({
        folder,
        firstSegment: this.#firstSegment,
        clock,
        sync: sync ?? { policy: 'interval', intervalMs: 50 },
        segmentBytes: segmentBytes ?? 8_388_608,
      })
      this.#reader = new JournalReader({
        folder,
        writer: this.#writer,
        left,
        position,
        setAside: this.#setAside,
        onUnreadable: (segment, error) => {
          this.#unreadable++
          log.error({ segment, reason: messageOf(error) }, 'journal segment cannot be read')
        },
      })
    } catch (error) {
      this.#release()
      throw error
    }
    this.#carrier = new JournalCarrier({ connect, clock, log, answerWithinMs, suspectAfterMs })
  }

  /** Whether an earlier start has reached the database. */
  get hasHistory(): boolean {
    return this.#hasHistory
  }

  /** Entries that lie set aside now, those of earlier starts included. */
  countSetAside(): number {
    return this.#setAside.count()
  }

  get state(): JournalState {
    const depth = this.#depth.value
    const isBehind = depth > 0
    return {
      depth,
      oldestAgeMs: isBehind ? Math.max(0, this.#clock.epochMs() - this.#oldestAtMs) : 0,
      unwritten: this.#writer.unwrittenCount,
      rejected: this.#rejects.count,
      refused: this.#refused,
      torn: this.#reader.tornSegments,
      unreadable: this.#unreadable,
      fault: this.#carrier.fault,
      readError: this.#readError,
      diskError: this.#writer.error,
    }
  }

  /** Of what came since construction, so many of the first are in a segment, in MariaDB or refused: memory need not keep them. */
  get safeThrough(): number {
    return this.#writer.safeThrough
  }

  /** For how long the disk has not answered, milliseconds; 0 where nothing is asked of it, or it blocks this thread. */
  get diskWaitMs(): number {
    return this.#writer.syncingMs
  }

  /** Never throws for what an entry holds or the disk does; after `close` it throws `journal_closed`. */
  append(entry: JournalEntry): void {
    this.appendAll([{ entry, appendedAtMs: this.#clock.epochMs() }])
  }

  /** The same for entries that came together: they are written, and where it is so set synced, at once. */
  appendAll(arrived: readonly ArrivedEntry[]): void {
    if (this.#closing !== undefined) {
      const kinds = arrived.map(({ entry }) => entry.kind).join(', ')
      throw new TallenneError('journal_closed', `${kinds} came after the journal was closed.`)
    }
    for (const one of arrived) this.#take(one)
    this.#writer.write()
    this.#gathering ??= this.#clock.after(GATHER_MS, () => {
      this.#gathering = undefined
      this.#nap.wake()
    })
  }

  /** At once: `append` has written already what the disk takes. */
  written(): Promise<void> {
    return Promise.resolve()
  }

  /** Begins to carry entries to MariaDB. Idempotent. */
  start(): void {
    this.#running ??= this.#run()
  }

  /** Resolves when MariaDB has all that was appended until now, by earlier starts too. */
  async drained(): Promise<void> {
    await this.#counted
    await this.#depth.drained()
  }

  /** Waits up to `drainMs` for MariaDB to have everything, then ends; the rest stays on the disk. Idempotent. */
  close({ drainMs = 5000 }: { readonly drainMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#end(drainMs)
    return this.#closing
  }

  #take(arrived: ArrivedEntry): void {
    try {
      this.#writer.take(arrived)
    } catch (error) {
      this.#refused++
      this.#log.error({ err: error, ...idsOf(arrived.entry) }, 'journal refuses an entry')
      return
    }
    if (this.#depth.value === 0) this.#oldestAtMs = arrived.appendedAtMs
    this.#depth.add(1)
  }

  async #end(drainMs: number): Promise<void> {
    this.#gathering?.cancel()
    this.#nap.wake()
    if (this.#running !== undefined) {
      await settledWithin(this.drained(), { clock: this.#clock, limitMs: drainMs })
    }
    this.#isStopping = true
    this.#nap.wake()
    this.#carrier.close()
    await this.#running
    this.#noteCounted()
    await this.#reader.close()
    try {
      const isWhole = this.#depth.value === 0 && this.#setAside.pendingCount === 0
      this.#writer.close({ removesSegment: isWhole })
    } finally {
      this.#position.close()
      this.#release()
    }
  }

  async #run(): Promise<void> {
    let isCounted = false
    while (!this.#isStopping) {
      this.#nap.rise()
      try {
        if (!isCounted) {
          this.#depth.add(await this.#reader.countLeft())
          isCounted = true
          this.#noteCounted()
        }
        const batch = await this.#reader.next()
        this.#readError = this.#setAside.flush()
        if (batch) await this.#apply(batch)
        else await this.#rest()
      } catch (error) {
        this.#readError = messageOf(error)
        this.#log.error({ err: error }, 'journal cannot go on')
        if (!this.#isStopping) await this.#nap.sleep(READ_RETRY_MS)
      }
    }
  }

  async #apply({ items, segment }: JournalBatch): Promise<void> {
    const isOwn = segment >= this.#firstSegment
    for (let from = 0; from < items.length; from += BATCH_RECORDS) {
      const slice = items.slice(from, from + BATCH_RECORDS)
      const fresh = slice.filter((item) => !isOwn || this.#isNew(item))
      const records = fresh.flatMap(({ decoded }) =>
        decoded.kind === 'record' ? decoded.record : [],
      )
      this.#oldestAtMs = records[0]?.appendedAtMs ?? this.#oldestAtMs
      const rejected = records.length === 0 ? [] : await this.#carrier.carry(records)
      if (rejected === undefined) return
      this.#rejects.takeLines(fresh, segment)
      this.#rejects.takeRecords(rejected, segment)
      if (isOwn) this.#lastSequence = records.at(-1)?.sequence ?? this.#lastSequence
      const offset = slice.at(-1)?.endOffset
      if (offset !== undefined && this.#setAside.pendingCount === 0) {
        this.#position.note({ segment, offset })
      }
      this.#depth.settle(fresh.length)
    }
  }

  /** What the disk could not put on itself for good stands in two segments. */
  #isNew({ decoded }: JournalItem): boolean {
    return decoded.kind === 'bad' || decoded.record.sequence > this.#lastSequence
  }

  /** All is applied: a segment that has grown is left, then the next entry is waited for. */
  async #rest(): Promise<void> {
    this.#writer.flush()
    if (this.#writer.bytes > DRAINED_SEGMENT_BYTES) {
      this.#writer.rotate()
      return
    }
    if (!this.#isStopping) await this.#nap.sleep()
  }
}
