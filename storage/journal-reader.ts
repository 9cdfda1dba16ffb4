import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type JournalPosition, startIn } from './journal-position.ts'
import type { DecodedLine } from './journal-record.ts'
import { countLines, SegmentReader, segmentName } from './journal-segment.ts'
import type { JournalWriter } from './journal-writer.ts'
import type { SetAsideFolder } from './set-aside.ts'

/** One thing that the journal holds. */
export interface JournalItem {
  /** As it stands; empty for a record that memory alone holds. */
  readonly text: Buffer
  readonly decoded: DecodedLine
  /** Where the next line begins; undefined for a record that memory alone holds. */
  readonly endOffset?: number
}

/** What is next in the journal. */
export interface JournalBatch {
  readonly items: readonly JournalItem[]
  readonly segment: number
}

export interface JournalReaderOptions {
  readonly folder: string
  readonly writer: JournalWriter
  /** Segments of earlier starts, all below the writer's. */
  readonly left: readonly number[]
  /** How far earlier starts have applied them. */
  readonly position: JournalPosition | undefined
  readonly setAside: SetAsideFolder
  /** A segment was taken out of the journal, since it cannot be read. */
  readonly onUnreadable: (segment: number, error: unknown) => void
}

/** A disk that cannot give a file back, and what is no file. Other errors, as of rights, are mended and waited for. */
const UNREADABLE: ReadonlySet<unknown> = new Set(['EIO', 'EISDIR', 'EUCLEAN', 'EBADMSG', 'ENOENT'])

/**
 * Reads the journal in order: segments that an earlier start left, then the one being written, then what
 * the disk did not take. A segment is removed when all of it was confirmed.
 */
export class JournalReader {
  readonly #options: JournalReaderOptions
  #segment: number
  #reader: SegmentReader
  #left: readonly number[]
  /** Segments that are read to their ends, and hold what could not be set aside yet. */
  #done: number[] = []
  #tornSegments = 0

  constructor(options: JournalReaderOptions) {
    const { folder, writer, left, position } = options
    this.#options = options
    this.#left = left.filter((segment) => segment >= (position?.segment ?? 0))
    this.#done = left.filter((segment) => !this.#left.includes(segment))
    this.#segment = this.#left[0] ?? writer.segment
    this.#reader = new SegmentReader(
      folder,
      this.#segment,
      startIn(this.#segment, options.position),
    )
    this.#removeDone()
  }

  /** Segments that ended in the middle of a record, as after a power failure. */
  get tornSegments(): number {
    return this.#tornSegments
  }

  /** How many lines earlier starts left. */
  async countLeft(): Promise<number> {
    let lines = 0
    for (const segment of this.#left) {
      lines += await countLines(
        this.#options.folder,
        segment,
        startIn(segment, this.#options.position),
      ).catch(() => 0)
    }
    return lines
  }

  /**
   * The next lines, or undefined when there are none now. By asking again the caller confirms what it got
   * before: a segment whose end is reached is removed.
   */
  async next(): Promise<JournalBatch | undefined> {
    const { writer } = this.#options
    const endOfTaken = writer.confirmTaken()
    if (endOfTaken !== undefined) this.#reader.skipTo(endOfTaken)
    for (;;) {
      if (this.#segment !== writer.segment) {
        const items = await this.#readLeft()
        if (items.length > 0) return { items, segment: this.#segment }
        await this.#leaveSegment()
        continue
      }
      const written = writer.bytes
      const items = await this.#reader.next(written)
      if (items.length > 0) return { items, segment: this.#segment }
      if (this.#reader.offset < written) return this.#passOver(written)
      // The writer may have gone on meanwhile, in this segment or to the next.
      if (this.#segment !== writer.segment || written < writer.bytes) continue
      return this.#nextUnwritten()
    }
  }

  async close(): Promise<void> {
    await this.#reader.close()
    this.#removeDone()
  }

  async #readLeft(): Promise<readonly JournalItem[]> {
    try {
      return await this.#reader.next()
    } catch (error) {
      if (!isUnreadable(error)) throw error
      this.#giveUpSegment(error)
      return []
    }
  }

  /** Whole lines were written here, and the disk shows no line end. */
  #passOver(endOffset: number): JournalBatch {
    this.#reader.skipTo(endOffset)
    const decoded = { kind: 'bad', reason: 'no line end' } as const
    return { items: [{ text: Buffer.alloc(0), decoded, endOffset }], segment: this.#segment }
  }

  #nextUnwritten(): JournalBatch | undefined {
    const records = this.#options.writer.takeUnwritten()
    if (records.length === 0) return undefined
    const text = Buffer.alloc(0)
    const items = records.map((record) => ({ text, decoded: { kind: 'record', record } as const }))
    return { items, segment: this.#segment }
  }

  #giveUpSegment(error: unknown): void {
    const { folder, setAside, onUnreadable } = this.#options
    const name = segmentName(this.#segment)
    const path = join(folder, name)
    if (existsSync(path)) setAside.keepSegment(path, name)
    onUnreadable(this.#segment, error)
  }

  async #leaveSegment(): Promise<void> {
    const { folder } = this.#options
    const isThere = existsSync(join(folder, segmentName(this.#segment)))
    if (isThere && (await this.#reader.tornBytes()) > 0) this.#tornSegments++
    await this.#reader.close()
    this.#done.push(this.#segment)
    this.#removeDone()
    this.#left = this.#left.filter((segment) => segment > this.#segment)
    this.#segment = this.#left[0] ?? this.#segment + 1
    this.#reader = new SegmentReader(folder, this.#segment)
  }

  #removeDone(): void {
    const { folder, setAside } = this.#options
    if (setAside.pendingCount > 0) return
    for (const segment of this.#done.splice(0)) {
      rmSync(join(folder, segmentName(segment)), { force: true })
    }
  }
}

function isUnreadable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && UNREADABLE.has(error.code)
}
