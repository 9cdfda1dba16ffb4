import type { FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { type ByteRange, lengthOf } from './byte-ranges.ts'

/** A stretch of a response's body: bytes as they are, or a range of the file. */
export type BodyPiece =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'range'; readonly range: ByteRange }

const CHUNK_BYTES = 65_536

/**
 * Streams pieces of a file, reading no further than the reader takes. Owns the handle from now on and
 * closes it when the stream ends, fails or is destroyed. A file shorter than its ranges is an error of the
 * stream, so that the response is cut off instead of ending as if it were whole.
 */
export function streamPieces(handle: FileHandle, pieces: readonly BodyPiece[]): Readable {
  const stream = Readable.from(readPieces(handle, pieces), { objectMode: false })
  // Not in the generator's `finally`: one that has not begun is dropped without running it.
  stream.once('close', () => void handle.close().catch(() => {}))
  return stream
}

export function bodyLengthOf(pieces: readonly BodyPiece[]): number {
  return pieces.reduce(
    (sum, piece) => sum + (piece.kind === 'bytes' ? piece.bytes.length : lengthOf(piece.range)),
    0,
  )
}

async function* readPieces(handle: FileHandle, pieces: readonly BodyPiece[]) {
  for (const piece of pieces) {
    if (piece.kind === 'bytes') {
      yield piece.bytes
      continue
    }
    const { first, last } = piece.range
    for (let position = first; position <= last; ) {
      const length = Math.min(CHUNK_BYTES, last + 1 - position)
      const { bytesRead, buffer } = await handle.read(
        Buffer.allocUnsafe(length),
        0,
        length,
        position,
      )
      if (bytesRead === 0) throw new Error(`the file ended at byte ${position} of ${last + 1}`)
      yield buffer.subarray(0, bytesRead)
      position += bytesRead
    }
  }
}
