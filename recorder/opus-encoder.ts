import type { OpusEncoder } from '@discordjs/opus'
import prism from 'prism-media'
import { SAMPLE_RATE, SLOT_SAMPLES } from './sample-clock.ts'
import type { Density } from './sample-density.ts'

/** Requests of `opus_encoder_ctl` (opus_defines.h). */
const SET_APPLICATION = 4000
const SET_BITRATE = 4002
const SET_VBR = 4006
const SET_COMPLEXITY = 4010
const RESET_STATE = 4028
const SET_PREDICTION_DISABLED = 4042
const APPLICATION_VOIP = 2048

export interface VoiceEncoderOptions {
  readonly complexity: number
  /** Bits per second, a target: the rate is variable. */
  readonly bitrateBps: number
}

/** Encodes one channel's slots. */
export interface VoiceEncoder {
  /** Takes 20 ms of 16-bit samples in native order and returns an Opus packet of one frame. */
  encode(slot: Buffer): Uint8Array
  applyEncoderCTL(request: number, value: number): void
}

/** Has an encoder try harder, or less hard, from its next slot on. */
export function setComplexity(encoder: VoiceEncoder, complexity: number): void {
  encoder.applyEncoderCTL(SET_COMPLEXITY, complexity)
}

/** Has an encoder forget all that it heard. Its settings stay. */
export function forgetVoice(encoder: VoiceEncoder): void {
  encoder.applyEncoderCTL(RESET_STATE, 0)
}

/**
 * A libopus encoder for one channel at so many times 8 kHz, set for speech, whose packets stand for themselves
 * (docs/decisions/005-packets-for-themselves.md).
 *
 * It is the encoder beneath prism-media's `opus.Encoder`, called directly: fed a frame at a time, the stream around
 * it costs about a fifth of the encoding (`npm run bench` prints how much), and its `setBitrate` stops at 16 kbit/s.
 *
 * Its state (some 60 KB with its buffers) lies outside the JavaScript heap and goes with the object.
 */
export function createVoiceEncoder(
  options: VoiceEncoderOptions,
  density: Density = 1,
): VoiceEncoder {
  const stream = new prism.opus.Encoder({
    rate: SAMPLE_RATE * density,
    channels: 1,
    frameSize: SLOT_SAMPLES * density,
  })
  const encoder: OpusEncoder = stream.encoder
  // libopus refuses another application after the first frame.
  encoder.applyEncoderCTL(SET_APPLICATION, APPLICATION_VOIP)
  encoder.applyEncoderCTL(SET_VBR, 1)
  encoder.applyEncoderCTL(SET_BITRATE, options.bitrateBps)
  setComplexity(encoder, options.complexity)
  encoder.applyEncoderCTL(SET_PREDICTION_DISABLED, 1)
  return encoder
}

/** So many frames of zeros and an encoder has nothing left of its start. */
const SETTLING_FRAMES = 25

/**
 * A packet that says silence, to be written any number of times in a row: what an encoder makes of a line without a
 * sound. Its frames stand for themselves, so that every decoder falls silent at once.
 *
 * A packet without a frame (RFC 7845 §4.1) would be five bytes shorter, but asks the decoder to guess: libopus fades
 * out, while ffmpeg's own decoder makes noise up to full scale of it.
 */
export function encodeSilence(options: VoiceEncoderOptions): Uint8Array {
  const encoder = createVoiceEncoder({ ...options, complexity: 0 })
  const zeros = Buffer.alloc(SLOT_SAMPLES * 2)
  let packet = encoder.encode(zeros)
  for (let frame = 1; frame < SETTLING_FRAMES; frame++) packet = encoder.encode(zeros)
  return Uint8Array.from(packet)
}
