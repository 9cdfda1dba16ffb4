import {
  close,
  closeSync,
  fdatasync,
  fdatasyncSync,
  fsync,
  openSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Clock, Timer } from '../base/clock.ts'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import { encodeRecord, type JournalRecord } from './journal-record.ts'
import { MAX_LINE_BYTES, segmentName } from './journal-segment.ts'
import type { JournalEntry } from './model.ts'

/** Entries that memory holds while the disk takes none. */
const MAX_UNWRITTEN = 100_000

interface Unwritten {
  readonly record: JournalRecord
  readonly line: Buffer
}

export interface JournalWriterOptions {
  readonly folder: string
  readonly firstSegment: number
  readonly clock: Clock
  /** A line is on the disk for good at most so long after it was written. */
  readonly syncWithinMs: number
  /** A segment that has grown so far is followed by a new one. */
  readonly segmentBytes: number
}

/**
 * Appends records to the newest segment. A written record survives the process at once and the machine's
 * power failure within `syncWithinMs`.
 *
 * Where the disk takes no more, records are kept in memory, in order, until it does (`unwritten`): then
 * they survive an outage of the database still, but not the process.
 */
export class JournalWriter {
  readonly #folder: string
  readonly #clock: Clock
  readonly #syncWithinMs: number
  readonly #segmentBytes: number
  #segment: number
  #fd: number
  #bytes = 0
  #lastSequence = 0
  #syncTimer: Timer | undefined
  readonly #unwritten: Unwritten[] = []
  #taken: readonly Unwritten[] = []
  #error: string | undefined

  /** Makes the segment's file; throws what the file system throws. */
  constructor({ folder, firstSegment, clock, syncWithinMs, segmentBytes }: JournalWriterOptions) {
    this.#folder = folder
    this.#clock = clock
    this.#syncWithinMs = syncWithinMs
    this.#segmentBytes = segmentBytes
    this.#segment = firstSegment
    this.#fd = openSegment(folder, firstSegment)
  }

  /** Number of the segment being written. */
  get segment(): number {
    return this.#segment
  }

  /** Length of the segment being written: whole records only. */
  get bytes(): number {
    return this.#bytes
  }

  /** Why the disk took no more at the last attempt, or undefined. */
  get error(): string | undefined {
    return this.#error
  }

  get unwrittenCount(): number {
    return this.#unwritten.length
  }

  /**
   * Takes an entry. Throws `bad_entry` for one that cannot be a line, and `journal_full` when the disk
   * takes nothing and memory holds too much already; neither is kept then.
   */
  append(entry: JournalEntry): void {
    const record = {
      sequence: this.#lastSequence + 1,
      appendedAtMs: this.#clock.epochMs(),
      entry,
    }
    const line = encode(record)
    if (this.#unwritten.length >= MAX_UNWRITTEN) {
      throw new TallenneError(
        'journal_full',
        `The journal in ${this.#folder} takes nothing (${this.#error}) and ${MAX_UNWRITTEN} entries wait in memory.`,
      )
    }
    this.#lastSequence = record.sequence
    this.#unwritten.push({ record, line })
    this.flush()
  }

  /** Tries to write what waits in memory. */
  flush(): void {
    let written = 0
    try {
      for (const { line } of this.#unwritten) {
        if (this.#bytes >= this.#segmentBytes) this.rotate()
        this.#write(line)
        written++
      }
      this.#error = undefined
    } catch (error) {
      this.#error = messageOf(error)
    }
    this.#unwritten.splice(0, written)
  }

  /** Gives the records that wait in memory to somebody who applies them from there; asking again says that it was done. */
  takeUnwritten(): readonly JournalRecord[] {
    this.#taken = this.#unwritten.splice(0)
    return this.#taken.map(({ record }) => record)
  }

  /** Begins a new segment. The one before is synced and closed behind the caller's back. */
  rotate(): void {
    const next = openSegment(this.#folder, this.#segment + 1)
    const previous = this.#fd
    fdatasync(previous, () => close(previous, () => {}))
    this.#fd = next
    this.#segment++
    this.#bytes = 0
  }

  /** Syncs and closes, and removes the segment where `removesSegment`. */
  close({ removesSegment }: { readonly removesSegment: boolean }): void {
    this.#syncTimer?.cancel()
    if (removesSegment) {
      rmSync(join(this.#folder, segmentName(this.#segment)), { force: true })
    } else {
      this.#unwritten.unshift(...this.#taken)
      this.flush()
      fdatasyncSync(this.#fd)
    }
    closeSync(this.#fd)
  }

  // Written at its place, so that a line which the disk took in part is overwritten by the next attempt.
  #write(line: Buffer): void {
    const written = writeSync(this.#fd, line, 0, line.length, this.#bytes)
    if (written < line.length) throw new Error(`the disk took ${written} of ${line.length} bytes`)
    this.#bytes += line.length
    this.#syncTimer ??= this.#clock.after(this.#syncWithinMs, () => {
      this.#syncTimer = undefined
      fdatasync(this.#fd, (error) => {
        if (error) this.#error = error.message
      })
    })
  }
}

function openSegment(folder: string, segmentNumber: number): number {
  const fd = openSync(join(folder, segmentName(segmentNumber)), 'wx', 0o600)
  // The name, too, must survive a power failure; waiting for it here would hold up signalling.
  const folderFd = openSync(folder, 'r')
  fsync(folderFd, () => close(folderFd, () => {}))
  return fd
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
