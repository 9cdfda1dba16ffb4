import type { OpusEncoder } from '@discordjs/opus'
import prism from 'prism-media'
import { opusFrameCount, opusFrameSamples } from './opus-frames.ts'
import type { PayloadDecoder } from './payload-decoder.ts'

const RATE = 16_000
const DENSITY = 2
const SAMPLE_BYTES = 2
/** A packet without a frame, or with one of a byte: what a sender in discontinuous transmission says (RFC 6716 §2.1.9). */
const SILENT_BYTES = 2
/** 120 ms. */
const LONGEST = 960

/**
 * Opus (RFC 7587), decoded by libopus to one channel at 16 kHz: all that its frames of 40 and 60 ms hold, which are the
 * ones that cannot be stored as they are.
 *
 * Its state (some 20 KB) lies outside the JavaScript heap and goes with the object.
 */
export class OpusPayloadDecoder implements PayloadDecoder {
  readonly density = DENSITY
  bytes: Uint8Array = new Uint8Array(0)
  readonly #decoder: OpusEncoder = new prism.opus.Encoder({
    rate: RATE,
    channels: 1,
    frameSize: RATE / 50,
  }).encoder

  decode(datagram: Uint8Array, offset: number, length: number): number {
    if (length <= SILENT_BYTES) return 0
    const packet = Buffer.from(datagram.buffer, datagram.byteOffset + offset, length)
    const units = opusFrameCount(packet) * opusFrameSamples(packet[0] ?? 0)
    if (units === 0 || units > LONGEST) return -1
    try {
      this.bytes = this.#decoder.decode(packet)
    } catch {
      return -1
    }
    return this.bytes.length === units * DENSITY * SAMPLE_BYTES ? units : -1
  }
}
