import { createHash } from 'node:crypto'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import type { Disk } from './disk/disk.ts'

export interface RecordingFileOptions {
  readonly disk: Disk
  /** A file whose unwritten bytes exceed this has failed: the disk is too slow. Default 1 MiB, minutes of a call. */
  readonly maxPendingBytes?: number
}

/** Why a file took no more, as a reason code of the verdict. */
export interface RecordingFileFailure {
  readonly code: 'disk_full' | 'write_failed'
  readonly message: string
}

/**
 * An open recording on the local disk: takes pages in order and has them written behind the caller's back.
 *
 * Nothing here blocks or throws. What queues while a write runs goes out as one write. The first failure ends the
 * writing: what follows is dropped, the file is cut to its last whole page, and the facts tell what it holds.
 */
export class RecordingFile {
  readonly #path: string
  readonly #disk: Disk
  readonly #maxPendingBytes: number
  readonly #hash = createHash('sha256')
  #queue: Uint8Array[] = []
  #pendingBytes = 0
  /** Of whole pages. */
  #writtenBytes = 0
  #writtenPages = 0
  #failure: RecordingFileFailure | undefined
  #isHung = false
  #isOpen = false
  readonly #opened: Promise<void>
  /** The write loop while it runs. */
  #writing: Promise<void> | undefined
  #facts: Promise<{ bytes: number; sha256: string }> | undefined

  /** Makes the file, mode 0600; it must not exist. */
  constructor(path: string, options: RecordingFileOptions) {
    this.#path = path
    this.#disk = options.disk
    this.#maxPendingBytes = options.maxPendingBytes ?? 1_048_576
    this.#opened = this.#disk.run({ kind: 'open', path }).then(
      () => {
        this.#isOpen = true
      },
      (error: unknown) => this.#fail(error),
    )
  }

  get failure(): RecordingFileFailure | undefined {
    return this.#failure
  }

  /** Whether the file was given up since its disk does not answer. */
  get isHung(): boolean {
    return this.#isHung
  }

  /** Pages that were written whole. */
  get writtenPages(): number {
    return this.#writtenPages
  }

  /** Bytes accepted and not yet written. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** Takes a page and owns its bytes from now on. Dropped after a failure and after `finish`. */
  write(page: Uint8Array): void {
    if (this.#failure || this.#facts !== undefined) return
    if (this.#pendingBytes + page.length > this.#maxPendingBytes) {
      this.#fail(new Error(`disk too slow: ${this.#pendingBytes} bytes wait to be written`))
      return
    }
    this.#queue.push(page)
    this.#pendingBytes += page.length
    this.#writing ??= this.#writeQueue()
  }

  /** Writes what waits, puts it on the disk for good, closes, and tells what the file holds. Idempotent. */
  finish(): Promise<{ readonly bytes: number; readonly sha256: string }> {
    this.#facts ??= this.#end()
    return this.#facts
  }

  async #end() {
    await this.#opened
    await this.#writing
    if (this.#failure === undefined) {
      await this.#disk
        .run({ kind: 'finish', path: this.#path })
        .catch((error: unknown) => this.#fail(error))
    }
    return { bytes: this.#writtenBytes, sha256: this.#hash.digest('hex') }
  }

  async #writeQueue(): Promise<void> {
    await this.#opened
    while (this.#queue.length > 0 && this.#failure === undefined) {
      const pages = this.#queue
      this.#queue = []
      await this.#append(pages)
    }
    this.#writing = undefined
  }

  async #append(pages: readonly Uint8Array[]): Promise<void> {
    try {
      const bytes = joined(pages)
      const { writtenBytes, failure } = await this.#disk.run({
        kind: 'append',
        path: this.#path,
        position: this.#writtenBytes,
        bytes,
      })
      // Late: the file was given up meanwhile, and is cut to what was counted until then.
      if (this.#failure !== undefined) return
      this.#account(pages, writtenBytes)
      if (failure !== undefined) this.#fail(new TallenneError(failure.code, failure.message))
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Counts and hashes the pages that reached the file whole. */
  #account(pages: readonly Uint8Array[], writtenBytes: number): void {
    let left = writtenBytes
    for (const page of pages) {
      if (page.length > left) return
      left -= page.length
      this.#hash.update(page)
      this.#writtenPages++
      this.#writtenBytes += page.length
      this.#pendingBytes -= page.length
    }
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return
    const code = error instanceof TallenneError ? error.code : undefined
    this.#isHung = code === 'disk_hung'
    const isFull = code === 'ENOSPC' || code === 'EDQUOT'
    const left = this.#pendingBytes
    this.#failure = {
      code: isFull ? 'disk_full' : 'write_failed',
      message: `${this.#path}: ${messageOf(error)}; ${this.#writtenBytes} bytes are kept, ${left} more were to be written`,
    }
    this.#queue = []
    this.#pendingBytes = 0
    // Nobody waits for that: a disk that has failed may not even do this.
    this.#disk
      .run({
        kind: 'abandon',
        path: this.#path,
        keepBytes: this.#writtenBytes,
        wasOpened: this.#isOpen,
      })
      .catch(() => undefined)
  }
}

/** In memory of their own: what is sent to another thread takes the memory along that it lies in. */
function joined(pages: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pages.reduce((sum, page) => sum + page.length, 0))
  let offset = 0
  for (const page of pages) {
    bytes.set(page, offset)
    offset += page.length
  }
  return bytes
}
