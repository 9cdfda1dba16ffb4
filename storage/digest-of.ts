import { createHash } from 'node:crypto'

/** How many bytes there are, and their SHA-256 in lower-case hexadecimal. */
export interface Digest {
  readonly bytes: number
  readonly sha256: string
}

/** Reads all that comes, a file or the audio in one, to its end. Rejects as the source does. */
export async function digestOf(pieces: AsyncIterable<Uint8Array>): Promise<Digest> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const piece of pieces) {
    hash.update(piece)
    bytes += piece.length
  }
  return { bytes, sha256: hash.digest('hex') }
}
