import type { OpusEncoder } from '@discordjs/opus'
import prism from 'prism-media'
import { SLOT_SAMPLES } from '../sample-clock.ts'
import { opusFrameCount, opusFrameSamples, splitOpusPacket } from './opus-frames.ts'
import type { PayloadDecoder } from './payload-decoder.ts'

const RATE = 16_000
const DENSITY = 2
const SAMPLE_BYTES = 2
/** A packet without a frame, or with one of a byte: what a sender in discontinuous transmission says (RFC 6716 §2.1.9). */
const SILENT_BYTES = 2
/** 120 ms. */
const LONGEST = 960

/**
 * Opus (RFC 7587), decoded by libopus to one channel at 16 kHz. Packets with frames of 20 ms can be stored as they are,
 * and are decoded for their level and for what stands beside them; 16 kHz is all that frames of 40 and 60 ms hold.
 *
 * Its state (some 20 KB) lies outside the JavaScript heap and goes with the object.
 */
export class OpusPayloadDecoder implements PayloadDecoder {
  readonly density = DENSITY
  /** 6.5 ms that libopus looks ahead, as senders do for speech and music alike. */
  readonly delay = 52
  bytes: Uint8Array = new Uint8Array(0)
  opus: readonly Uint8Array[] | undefined
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
    this.opus = storable(packet)
    return this.bytes.length === units * DENSITY * SAMPLE_BYTES ? units : -1
  }
}

/** Packets of one frame each where frames are as long as slots. They are copies: the datagram is its owner's. */
function storable(packet: Uint8Array): readonly Uint8Array[] | undefined {
  if (opusFrameSamples(packet[0] ?? 0) !== SLOT_SAMPLES) return undefined
  return splitOpusPacket(packet).map(({ toc, frame }) => Uint8Array.of(toc, ...frame))
}
