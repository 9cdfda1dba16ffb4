import opus from '@discordjs/opus'
import { SAMPLE_RATE } from './sample-clock.ts'

/** Requests of `opus_encoder_ctl` (opus_defines.h). */
const SET_APPLICATION = 4000
const SET_BITRATE = 4002
const SET_VBR = 4006
const SET_COMPLEXITY = 4010
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
}

/**
 * A libopus encoder for one channel at 8 kHz, set for speech.
 *
 * It is the encoder beneath prism-media's `opus.Encoder`, called directly: fed a frame at a time, the stream around
 * it costs a fifth of the encoding, and its `setBitrate` does not go below 16 kbit/s.
 *
 * Its state (some 30 KB) lies outside the JavaScript heap and goes with the object.
 */
export function createVoiceEncoder(options: VoiceEncoderOptions): VoiceEncoder {
  const encoder = new opus.OpusEncoder(SAMPLE_RATE, 1)
  // libopus refuses another application after the first frame.
  encoder.applyEncoderCTL(SET_APPLICATION, APPLICATION_VOIP)
  encoder.applyEncoderCTL(SET_VBR, 1)
  encoder.applyEncoderCTL(SET_BITRATE, options.bitrateBps)
  encoder.applyEncoderCTL(SET_COMPLEXITY, options.complexity)
  return encoder
}
