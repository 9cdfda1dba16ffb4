import {
  close,
  closeSync,
  fdatasync,
  fdatasyncSync,
  fsync,
  ftruncateSync,
  openSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { segmentName } from './journal-segment.ts'

/** The segment that is being written. Owns its file descriptor. */
export class SegmentFile {
  readonly segment: number
  readonly #fd: number
  #bytes = 0
  #isTorn = false
  /** Syncs that run; the descriptor stays open for them. */
  #syncs = 0
  #isLeft = false

  /** Makes the file; throws what the file system throws. */
  constructor(folder: string, segment: number) {
    this.segment = segment
    this.#fd = openSync(join(folder, segmentName(segment)), 'wx', 0o600)
    // The name, too, must survive a power failure; waiting for it here would hold up signalling.
    const folderFd = openSync(folder, 'r')
    fsync(folderFd, () => close(folderFd, () => {}))
  }

  /** Its length: whole lines only. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Appends lines. Throws where the disk does not take all of them, and then holds none of them: they are written at
   * the same place by the next attempt.
   */
  write(lines: Buffer): void {
    const written = writeSync(this.#fd, lines, 0, lines.length, this.#bytes)
    this.#isTorn = written < lines.length
    if (this.#isTorn) throw new Error(`the disk took ${written} of ${lines.length} bytes`)
    this.#bytes += lines.length
  }

  /** Puts what was written on the disk for good, and tells `done` when it is, or why it is not. */
  sync(done: (error: Error | null) => void): void {
    this.#syncs++
    fdatasync(this.#fd, (error) => {
      this.#syncs--
      if (this.#isLeft) this.#closeOnceSynced()
      done(error)
    })
  }

  /** The same, waiting for it. Throws what the file system throws. */
  syncNow(): void {
    fdatasyncSync(this.#fd)
  }

  /** Nothing more is written to it: it is closed when the syncs that run are over. */
  leave(): void {
    this.#isLeft = true
    try {
      if (this.#isTorn) ftruncateSync(this.#fd, this.#bytes)
    } catch {
      // The reader takes what is left of a torn line for one that was never written.
    }
    this.#closeOnceSynced()
  }

  #closeOnceSynced(): void {
    if (this.#syncs === 0) closeSync(this.#fd)
  }
}
