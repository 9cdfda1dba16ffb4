import { durationMsAt, granulePositionOf } from './audio-length.ts'

/** Pages are remembered until so many bytes came after them and after all that waits to be written. */
const REMEMBERED_BYTES = 16 * 1024

/** Knows how long the audio of a file is of which only the beginning was written. */
export class WrittenLength {
  #bytes = 0
  /** The newest pages, oldest first. */
  readonly #pages: { readonly endBytes: number; readonly position48k: number }[] = []

  /** Takes a page that goes to the file; `pendingBytes` wait to be written. */
  add(page: Uint8Array, pendingBytes: number): void {
    this.#bytes += page.length
    this.#pages.push({ endBytes: this.#bytes, position48k: granulePositionOf(page) })
    const writtenBytes = this.#bytes - pendingBytes - REMEMBERED_BYTES
    while ((this.#pages[1]?.endBytes ?? Number.POSITIVE_INFINITY) < writtenBytes) {
      this.#pages.shift()
    }
  }

  /** Length of the audio in so many bytes from the file's beginning, milliseconds. */
  durationMsIn(bytes: number): number {
    const last = this.#pages.findLast(({ endBytes }) => endBytes <= bytes)
    return durationMsAt(last?.position48k ?? 0)
  }
}
