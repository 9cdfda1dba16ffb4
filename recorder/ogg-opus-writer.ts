import { OGG_BEGIN, OGG_END, OGG_MOST_SEGMENTS, oggLacing, writeOggPage } from './ogg-page.ts'
import { OPUS_PRE_SKIP_48K, opusHead, opusTags } from './opus-headers.ts'
import { FRAMING_BYTES, GUARD_BYTES, writeGuarded, writeSelfDelimited } from './opus-packet.ts'
import type { PageSink } from './page-sink.ts'

export interface OggOpusWriterOptions {
  readonly sink: Pick<PageSink, 'write'>
  readonly serial: number
  /** `NAME=value`, for the comment header. */
  readonly comments: readonly string[]
  /** Source rate of the audio, hertz; players only show it. */
  readonly inputSampleRate: number
  /** A packet that is known to be whole without what the first channel's packets get. */
  readonly silence?: Uint8Array | undefined
  /** A page ends after so many slots, where `endPage` does not end it before. */
  readonly slotsPerPage: number
}

const SLOT_48K = 960
/** Two packets of the largest size that an encoder makes; or 300 ms at 40 kbit/s a party. More bits make more pages. */
const PAGE_BODY = 3072

/**
 * Writes two channels as an Ogg Opus file (RFC 7845), page by page.
 *
 * The two headers leave at once. Then every slot is one Ogg packet: the first channel's Opus packet self-delimited,
 * the second's as it is (RFC 7845 §5.1.1). The newest slot always waits for the next one, since the last page must
 * carry the end of the stream.
 */
export class OggOpusWriter {
  readonly #sink: Pick<PageSink, 'write'>
  readonly #serial: number
  readonly #slotsPerPage: number
  readonly #silence: Uint8Array | undefined
  readonly #body = new Uint8Array(PAGE_BODY)
  readonly #lacing = new Uint8Array(OGG_MOST_SEGMENTS)
  #bodyBytes = 0
  #segments = 0
  /** Where the newest slot begins. */
  #newestByte = 0
  #newestSegment = 0
  #slotsOnPage = 0
  #slots = 0
  #pages = 0
  #bytes = 0

  constructor(options: OggOpusWriterOptions) {
    this.#sink = options.sink
    this.#serial = options.serial
    this.#slotsPerPage = options.slotsPerPage
    this.#silence = options.silence
    this.#writeHeader(opusHead(options.inputSampleRate), OGG_BEGIN)
    this.#writeHeader(opusTags('Tallenne', options.comments), 0)
  }

  /** Bytes of all pages so far. */
  get bytes(): number {
    return this.#bytes
  }

  /** Slots so far. */
  get slots(): number {
    return this.#slots
  }

  /** Adds a slot of 20 ms: an Opus packet of one frame for each channel. */
  append(first: Uint8Array, second: Uint8Array): void {
    const pairBytes = first.length + second.length + FRAMING_BYTES + GUARD_BYTES
    if (this.#slotsOnPage > 0 && !this.#hasRoomFor(pairBytes)) {
      this.#flush(0, this.#slots * SLOT_48K)
    }
    const body = this.#body
    const start = this.#bodyBytes
    this.#newestByte = start
    this.#newestSegment = this.#segments
    const write = first === this.#silence ? writeSelfDelimited : writeGuarded
    const end = write(first, body, start)
    body.set(second, end)
    this.#bodyBytes = end + second.length
    let left = this.#bodyBytes - start
    for (; left >= 255; left -= 255) this.#lacing[this.#segments++] = 255
    this.#lacing[this.#segments++] = left
    this.#slotsOnPage++
    this.#slots++
  }

  /** Ends the page before the newest slot, so that all the others are written. */
  endPage(): void {
    if (this.#slotsOnPage < 2) return
    const [byte, segment] = [this.#newestByte, this.#newestSegment]
    const newest = this.#body.subarray(byte, this.#bodyBytes)
    const lacing = this.#lacing.subarray(segment, this.#segments)
    this.#bodyBytes = byte
    this.#segments = segment
    this.#flush(0, (this.#slots - 1) * SLOT_48K)
    this.#body.set(newest)
    this.#lacing.set(lacing)
    this.#bodyBytes = newest.length
    this.#segments = lacing.length
    this.#newestByte = 0
    this.#newestSegment = 0
    this.#slotsOnPage = 1
  }

  /** How many slots must have been appended before the audio may end at so many samples of 48 kHz. */
  static slotsFor(length48k: number): number {
    return Math.ceil((OPUS_PRE_SKIP_48K + length48k) / SLOT_48K)
  }

  /** Ends the stream exactly there: what the last packets hold beyond is trimmed by players (RFC 7845 §4.4). */
  finish(length48k: number): void {
    this.#flush(OGG_END, Math.min(this.#slots * SLOT_48K, OPUS_PRE_SKIP_48K + length48k))
  }

  #hasRoomFor(packetBytes: number): boolean {
    return (
      this.#slotsOnPage < this.#slotsPerPage &&
      this.#bodyBytes + packetBytes <= PAGE_BODY &&
      this.#segments + Math.floor(packetBytes / 255) + 1 <= OGG_MOST_SEGMENTS
    )
  }

  #writeHeader(packet: Uint8Array, headerType: number): void {
    this.#write({
      headerType,
      granulePosition48k: 0,
      lacing: oggLacing(packet.length),
      body: packet,
    })
  }

  #flush(headerType: number, granulePosition48k: number): void {
    this.#write({
      headerType,
      granulePosition48k,
      lacing: this.#lacing.subarray(0, this.#segments),
      body: this.#body.subarray(0, this.#bodyBytes),
    })
    this.#bodyBytes = 0
    this.#segments = 0
    this.#slotsOnPage = 0
  }

  #write(page: {
    readonly headerType: number
    readonly granulePosition48k: number
    readonly lacing: Uint8Array
    readonly body: Uint8Array
  }): void {
    const bytes = writeOggPage({ ...page, serial: this.#serial, sequence: this.#pages++ })
    this.#bytes += bytes.length
    this.#sink.write(bytes)
  }
}
