import { oggCrc } from './ogg-crc.ts'

const OGG_HEADER_BYTES = 27
export const OGG_MOST_SEGMENTS = 255
const CAPTURE_PATTERN = 0x4f676753
const CRC_AT = 22

/** Bits of the header type. */
export const OGG_BEGIN = 0x02
export const OGG_END = 0x04

export interface OggPage {
  readonly headerType: number
  /** Of the last packet that ends on the page; 48 kHz samples with pre-skip (RFC 7845 §4). */
  readonly granulePosition48k: number
  readonly serial: number
  readonly sequence: number
  /** Lacing values of whole packets. */
  readonly lacing: Uint8Array
  readonly body: Uint8Array
}

/**
 * An Ogg page (RFC 3533 §6) in memory of its own.
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * | capture_pattern: "OggS"                                       | 0
 * | version = 0   | header_type   | granule_position              | 4
 * |                                                               | 8
 * |                               | bitstream_serial_number       | 12
 * |                               | page_sequence_number          | 16
 * |                               | CRC_checksum                  | 20
 * |                               | page_segments | segment_table | 24
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Numbers are little-endian.
 */
export function writeOggPage(page: OggPage): Uint8Array {
  const { lacing, body, granulePosition48k } = page
  const bytes = new Uint8Array(OGG_HEADER_BYTES + lacing.length + body.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, CAPTURE_PATTERN)
  bytes[5] = page.headerType
  view.setUint32(6, granulePosition48k % 2 ** 32, true)
  view.setUint32(10, Math.floor(granulePosition48k / 2 ** 32), true)
  view.setUint32(14, page.serial, true)
  view.setUint32(18, page.sequence, true)
  bytes[26] = lacing.length
  bytes.set(lacing, OGG_HEADER_BYTES)
  bytes.set(body, OGG_HEADER_BYTES + lacing.length)
  view.setUint32(CRC_AT, oggCrc(bytes), true)
  return bytes
}

/** The lacing values of one packet: 255 for each full 255 bytes, then the rest, which may be 0. */
export function oggLacing(packetBytes: number): Uint8Array {
  const lacing = new Uint8Array(Math.floor(packetBytes / 255) + 1).fill(255)
  lacing[lacing.length - 1] = packetBytes % 255
  return lacing
}

/** Facts of a page's header, read at an offset. */
export interface OggPageHeader {
  readonly headerType: number
  /** -1 where no packet ends on the page. */
  readonly granulePosition48k: number
  readonly serial: number
  readonly sequence: number
  /** Header, table and body. */
  readonly pageBytes: number
}

/**
 * Reads the header at `at`: a header, `more` where the bytes end before the page does, or `invalid` where no page
 * starts. Does not look at the checksum.
 */
export function readOggHeader(bytes: Uint8Array, at: number): OggPageHeader | 'more' | 'invalid' {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const left = bytes.length - at
  for (let index = 0; index < Math.min(4, left); index++) {
    if (bytes[at + index] !== ((CAPTURE_PATTERN >>> (24 - 8 * index)) & 0xff)) return 'invalid'
  }
  if (left > 4 && bytes[at + 4] !== 0) return 'invalid'
  if (left < OGG_HEADER_BYTES) return 'more'
  const segments = bytes[at + 26] ?? 0
  if (left < OGG_HEADER_BYTES + segments) return 'more'
  let body = 0
  for (let index = 0; index < segments; index++) body += bytes[at + OGG_HEADER_BYTES + index] ?? 0
  const pageBytes = OGG_HEADER_BYTES + segments + body
  if (left < pageBytes) return 'more'
  return {
    headerType: bytes[at + 5] ?? 0,
    granulePosition48k: Number(view.getBigInt64(at + 6, true)),
    serial: view.getUint32(at + 14, true),
    sequence: view.getUint32(at + 18, true),
    pageBytes,
  }
}

const NO_CRC = new Uint8Array(4)

/** Whether the page in `from`…`to` carries the checksum of its bytes. */
export function isOggPageWhole(bytes: Uint8Array, from: number, to: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return view.getUint32(from + CRC_AT, true) === crcOf(bytes, from, to)
}

/** Marks a page as the stream's last, in place, and corrects its checksum. */
export function endOggPage(page: Uint8Array): void {
  page[5] = (page[5] ?? 0) | OGG_END
  new DataView(page.buffer, page.byteOffset).setUint32(CRC_AT, crcOf(page, 0, page.length), true)
}

/** The checksum with its own field taken as zero. */
function crcOf(bytes: Uint8Array, from: number, to: number): number {
  const before = oggCrc(bytes, 0, from, from + CRC_AT)
  return oggCrc(bytes, oggCrc(NO_CRC, before), from + CRC_AT + 4, to)
}
