import { crc32 } from '../crc32.ts'
import { deriveKey, openPiece, sealPiece, TAG_BYTES } from './age-stream.ts'

/**
 * The file of a recording while the call goes on: a line, an age header, 16 bytes of salt, then a record for each page.
 *
 *     tallenne-sealed/1 0123456789abcdef LF     the set of recipients
 *     age header                                the file key, for each recipient
 *     salt
 *     record, record, …
 *
 * Whoever wrote it can add to it and not read it again once the key is forgotten. What a record says in the clear lets
 * anybody cut the file after its last whole record and tell how long the audio is, and is authenticated with it.
 */
export const SALT_BYTES = 16

const RECORD_HEADER_BYTES = 24
const CRC_BYTES = 4
const END = 0x01
/** An Ogg page has at most 65,307 bytes. */
const MAX_PLAIN_BYTES = 1_048_576

export function recordKeyOf(fileKey: Uint8Array, salt: Uint8Array): Uint8Array {
  return deriveKey(fileKey, salt, 'tallenne sealed recording')
}

export interface RecordFacts {
  /** Counts the file's records from 0. */
  readonly index: number
  /** How far the audio goes with this record, in the writer's own unit, never less than before. */
  readonly position: number
  /** The record of a file that its writer ended; it holds nothing else. */
  readonly isEnd: boolean
}

/**
 * One record in memory of its own, numbers big-endian.
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * | CRC-32 of all that follows                                    | 0
 * | length of the plaintext                                       | 4
 * | index                                                         | 8
 * | position                                                      | 12
 * |                                                               | 16
 * | flags: 1 for the end          | 0                             | 20
 * | ciphertext, as long as the plaintext, and a tag of 16 bytes   | 24
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export function sealRecord(key: Uint8Array, facts: RecordFacts, plain: Uint8Array): Uint8Array {
  const { index, position, isEnd } = facts
  const record = Buffer.allocUnsafe(RECORD_HEADER_BYTES + plain.length + TAG_BYTES)
  record.writeUInt32BE(plain.length, 4)
  record.writeUInt32BE(index, 8)
  record.writeBigInt64BE(BigInt(position), 12)
  record.writeUInt32BE(isEnd ? END << 24 : 0, 20)
  const [sealed, tag] = sealPiece(key, { index, isLast: isEnd }, { plain, clear: clearOf(record) })
  record.set(sealed, RECORD_HEADER_BYTES)
  record.set(tag, RECORD_HEADER_BYTES + plain.length)
  record.writeUInt32BE(crc32(record.subarray(CRC_BYTES)), 0)
  return record
}

/** A record's place in memory and what it says in the clear. */
export interface FoundRecord extends RecordFacts {
  readonly plainBytes: number
  readonly recordBytes: number
}

/**
 * The whole record at `at`: `more` where the bytes end before it does, `damaged` where there is none, or one that is
 * not as it was written.
 */
export function findRecord(bytes: Uint8Array, at: number): FoundRecord | 'more' | 'damaged' {
  const left = bytes.length - at
  if (left < RECORD_HEADER_BYTES) return 'more'
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, left)
  const plainBytes = view.getUint32(4)
  if (plainBytes > MAX_PLAIN_BYTES) return 'damaged'
  const recordBytes = RECORD_HEADER_BYTES + plainBytes + TAG_BYTES
  if (left < recordBytes) return 'more'
  if (view.getUint32(0) !== crc32(bytes.subarray(at + CRC_BYTES, at + recordBytes))) {
    return 'damaged'
  }
  return {
    plainBytes,
    recordBytes,
    index: view.getUint32(8),
    position: Number(view.getBigInt64(12)),
    isEnd: view.getUint8(20) === END,
  }
}

/** What a whole record holds; undefined where it is not from this file, not from this place, or not as it was. */
export function openRecord(
  key: Uint8Array,
  record: Uint8Array,
  place: { readonly index: number; readonly isEnd: boolean },
): Uint8Array | undefined {
  return openPiece(
    key,
    { index: place.index, isLast: place.isEnd },
    { sealed: record.subarray(RECORD_HEADER_BYTES), clear: clearOf(record) },
  )
}

function clearOf(record: Uint8Array): Uint8Array {
  return record.subarray(CRC_BYTES, RECORD_HEADER_BYTES)
}
