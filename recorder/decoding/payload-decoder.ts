import type { Density } from '../sample-density.ts'

/**
 * Turns payloads of one codec into linear samples, at once. Its state belongs to one stream, and payloads are given in
 * the order in which they came.
 */
export interface PayloadDecoder {
  readonly density: Density
  /** By how much encoder and decoder together delay sound, samples at 8 kHz. */
  readonly delay: number
  /** What was decoded last: 16-bit samples, least significant byte first. Overwritten by the next payload. */
  readonly bytes: Uint8Array
  /** Opus packets of 20 ms each that what was decoded last can be stored as; absent where it has to be encoded. */
  readonly opus?: readonly Uint8Array[] | undefined
  /**
   * Decodes a payload and tells how long it is, in samples at 8 kHz: 0 where it is comfort noise or nothing, negative
   * where it is none of the codec's. Never throws.
   */
  decode(datagram: Uint8Array, offset: number, length: number): number
}
