import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { readerOf } from './read-at.ts'
import { readBeginning, readRecords, writeBeginning } from './sealed-scan.ts'

/** A sealed recording that holds whole records alone. */
export interface RepairedSealed {
  readonly bytes: number
  readonly sha256: string
  readonly keySet: string
  readonly audioBytes: number
  /** How far the audio goes, in the writer's own unit. */
  readonly position: number
}

/**
 * Cuts a sealed recording that its writer left behind after its last whole record. Needs no key, and may be called
 * again. Rejects with `file_damaged` where not even the beginning is whole, and with the file system's error.
 */
export async function repairSealed(path: string): Promise<RepairedSealed> {
  const file = await open(path, 'r+')
  try {
    const readAt = readerOf(file)
    const beginning = await readBeginning(readAt)
    const hash = createHash('sha256').update(writeBeginning(beginning))
    let bytes = beginning.recordsAt
    let audioBytes = 0
    let position = 0
    for await (const record of readRecords(readAt, beginning)) {
      hash.update(record.bytes)
      bytes += record.recordBytes
      audioBytes += record.plainBytes
      position = record.position
    }
    const { size } = await file.stat()
    if (size > bytes) {
      await file.truncate(bytes)
      await file.sync()
    }
    const { keySet } = beginning
    return { bytes, sha256: hash.digest('hex'), keySet, audioBytes, position }
  } finally {
    await file.close()
  }
}
