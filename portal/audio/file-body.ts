import { Readable } from 'node:stream'
import type { OpenedAudio } from '../../storage/encryption/opened-audio.ts'
import { type ByteRange, lengthOf } from './byte-ranges.ts'

/** A stretch of a response's body: bytes as they are, or a range of the audio. */
export type BodyPiece =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'range'; readonly range: ByteRange }

/**
 * Streams pieces of a recording, reading no further than the reader takes. Owns the audio from now on and closes it
 * when the stream ends, fails or is destroyed.
 *
 * Resolves when the first of it has been read. Rejects, as `OpenedAudio.read` throws, where that cannot be: then the
 * request can still be told why. What goes wrong later is an error of the stream, so that the response is cut off
 * instead of ending as if it were whole.
 */
export async function streamPieces(
  audio: OpenedAudio,
  pieces: readonly BodyPiece[],
): Promise<Readable> {
  const reading = readPieces(audio, pieces)
  const close = () => void audio.close().catch(() => {})
  try {
    const first = await reading.next()
    const stream = Readable.from(continued(first, reading), { objectMode: false })
    // Not in a generator's `finally`: one that has not begun is dropped without running it.
    stream.once('close', close)
    return stream
  } catch (error) {
    close()
    throw error
  }
}

export function bodyLengthOf(pieces: readonly BodyPiece[]): number {
  return pieces.reduce(
    (sum, piece) => sum + (piece.kind === 'bytes' ? piece.bytes.length : lengthOf(piece.range)),
    0,
  )
}

async function* continued(
  first: IteratorResult<Uint8Array, void>,
  rest: AsyncGenerator<Uint8Array, void>,
) {
  if (first.done) return
  yield first.value
  yield* rest
}

async function* readPieces(audio: OpenedAudio, pieces: readonly BodyPiece[]) {
  for (const piece of pieces) {
    if (piece.kind === 'bytes') yield piece.bytes
    else yield* audio.read(piece.range.first, piece.range.last)
  }
}
