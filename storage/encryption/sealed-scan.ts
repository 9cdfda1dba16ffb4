import { TallenneError } from '../../base/tallenne-error.ts'
import { headerEndOf, MAX_HEADER_BYTES } from './age-header.ts'
import type { ReadAt } from './read-at.ts'
import { type FoundRecord, findRecord, SALT_BYTES } from './sealed-record.ts'

const READ_BYTES = 256 * 1024
const FIRST_LINE = /^tallenne-sealed\/1 ([0-9a-f]{16})\n/
const FIRST_LINE_BYTES = 35

/** What stands before the records of a sealed recording. */
export interface SealedBeginning {
  /** The set of recipients that the header is for. */
  readonly keySet: string
  readonly header: Uint8Array
  readonly salt: Uint8Array
  /** Where the first record begins. */
  readonly recordsAt: number
}

/** A whole record with all its bytes. */
export interface ReadRecord extends FoundRecord {
  /** Where it begins in the file. */
  readonly at: number
  readonly bytes: Uint8Array
}

/** What stands before the records, as it is written. */
export function writeBeginning({
  keySet,
  header,
  salt,
}: Omit<SealedBeginning, 'recordsAt'>): Uint8Array {
  return Buffer.concat([Buffer.from(`tallenne-sealed/1 ${keySet}\n`, 'latin1'), header, salt])
}

/** Whether a file that begins so is a sealed recording, whole or not. */
export function isSealed(bytes: Uint8Array): boolean {
  return FIRST_LINE.test(firstLineOf(bytes))
}

/** Reads what stands before the records. Rejects with `file_damaged` where it is not whole. */
export async function readBeginning(readAt: ReadAt): Promise<SealedBeginning> {
  const bytes = await readAt(0, FIRST_LINE_BYTES + MAX_HEADER_BYTES + SALT_BYTES)
  const keySet = FIRST_LINE.exec(firstLineOf(bytes))?.[1]
  const headerBytes = headerEndOf(bytes.subarray(FIRST_LINE_BYTES))
  const saltAt = FIRST_LINE_BYTES + (headerBytes ?? 0)
  const recordsAt = saltAt + SALT_BYTES
  if (keySet === undefined || headerBytes === undefined || bytes.length < recordsAt) {
    throw new TallenneError(
      'file_damaged',
      'The file’s beginning, which holds its key, is damaged: it is not as it was written.',
    )
  }
  const header = bytes.subarray(FIRST_LINE_BYTES, saltAt)
  return { keySet, header, salt: bytes.subarray(saltAt, recordsAt), recordsAt }
}

/**
 * Reads the records without opening any, to the one that ends the file. What follows the first that is not whole or
 * not in order is not looked at: a file that was only appended to is damaged at its end.
 */
export async function* readRecords(
  readAt: ReadAt,
  { recordsAt }: SealedBeginning,
): AsyncGenerator<ReadRecord> {
  let rest: Uint8Array = new Uint8Array(0)
  let restAt = recordsAt
  let index = 0
  let position = 0
  for (;;) {
    const piece = await readAt(restAt + rest.length, READ_BYTES)
    if (piece.length === 0) return
    const bytes: Uint8Array = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    let used = 0
    for (;;) {
      const record = findRecord(bytes, used)
      if (record === 'more') break
      if (record === 'damaged' || record.index !== index || record.position < position) return
      const end = used + record.recordBytes
      yield { ...record, at: restAt + used, bytes: bytes.subarray(used, end) }
      if (record.isEnd) return
      index++
      position = record.position
      used = end
    }
    rest = bytes.subarray(used)
    restAt += used
  }
}

function firstLineOf(bytes: Uint8Array): string {
  const { buffer, byteOffset, length } = bytes
  return Buffer.from(buffer, byteOffset, Math.min(length, FIRST_LINE_BYTES)).toString('latin1')
}
