import { closeSync, openSync, readSync } from 'node:fs'
import { messageOf, TallenneError } from '../../../base/tallenne-error.ts'

const CHUNK_BYTES = 256 * 1024

/**
 * A file read from its beginning to its end, so many bytes at a time. What was taken stays valid: its memory is never
 * written again. For a program that does nothing else meanwhile: it blocks.
 */
export class FileBytes {
  readonly #file: number
  #chunk = Buffer.alloc(0)
  #at = 0

  private constructor(file: number) {
    this.#file = file
  }

  /** Throws `unreadable_capture` where there is no such file. */
  static open(path: string): FileBytes {
    try {
      return new FileBytes(openSync(path, 'r'))
    } catch (error) {
      throw new TallenneError(
        'unreadable_capture',
        `${path} cannot be read: ${messageOf(error)}.`,
        {
          cause: error,
        },
      )
    }
  }

  /** The next bytes without taking them, fewer than asked for only at the file's end. */
  peek(count: number): Buffer {
    const bytes = this.take(count)
    this.#at -= bytes.length
    return bytes
  }

  /** The next bytes, fewer than asked for only at the file's end. */
  take(count: number): Buffer {
    if (this.#chunk.length - this.#at < count) this.#fill(count)
    const end = Math.min(this.#chunk.length, this.#at + count)
    const bytes = this.#chunk.subarray(this.#at, end)
    this.#at = end
    return bytes
  }

  close(): void {
    closeSync(this.#file)
  }

  #fill(count: number): void {
    const left = this.#chunk.subarray(this.#at)
    const chunk = Buffer.alloc(Math.max(CHUNK_BYTES, count))
    left.copy(chunk)
    let length = left.length
    while (length < count) {
      const read = readSync(this.#file, chunk, length, chunk.length - length, null)
      if (read === 0) break
      length += read
    }
    this.#chunk = chunk.subarray(0, length)
    this.#at = 0
  }
}
