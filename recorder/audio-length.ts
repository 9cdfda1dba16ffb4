import { readOggHeader } from './ogg-page.ts'
import { OPUS_PRE_SKIP_48K } from './opus-headers.ts'

/** How far the audio goes with a page of the recorder's, 48 kHz samples with pre-skip; 0 with a page of none. */
export function granulePositionOf(page: Uint8Array): number {
  const header = readOggHeader(page, 0)
  return typeof header === 'string' ? 0 : Math.max(0, header.granulePosition48k)
}

/** The length of audio that goes so far, milliseconds. */
export function durationMsAt(granulePosition48k: number): number {
  return Math.max(0, granulePosition48k - OPUS_PRE_SKIP_48K) / 48
}
