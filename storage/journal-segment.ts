import { readdirSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../base/make-folder.ts'
import type { DecodedLine } from './journal-record.ts'
import { decodeLine } from './journal-record.ts'

/** Longest line that is read; `append` refuses longer ones. */
export const MAX_LINE_BYTES = 1_048_576

const NAME = /^\d{12}\.journal$/
const LINE_END = 0x0a

/** File name of a segment: numbers count up over all starts of the program. */
export function segmentName(segmentNumber: number): string {
  return `${String(segmentNumber).padStart(12, '0')}.journal`
}

/** Numbers of the segments that lie in the folder, oldest first. Throws where there is no folder. */
export function listSegments(folder: string): readonly number[] {
  return readdirSync(folder)
    .filter((name) => NAME.test(name))
    .map((name) => Number.parseInt(name, 10))
    .sort((a, b) => a - b)
}

/** Makes the journal's folder, for its owner alone. Throws what the file system throws. */
export function makeJournalFolder(folder: string): void {
  makeFolder(folder, 0o700)
}

/** A line of a segment, as it stands there. */
export interface SegmentLine {
  readonly text: Buffer
  readonly decoded: DecodedLine
  /** Where the next line begins. */
  readonly endOffset: number
}

/** Reads a segment's lines in order, up to a limit that may grow while the segment is still written. */
export class SegmentReader {
  readonly #path: string
  #handle: FileHandle | undefined
  #offset: number

  constructor(folder: string, segmentNumber: number, offset = 0) {
    this.#path = join(folder, segmentName(segmentNumber))
    this.#offset = offset
  }

  /** Where the next line begins. */
  get offset(): number {
    return this.#offset
  }

  /** Passes over what its reader knows already. */
  skipTo(offset: number): void {
    this.#offset = Math.max(this.#offset, offset)
  }

  /**
   * The next whole lines below `limitBytes`, at most about `MAX_LINE_BYTES` of them; none at the end. What
   * stands after the last line end is no line: a record that was being written when the machine stopped.
   */
  async next(limitBytes = Number.MAX_SAFE_INTEGER): Promise<readonly SegmentLine[]> {
    this.#handle ??= await open(this.#path, 'r')
    const { size } = await this.#handle.stat()
    const length = Math.min(Math.min(limitBytes, size) - this.#offset, 2 * MAX_LINE_BYTES)
    if (length <= 0) return []
    const { bytesRead, buffer } = await this.#handle.read({
      buffer: Buffer.alloc(length),
      position: this.#offset,
    })
    const chunk = buffer.subarray(0, bytesRead)
    const end = chunk.lastIndexOf(LINE_END) + 1
    const start = this.#offset
    if (end === 0 && bytesRead === 2 * MAX_LINE_BYTES) {
      this.#offset += bytesRead
      const decoded = { kind: 'bad', reason: 'no line end' } as const
      return [{ text: chunk, decoded, endOffset: this.#offset }]
    }
    this.#offset += end
    return splitLines(chunk.subarray(0, end), start)
  }

  /** Bytes after the last whole line, once `next` has told the end: 0 unless the segment is torn. */
  async tornBytes(): Promise<number> {
    this.#handle ??= await open(this.#path, 'r')
    return (await this.#handle.stat()).size - this.#offset
  }

  async close(): Promise<void> {
    await this.#handle?.close()
    this.#handle = undefined
  }
}

/** How many lines a segment holds from a place on. */
export async function countLines(
  folder: string,
  segmentNumber: number,
  offset = 0,
): Promise<number> {
  const handle = await open(join(folder, segmentName(segmentNumber)), 'r')
  let lines = 0
  for await (const chunk of handle.createReadStream({ start: offset })) {
    for (let at = chunk.indexOf(LINE_END); at >= 0; at = chunk.indexOf(LINE_END, at + 1)) lines++
  }
  return lines
}

function splitLines(chunk: Buffer, startOffset: number): SegmentLine[] {
  const lines: SegmentLine[] = []
  for (let start = 0; start < chunk.length; ) {
    const end = chunk.indexOf(LINE_END, start)
    const text = chunk.subarray(start, end)
    lines.push({ text, decoded: decodeLine(text), endOffset: startOffset + end + 1 })
    start = end + 1
  }
  return lines
}
