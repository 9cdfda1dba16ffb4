import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { endOggPage } from './ogg-page.ts'
import { OggScan } from './ogg-scan.ts'

/** A recording's file as it is after repair. */
export interface RepairedFile {
  /** Length of its audio, milliseconds. */
  readonly durationMs: number
  readonly bytes: number
  /** SHA-256 of those bytes, in lower-case hexadecimal. */
  readonly sha256: string
  /** False where nothing had to be changed. */
  readonly isChanged: boolean
}

const READ_BYTES = 256 * 1024

/**
 * Makes a file whole that its writer left behind: cuts it after the last whole page and marks that page as the end
 * of the stream. Undefined where it holds no page of audio; the file is then left as it is.
 *
 * Reads the file once, in pieces. May be interrupted and called again: a repaired file stays as it is. Rejects with
 * the file system's error.
 */
export async function repairOggOpus(path: string): Promise<RepairedFile | undefined> {
  const file = await open(path, 'r+')
  try {
    const hash = createHash('sha256')
    const scan = new OggScan((bytes) => hash.update(bytes))
    const piece = new Uint8Array(READ_BYTES)
    for (let position = 0; !scan.isOver; ) {
      const { bytesRead } = await file.read(piece, 0, READ_BYTES, position)
      if (bytesRead === 0) break
      scan.push(piece.subarray(0, bytesRead))
      position += bytesRead
    }
    const { last } = scan
    if (last === undefined) return undefined
    const { size } = await file.stat()
    const bytes = last.offset + last.page.length
    if (!last.isEnd) {
      endOggPage(last.page)
      await file.write(last.page, 0, last.page.length, last.offset)
    }
    if (size > bytes) await file.truncate(bytes)
    if (!last.isEnd || size > bytes) await file.sync()
    return {
      durationMs: scan.durationMs,
      bytes,
      sha256: hash.update(last.page).digest('hex'),
      isChanged: !last.isEnd || size > bytes,
    }
  } finally {
    await file.close()
  }
}
