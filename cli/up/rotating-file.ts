import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'

/** A log file that begins anew at a size and keeps one earlier file beside it as `NAME.1`. */
export class RotatingFile {
  readonly #path: string
  readonly #maxBytes: number
  #descriptor: number
  #bytes: number

  constructor(path: string, maxBytes = 16 * 1024 * 1024) {
    this.#path = path
    this.#maxBytes = maxBytes
    this.#descriptor = openSync(path, 'a', 0o640)
    this.#bytes = fstatSync(this.#descriptor).size
  }

  /** A disk that is full costs log lines, and nothing else. */
  write(chunk: Uint8Array): void {
    try {
      if (this.#bytes > this.#maxBytes) this.#rotate()
      this.#bytes += writeSync(this.#descriptor, chunk)
    } catch {
      this.#bytes += 0
    }
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  #rotate(): void {
    renameSync(this.#path, `${this.#path}.1`)
    const next = openSync(this.#path, 'a', 0o640)
    closeSync(this.#descriptor)
    this.#descriptor = next
    this.#bytes = 0
  }
}
