import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { JournalRecord } from './journal-record.ts'
import { countLines, type SegmentLine, SegmentReader, segmentName } from './journal-segment.ts'
import type { JournalWriter } from './journal-writer.ts'

/** What is next in the journal. Bad lines were not written by this program, or not whole. */
export interface JournalBatch {
  readonly records: readonly JournalRecord[]
  readonly badLines: readonly { readonly text: Buffer; readonly reason: string }[]
  readonly segment: number
}

/**
 * Reads the journal in order: segments that an earlier start left, then the one being written, then what
 * the disk did not take. A segment is removed when all of it was confirmed.
 */
export class JournalReader {
  readonly #folder: string
  readonly #writer: JournalWriter
  /** Segments of earlier starts, and those that the writer has left since, are all below the writer's. */
  #segment: number
  #reader: SegmentReader
  #left: readonly number[]
  #tornSegments = 0

  constructor(folder: string, writer: JournalWriter, left: readonly number[]) {
    this.#folder = folder
    this.#writer = writer
    this.#left = left
    this.#segment = left[0] ?? writer.segment
    this.#reader = new SegmentReader(folder, this.#segment)
  }

  /** Segments that ended in the middle of a record, as after a power failure. */
  get tornSegments(): number {
    return this.#tornSegments
  }

  /** How many lines earlier starts left. */
  async countLeft(): Promise<number> {
    let lines = 0
    for (const segment of this.#left) lines += await countLines(this.#folder, segment)
    return lines
  }

  /**
   * The next lines, or undefined when there are none now. By asking again the caller confirms what it got
   * before: a segment whose end is reached is removed.
   */
  async next(): Promise<JournalBatch | undefined> {
    for (;;) {
      const isLive = this.#segment === this.#writer.segment
      const lines = await this.#reader.next(isLive ? this.#writer.bytes : Number.MAX_SAFE_INTEGER)
      if (lines.length > 0) return batchOf(lines, this.#segment)
      // The writer may have gone on meanwhile, in this segment or to the next.
      if (isLive && this.#segment === this.#writer.segment) return this.#nextUnwritten()
      if (isLive) continue
      await this.#leaveSegment()
    }
  }

  async close(): Promise<void> {
    await this.#reader.close()
  }

  #nextUnwritten(): JournalBatch | undefined {
    const records = this.#writer.takeUnwritten()
    return records.length === 0 ? undefined : { records, badLines: [], segment: this.#segment }
  }

  async #leaveSegment(): Promise<void> {
    if ((await this.#reader.tornBytes()) > 0) this.#tornSegments++
    await this.#reader.close()
    await rm(join(this.#folder, segmentName(this.#segment)), { force: true })
    this.#left = this.#left.filter((segment) => segment > this.#segment)
    this.#segment = this.#left[0] ?? this.#segment + 1
    this.#reader = new SegmentReader(this.#folder, this.#segment)
  }
}

function batchOf(lines: readonly SegmentLine[], segment: number): JournalBatch {
  const records: JournalRecord[] = []
  const badLines: { text: Buffer; reason: string }[] = []
  for (const { text, decoded } of lines) {
    if (decoded.kind === 'record') records.push(decoded.record)
    else badLines.push({ text, reason: decoded.reason })
  }
  return { records, badLines, segment }
}
