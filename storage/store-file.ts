import { TallenneError } from '../base/tallenne-error.ts'
import { isId } from '../base/uuid.ts'

const ENDING = '.opus'

/**
 * Where a recording stands in the store: `YYYY/MM/DD/ID.opus`, the UTC day being that of the id itself.
 * So a path holds nothing but what the id holds, and cannot lead out of the store.
 *
 * A UUIDv7 begins with 48 bits of epoch milliseconds (RFC 9562 §5.7). Throws `bad_id` for anything else.
 */
export function storeFileOf(recordingId: string): string {
  if (!isId(recordingId) || recordingId[14] !== '7') {
    throw new TallenneError('bad_id', `${JSON.stringify(recordingId)} is no recording id (UUIDv7).`)
  }
  const epochMs = Number.parseInt(recordingId.slice(0, 8) + recordingId.slice(9, 13), 16)
  const day = new Date(epochMs)
  // 48 bits reach the year 10889, which ISO writes with a sign and six digits.
  if (epochMs > 253_402_300_799_999) {
    throw new TallenneError('bad_id', `${recordingId} lies beyond the year 9999.`)
  }
  return `${day.toISOString().slice(0, 10).replaceAll('-', '/')}/${recordingId}${ENDING}`
}

/** The id that a file's name holds, or undefined where the file is no recording. */
export function recordingIdOf(fileName: string): string | undefined {
  if (!fileName.endsWith(ENDING)) return undefined
  const id = fileName.slice(0, -ENDING.length)
  return isId(id) && id[14] === '7' ? id : undefined
}
