import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { messageOf } from '../base/tallenne-error.ts'

export interface RecordingFileOptions {
  /** A file whose unwritten bytes exceed this has failed: the disk is too slow. Default 1 MiB, minutes of a call. */
  readonly maxPendingBytes?: number
  /** How the file is opened; by default it is made, mode 0600, and must not exist. */
  readonly openForWriting?: (path: string) => Promise<FileHandle>
}

/** Why a file took no more, as a reason code of the verdict. */
export interface RecordingFileFailure {
  readonly code: 'disk_full' | 'write_failed'
  readonly message: string
}

/**
 * An open recording on the local disk: takes pages in order and writes them behind the caller's back.
 *
 * Nothing here blocks or throws. What queues while a write runs goes out as one write. The first failure
 * ends the writing: what follows is dropped, and the facts tell what the file really holds.
 */
export class RecordingFile {
  readonly #path: string
  readonly #maxPendingBytes: number
  readonly #openForWriting: (path: string) => Promise<FileHandle>
  readonly #hash = createHash('sha256')
  #handle: FileHandle | undefined
  #queue: Uint8Array[] = []
  #pendingBytes = 0
  #writtenBytes = 0
  #failure: RecordingFileFailure | undefined
  /** The write loop while it runs. */
  #writing: Promise<void> | undefined
  #facts: Promise<{ bytes: number; sha256: string }> | undefined

  constructor(path: string, options: RecordingFileOptions = {}) {
    this.#path = path
    this.#maxPendingBytes = options.maxPendingBytes ?? 1_048_576
    this.#openForWriting = options.openForWriting ?? ((name) => open(name, 'wx', 0o600))
    this.#wake()
  }

  get failure(): RecordingFileFailure | undefined {
    return this.#failure
  }

  /** Bytes accepted and not yet written. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** Takes a page and owns its bytes from now on. Dropped after a failure and after `finish`. */
  write(page: Uint8Array): void {
    if (this.#failure || this.#facts !== undefined) return
    if (this.#pendingBytes + page.length > this.#maxPendingBytes) {
      this.#fail({
        code: 'write_failed',
        message: `disk too slow: ${this.#pendingBytes} bytes wait to be written to ${this.#path}`,
      })
      return
    }
    this.#queue.push(page)
    this.#pendingBytes += page.length
    this.#wake()
  }

  /** Writes what waits, puts it on the disk for good, closes, and tells what the file holds. Idempotent. */
  finish(): Promise<{ readonly bytes: number; readonly sha256: string }> {
    this.#facts ??= this.#end()
    return this.#facts
  }

  async #end() {
    await this.#writing
    try {
      await this.#handle?.datasync()
    } catch (error) {
      this.#fail(failureOf(error, this.#path))
    }
    try {
      await this.#handle?.close()
    } catch (error) {
      this.#fail(failureOf(error, this.#path))
    }
    return { bytes: this.#writtenBytes, sha256: this.#hash.digest('hex') }
  }

  #wake(): void {
    this.#writing ??= this.#writeQueue()
  }

  async #writeQueue(): Promise<void> {
    try {
      this.#handle ??= await this.#openForWriting(this.#path)
      while (this.#queue.length > 0 && !this.#failure) {
        const pages = this.#queue
        this.#queue = []
        await this.#writeAll(this.#handle, pages)
      }
    } catch (error) {
      this.#fail(failureOf(error, this.#path))
    } finally {
      this.#writing = undefined
    }
  }

  async #writeAll(handle: FileHandle, pages: readonly Uint8Array[]): Promise<void> {
    let rest = pages
    while (rest.length > 0) {
      const { bytesWritten } = await handle.writev(rest)
      rest = this.#account(rest, bytesWritten)
    }
  }

  /** Counts and hashes what reached the file, and returns what did not: a write may be cut short. */
  #account(pages: readonly Uint8Array[], bytesWritten: number): readonly Uint8Array[] {
    this.#writtenBytes += bytesWritten
    this.#pendingBytes -= bytesWritten
    let left = bytesWritten
    for (const [index, page] of pages.entries()) {
      if (left < page.length) {
        this.#hash.update(page.subarray(0, left))
        return [page.subarray(left), ...pages.slice(index + 1)]
      }
      this.#hash.update(page)
      left -= page.length
    }
    return []
  }

  #fail(failure: RecordingFileFailure): void {
    this.#failure ??= failure
    this.#queue = []
    this.#pendingBytes = 0
  }
}

function failureOf(error: unknown, path: string): RecordingFileFailure {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const isFull = code === 'ENOSPC' || code === 'EDQUOT'
  return {
    code: isFull ? 'disk_full' : 'write_failed',
    message: `${path}: ${messageOf(error)}`,
  }
}
