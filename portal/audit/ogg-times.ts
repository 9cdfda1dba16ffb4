/** Samples per second of a granule position, whatever the audio's own rate (RFC 7845 §4). */
const GRANULES_PER_MS = 48
/** The recorder writes a page at least so often; the one before a page that was not read ended no earlier. */
const LONGEST_PAGE_MS = 1000
/** Up to the end of the granule position (RFC 3533 §6). */
const HEADER_BYTES = 14
const CAPTURE = Buffer.from('OggS', 'latin1')

/** A stretch of a recording, in milliseconds from its first sample. */
export interface HeardSpan {
  readonly fromMs: number
  readonly toMs: number
}

/**
 * Tells which stretch of a recording its bytes hold, from the pages that pass by. Bytes are handed over in order; what
 * begins or ends within a page counts with the whole page.
 */
export class OggTimes {
  #carry: Buffer = Buffer.alloc(0)
  #atStart: boolean
  #fromMs: number | undefined
  #toMs = 0
  #pages = 0

  /** `isFromStart`: the first byte is the file's. */
  constructor(isFromStart: boolean) {
    this.#atStart = isFromStart
  }

  /** Undefined where no page began, so that nothing is known; equal ends where there was no audio in them. */
  get span(): HeardSpan | undefined {
    if (this.#pages === 0) return undefined
    return { fromMs: this.#fromMs ?? 0, toMs: Math.max(this.#fromMs ?? 0, this.#toMs) }
  }

  take(bytes: Uint8Array): void {
    const text = Buffer.concat([this.#carry, bytes])
    let at = text.indexOf(CAPTURE)
    while (at >= 0 && at + HEADER_BYTES <= text.length) {
      this.#page(text, at)
      at = text.indexOf(CAPTURE, at + CAPTURE.length)
    }
    this.#carry = text.subarray(at >= 0 ? at : Math.max(0, text.length - CAPTURE.length + 1))
  }

  #page(text: Buffer, at: number): void {
    const version = text.readUInt8(at + 4)
    const flags = text.readUInt8(at + 5)
    const granule = text.readBigInt64LE(at + 6)
    // Four letters within a packet are no page; a page on which no packet ends tells no time.
    if (version !== 0 || flags > 7 || granule < 0n) return
    this.#pages++
    const endMs = Number(granule) / GRANULES_PER_MS
    this.#fromMs ??= this.#atStart ? 0 : Math.max(0, endMs - LONGEST_PAGE_MS)
    this.#toMs = Math.max(this.#toMs, endMs)
  }
}
