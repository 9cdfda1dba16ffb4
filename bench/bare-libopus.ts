import opus from '@discordjs/opus'
import prism from 'prism-media'
import { cpuMsOf, median } from './machine-noise.ts'

const SET_APPLICATION = 4000
const VOIP = 2048
const SET_BITRATE = 4002
const SET_COMPLEXITY = 4010
const SET_PREDICTION_DISABLED = 4046

export interface OpusSettings {
  readonly complexity: number
  readonly bitrateBps: number
}

/**
 * CPU milliseconds that libopus alone needs for one second of a two-party call at 8 kHz: each channel's
 * frames of 20 ms straight into an encoder, nothing else. The median of `rounds`.
 */
export function measureBareLibopus(
  channels: readonly Int16Array[],
  settings: OpusSettings,
  { rounds = 3 } = {},
): number {
  const seconds = Math.min(...channels.map((channel) => channel.length)) / 8000
  const costs: number[] = []
  for (let round = 0; round < rounds; round++) {
    const costMs = cpuMsOf(() => {
      for (const channel of channels) encodeAll(channel, settings)
    })
    costs.push(costMs / seconds)
  }
  return median(costs)
}

function encodeAll(samples: Int16Array, settings: OpusSettings): void {
  const encoder = new opus.OpusEncoder(8000, 1)
  encoder.applyEncoderCTL(SET_APPLICATION, VOIP)
  encoder.applyEncoderCTL(SET_BITRATE, settings.bitrateBps)
  encoder.applyEncoderCTL(SET_COMPLEXITY, settings.complexity)
  encoder.applyEncoderCTL(SET_PREDICTION_DISABLED, 1)
  const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
  for (let at = 0; at + 320 <= bytes.length; at += 320) encoder.encode(bytes.subarray(at, at + 320))
}

/**
 * What prism-media's encoder stream costs when it is fed a frame at a time, as a ratio to the encoder beneath it
 * called directly, on the same samples with the same settings.
 */
export async function measurePrismStream(
  samples: Int16Array,
  settings: OpusSettings,
): Promise<number> {
  const directMs = cpuMsOf(() => encodeAll(samples, settings))
  const stream = new prism.opus.Encoder({ rate: 8000, channels: 1, frameSize: 160 })
  stream.encoder.applyEncoderCTL(SET_APPLICATION, VOIP)
  stream.encoder.applyEncoderCTL(SET_BITRATE, settings.bitrateBps)
  stream.encoder.applyEncoderCTL(SET_COMPLEXITY, settings.complexity)
  stream.encoder.applyEncoderCTL(SET_PREDICTION_DISABLED, 1)
  stream.resume()
  const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
  const before = process.cpuUsage()
  for (let at = 0; at + 320 <= bytes.length; at += 320) {
    const frame = bytes.subarray(at, at + 320)
    if (!stream.write(frame)) await new Promise((resolve) => stream.once('drain', resolve))
  }
  await new Promise<void>((resolve) => stream.end(resolve))
  const used = process.cpuUsage(before)
  return (used.user + used.system) / 1000 / directMs
}
