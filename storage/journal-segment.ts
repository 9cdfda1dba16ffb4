import { readdirSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../base/make-folder.ts'
import type { DecodedLine } from './journal-record.ts'
import { decodeLine } from './journal-record.ts'

/** Longest line that is read; `append` refuses longer ones. */
export const MAX_LINE_BYTES = 1_048_576

const NAME = /^\d{12}\.journal$/

/** File name of a segment: numbers count up over all starts of the program. */
export function segmentName(segmentNumber: number): string {
  return `${String(segmentNumber).padStart(12, '0')}.journal`
}

/** Numbers of the segments that lie in the folder, oldest first. Makes the folder. */
export function listSegments(folder: string): readonly number[] {
  makeFolder(folder, 0o700)
  return readdirSync(folder)
    .filter((name) => NAME.test(name))
    .map((name) => Number.parseInt(name, 10))
    .sort((a, b) => a - b)
}

/** A line of a segment, as it stands there. */
export interface SegmentLine {
  readonly text: Buffer
  readonly decoded: DecodedLine
}

/** Reads a segment's lines in order, up to a limit that may grow while the segment is still written. */
export class SegmentReader {
  readonly #path: string
  #handle: FileHandle | undefined
  #offset = 0

  constructor(folder: string, segmentNumber: number) {
    this.#path = join(folder, segmentName(segmentNumber))
  }

  /**
   * The next whole lines below `limitBytes`, at most about `MAX_LINE_BYTES` of them; none at the end. What
   * stands after the last line end is no line: a record that was being written when the machine stopped.
   */
  async next(limitBytes: number): Promise<readonly SegmentLine[]> {
    this.#handle ??= await open(this.#path, 'r')
    const { size } = await this.#handle.stat()
    const length = Math.min(Math.min(limitBytes, size) - this.#offset, 2 * MAX_LINE_BYTES)
    if (length <= 0) return []
    const { bytesRead, buffer } = await this.#handle.read({
      buffer: Buffer.alloc(length),
      position: this.#offset,
    })
    const chunk = buffer.subarray(0, bytesRead)
    const end = chunk.lastIndexOf(0x0a) + 1
    if (end === 0 && bytesRead === 2 * MAX_LINE_BYTES) {
      this.#offset += bytesRead
      return [{ text: chunk, decoded: { kind: 'bad', reason: 'no line end' } }]
    }
    this.#offset += end
    return splitLines(chunk.subarray(0, end))
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

/** How many lines a segment holds. */
export async function countLines(folder: string, segmentNumber: number): Promise<number> {
  const handle = await open(join(folder, segmentName(segmentNumber)), 'r')
  let lines = 0
  for await (const chunk of handle.createReadStream()) {
    for (const byte of chunk) if (byte === 0x0a) lines++
  }
  return lines
}

function splitLines(chunk: Buffer): SegmentLine[] {
  const lines: SegmentLine[] = []
  for (let start = 0; start < chunk.length; ) {
    const end = chunk.indexOf(0x0a, start)
    const text = chunk.subarray(start, end)
    lines.push({ text, decoded: decodeLine(text) })
    start = end + 1
  }
  return lines
}
