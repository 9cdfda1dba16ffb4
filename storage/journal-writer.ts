import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, Timer } from '../base/clock.ts'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import { encodeRecord, type JournalRecord } from './journal-record.ts'
import { MAX_LINE_BYTES, segmentName } from './journal-segment.ts'
import type { JournalEntry } from './model.ts'
import { SegmentFile } from './segment-file.ts'

/** What memory holds while the disk takes nothing. */
export const MAX_UNWRITTEN = 100_000
export const MAX_UNWRITTEN_BYTES = 67_108_864
const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 5000

/**
 * When a written line is put on the disk for good, so that it survives the machine's power failure too: before `append`
 * returns, within an interval, or whenever the kernel likes. No line is lost with the process in any case.
 */
export interface JournalSync {
  readonly policy: 'always' | 'interval' | 'never'
  /** Of the policy `interval`. */
  readonly intervalMs: number
}

/** An entry and when it came. */
export interface ArrivedEntry {
  readonly entry: JournalEntry
  readonly appendedAtMs: number
}

interface Line {
  readonly record: JournalRecord
  readonly bytes: Buffer
}

export interface JournalWriterOptions {
  readonly folder: string
  readonly firstSegment: number
  readonly clock: Clock
  readonly sync: JournalSync
  /** A segment that has grown so far is followed by a new one. */
  readonly segmentBytes: number
}

/**
 * Appends records to the newest segment.
 *
 * Where the disk takes no more, records are kept in memory, in order, until it does (`unwrittenCount`): then they
 * survive an outage of the database still, but not the process. Where the disk could not put lines on itself for good,
 * the kernel may have dropped them, so they are written once more, in a new segment.
 */
export class JournalWriter {
  readonly #options: JournalWriterOptions
  #file: SegmentFile
  #lastSequence = 0
  /** Written, and perhaps not on the disk for good. */
  #unsynced: Line[] = []
  #syncTimer: Timer | undefined
  #syncs = 0
  /** When the first of the syncs that run began. */
  #syncingSinceMs: number | undefined
  #unwritten: Line[] = []
  #unwrittenBytes = 0
  /** Records that somebody applies from memory, and where they end in the segment if they were written meanwhile. */
  #taken: { readonly lines: readonly Line[]; endOffset?: number } | undefined
  #mustRotate = false
  #error: string | undefined
  #retry: Timer | undefined
  #retryMs = FIRST_RETRY_MS
  #isClosed = false

  /** Makes the segment's file; throws what the file system throws. */
  constructor(options: JournalWriterOptions) {
    this.#options = options
    this.#file = new SegmentFile(options.folder, options.firstSegment)
  }

  /** Number of the segment being written. */
  get segment(): number {
    return this.#file.segment
  }

  /** Length of the segment being written: whole records only. */
  get bytes(): number {
    return this.#file.bytes
  }

  /** Why the disk took no more at the last attempt, or undefined. */
  get error(): string | undefined {
    return this.#error
  }

  /** The sequence up to which no record is in memory alone: it is in a segment or applied, or was refused. */
  get safeThrough(): number {
    const taken = this.#taken?.endOffset === undefined ? this.#taken?.lines : undefined
    const first = taken?.[0] ?? this.#unwritten[0]
    return first === undefined ? this.#lastSequence : first.record.sequence - 1
  }

  get unwrittenCount(): number {
    return this.#unwritten.length
  }

