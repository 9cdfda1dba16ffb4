import { isOggPageWhole, OGG_BEGIN, OGG_END, readOggHeader } from './ogg-page.ts'
import { OPUS_PRE_SKIP_48K } from './opus-headers.ts'

/** The last whole page of audio of a file that was read so far. */
export interface LastPage {
  /** Where the page begins in the file. */
  readonly offset: number
  readonly page: Uint8Array
  readonly isEnd: boolean
}

/**
 * Reads an Ogg Opus file that was only ever appended to, in pieces of any size, as far as its pages are whole: in
 * order, of one stream, with right checksums. Damage is at the end of such a file, so what follows the first page
 * that is not whole is not looked at.
 *
 * Gives each confirmed stretch to `onWhole`, except the last page, which may yet have to be changed.
 */
export class OggScan {
  readonly #onWhole: (bytes: Uint8Array) => void
  #rest: Uint8Array = new Uint8Array(0)
  #offset = 0
  #serial: number | undefined
  #pages = 0
  #granulePosition48k = 0
  #last: LastPage | undefined
  #isOver = false

  constructor(onWhole: (bytes: Uint8Array) => void) {
    this.#onWhole = onWhole
  }

  /** Whether nothing that follows can belong to the stream. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Undefined while there is no page of audio. */
  get last(): LastPage | undefined {
    return this.#last
  }

  /** Length of the audio up to the last page, milliseconds. */
  get durationMs(): number {
    return Math.max(0, this.#granulePosition48k - OPUS_PRE_SKIP_48K) / 48
  }

  /** Takes the next bytes of the file. Keeps a copy of what it needs. */
  push(bytes: Uint8Array): void {
    if (this.#isOver) return
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    let at = 0
    while (!this.#isOver) {
      const next = this.#takePage(all, at)
      if (next === undefined) break
      at = next
    }
    this.#rest = Uint8Array.from(all.subarray(at))
    this.#offset += at
  }

  /** Where the page at `at` ends; undefined where there is none, for now or for good. */
  #takePage(bytes: Uint8Array, at: number): number | undefined {
    const header = readOggHeader(bytes, at)
    if (header === 'more') return undefined
    const end = header === 'invalid' ? at : at + header.pageBytes
    if (
      header === 'invalid' ||
      header.sequence !== this.#pages ||
      header.serial !== (this.#serial ?? header.serial) ||
      (header.headerType & OGG_BEGIN) !== (this.#pages === 0 ? OGG_BEGIN : 0) ||
      header.granulePosition48k < this.#granulePosition48k ||
      !isOggPageWhole(bytes, at, end)
    ) {
      this.#isOver = true
      return undefined
    }
    this.#serial = header.serial
    this.#pages++
    this.#granulePosition48k = header.granulePosition48k
    const page = Uint8Array.from(bytes.subarray(at, end))
    const isHeader = this.#pages <= 2
    if (isHeader) {
      this.#onWhole(page)
      return end
    }
    if (this.#last !== undefined) this.#onWhole(this.#last.page)
    this.#isOver = (header.headerType & OGG_END) !== 0
    this.#last = { offset: this.#offset + at, page, isEnd: this.#isOver }
    return end
  }
}
