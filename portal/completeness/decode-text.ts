import { TextDecoder } from 'node:util'

/** A decoder of an encoding by its name, as `windows-1252`; undefined where none is known by it. */
export function decoderOf(encoding: string): TextDecoder | undefined {
  try {
    return new TextDecoder(encoding)
  } catch {
    return undefined
  }
}

/** The text that bytes are, piece by piece, wherever they are cut. */
export async function* decodeText(
  pieces: AsyncIterable<Uint8Array>,
  decoder: TextDecoder,
): AsyncGenerator<string> {
  for await (const piece of pieces) yield decoder.decode(piece, { stream: true })
  yield decoder.decode()
}
