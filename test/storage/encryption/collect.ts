import type { OpenedAudio } from '../../../storage/encryption/opened-audio.ts'

/** Bytes `first` to `last` of the audio, all of them where not given. */
export async function collect(
  audio: OpenedAudio,
  first = 0,
  last = audio.bytes - 1,
): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of audio.read(first, last)) pieces.push(piece)
  return Buffer.concat(pieces)
}