  /** For how long the disk has been asked to put lines on itself for good, milliseconds; 0 where it is not asked. */
  get syncingMs(): number {
    if (this.#syncingSinceMs === undefined) return 0
    return this.#options.clock.monotonicMs() - this.#syncingSinceMs
  }

  /**
   * Takes an entry, to be written by the next `write`. Throws `bad_entry` for one that cannot be a line, and
   * `journal_full` when the disk takes nothing and memory holds too much already; neither is kept then, and its sequence
   * is left out.
   */
  take({ entry, appendedAtMs }: ArrivedEntry): void {
    const { folder } = this.#options
    const record = { sequence: ++this.#lastSequence, appendedAtMs, entry }
    const bytes = encode(record)
    if (
      this.#unwritten.length >= MAX_UNWRITTEN ||
      this.#unwrittenBytes + bytes.length > MAX_UNWRITTEN_BYTES
    ) {
      throw new TallenneError(
        'journal_full',
        `The journal in ${folder} takes nothing (${this.#error}), and ${this.#unwritten.length} entries of ${this.#unwrittenBytes} bytes wait in memory.`,
      )
    }
    this.#wait([{ record, bytes }])
  }

  /** Writes what was taken, unless the disk took nothing a moment ago. */
  write(): void {
    if (this.#retry === undefined) this.flush()
  }

  /** Tries to write what waits in memory. */
  flush(): void {
    if (this.#isClosed) return
    this.#retry?.cancel()
    this.#retry = undefined
    try {
      this.#writeTaken()
      this.#writeUnwritten()
      this.#putOnDisk()
      this.#error = undefined
      this.#retryMs = FIRST_RETRY_MS
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Gives the records that wait in memory to somebody who applies them from there, until `confirmTaken`. */
  takeUnwritten(): readonly JournalRecord[] {
    if (this.#unwritten.length === 0) return []
    this.#taken = { lines: this.#unwritten }
    this.#unwritten = []
    this.#unwrittenBytes = 0
    return this.#taken.lines.map(({ record }) => record)
  }

  /** The records that were taken are applied. Tells where they end in the segment, where they were written meanwhile. */
  confirmTaken(): number | undefined {
    const endOffset = this.#taken?.endOffset
    this.#taken = undefined
    return endOffset
  }

  /** Begins a new segment. The one before is synced and closed behind the caller's back. */
  rotate(): void {
    const { folder } = this.#options
    const left = this.#file
    this.#file = new SegmentFile(folder, left.segment + 1)
    this.#mustRotate = false
    this.#sync(left)
    left.leave()
  }

  /** Syncs and closes, and removes the segment where `removesSegment`. */
  close({ removesSegment }: { readonly removesSegment: boolean }): void {
    this.#syncTimer?.cancel()
    if (!removesSegment) this.flush()
    this.#isClosed = true
    this.#retry?.cancel()
    try {
      if (removesSegment) {
        rmSync(join(this.#options.folder, segmentName(this.segment)), { force: true })
      } else {
        this.#file.syncNow()
      }
    } finally {
      this.#file.leave()
    }
  }

  #wait(lines: readonly Line[]): void {
    this.#unwritten.push(...lines)
    for (const { bytes } of lines) this.#unwrittenBytes += bytes.length
  }

  /** Whether a line may be written now. What was taken and the lines after it stand in one segment. */
  #makeRoom(): boolean {
    if (!this.#mustRotate && this.#file.bytes < this.#options.segmentBytes) return true
    if (this.#taken !== undefined) return !this.#mustRotate
    this.rotate()
    return true
  }

  #writeUnwritten(): void {
    let written = 0
    try {
      for (const line of this.#unwritten) {
        if (!this.#makeRoom()) return
        this.#file.write(line.bytes)
        this.#unsynced.push(line)
        written++
      }
    } finally {
      for (const { bytes } of this.#unwritten.splice(0, written)) {
        this.#unwrittenBytes -= bytes.length
      }
    }
  }

  // In their place before all that came later, so that a start which finds them does not find them out of order.
  #writeTaken(): void {
    const taken = this.#taken
    if (taken === undefined || taken.endOffset !== undefined || this.#mustRotate) return
    this.#file.write(Buffer.concat(taken.lines.map(({ bytes }) => bytes)))
    this.#unsynced.push(...taken.lines)
    taken.endOffset = this.#file.bytes
  }

  #putOnDisk(): void {
    const { sync, clock } = this.#options
    if (this.#unsynced.length === 0) return
    switch (sync.policy) {
      case 'always':
        try {
          this.#file.syncNow()
          this.#unsynced = []
        } catch (error) {
          this.#distrust([])
          throw error
        }
        return
      case 'interval':
        // One at a time: a disk that hangs is to hold one of the threads that all file calls of the process share.
        if (this.#syncs > 0) return
        this.#syncTimer ??= clock.after(sync.intervalMs, () => {
          this.#syncTimer = undefined
          this.#sync(this.#file)
        })
        return
      case 'never':
        this.#unsynced = []
    }
  }

  #sync(file: SegmentFile): void {
    const lines = this.#unsynced
    this.#unsynced = []
    if (lines.length === 0) return
    this.#syncs++
    this.#syncingSinceMs ??= this.#options.clock.monotonicMs()
    file.sync((error) => {
      this.#syncs--
      if (this.#syncs === 0) this.#syncingSinceMs = undefined
      if (this.#isClosed) return
      if (error === null) return this.write()
      this.#distrust(lines)
      this.#fail(error)
    })
  }

  /** These and all that was written after them go into a new segment. */
  #distrust(lines: readonly Line[]): void {
    const later = this.#unwritten
    const again = [...lines, ...this.#unsynced]
    this.#unsynced = []
    this.#unwritten = []
    this.#unwrittenBytes = 0
    this.#wait([...again, ...later])
    this.#mustRotate = true
  }

  #fail(error: unknown): void {
    this.#error = messageOf(error)
    this.#retry ??= this.#options.clock.after(this.#retryMs, () => this.flush())
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS)
  }
}

function encode(record: JournalRecord): Buffer {
  let line: Buffer
  try {
    line = encodeRecord(record)
  } catch (error) {
    throw new TallenneError('bad_entry', `${record.entry.kind} is no JSON: ${messageOf(error)}`, {
      cause: error,
    })
  }
  if (line.length > MAX_LINE_BYTES) {
    throw new TallenneError(
      'bad_entry',
      `${record.entry.kind} takes ${line.length} bytes, the journal takes ${MAX_LINE_BYTES}.`,
    )
  }
  return line
}
