import type { FileHandle } from 'node:fs/promises'
import { TallenneError } from '../../base/tallenne-error.ts'

/** Reads so many bytes of a file from a position on, or as many as there are, into memory of their own. */
export type ReadAt = (position: number, bytes: number) => Promise<Uint8Array>

export function readerOf(file: FileHandle): ReadAt {
  return async (position, bytes) => {
    const buffer = Buffer.allocUnsafe(bytes)
    let done = 0
    while (done < bytes) {
      const { bytesRead } = await file.read(buffer, done, bytes - done, position + done)
      if (bytesRead === 0) break
      done += bytesRead
    }
    return buffer.subarray(0, done)
  }
}

/** Rejects with `file_short` where there is less. */
export async function readWhole(
  readAt: ReadAt,
  position: number,
  bytes: number,
): Promise<Uint8Array> {
  const read = await readAt(position, bytes)
  if (read.length === bytes) return read
  throw new TallenneError(
    'file_short',
    `The file ended at byte ${position + read.length} of ${position + bytes}.`,
  )
}
