import { execFileSync } from 'node:child_process'
import installedFfmpeg from '@ffmpeg-installer/ffmpeg'
import prism from 'prism-media'
import type { PayloadFormat } from '../../../recorder/recording-plan.ts'
import { random } from '../placement-error.ts'
import { ulaw } from '../tones.ts'
import { splitAmrFile } from './amr-payloads.ts'

/** A second of noise in packets of one codec. */
export interface NoisePayloads {
  readonly format: PayloadFormat
  readonly payloads: readonly Uint8Array[]
  /** By how much the RTP timestamp grows from payload to payload. */
  readonly step: number
  readonly packetMs: number
}

const LINES = 40
/** Samples at 8 kHz within which a lag is looked for. */
const FARTHEST_LAG = 80
const LOWEST_HZ = 300
const HIGHEST_HZ = 3000

/** A second of noise between 300 and 3000 Hz, the same at any rate. */
export function noiseAt(rate: number): Int16Array {
  const next = random(3)
  const samples = new Float64Array(rate)
  for (let line = 0; line < LINES; line++) {
    const pace = (2 * Math.PI * (LOWEST_HZ + (HIGHEST_HZ - LOWEST_HZ) * next())) / rate
    const phase = 2 * Math.PI * next()
    for (let at = 0; at < rate; at++) samples[at] = (samples[at] ?? 0) + Math.sin(pace * at + phase)
  }
  return Int16Array.from(samples, (value) => 1000 * value)
}

const HEARD_NOISE = noiseAt(8000)

export const NOISE = {
  PCMU: (): NoisePayloads => ({
    format: { payloadType: 0, codec: 'PCMU', clockRate: 8000 },
    payloads: cut(Uint8Array.from(noiseAt(8000), ulaw), 160),
    step: 160,
    packetMs: 20,
  }),
  L16: (): NoisePayloads => ({
    format: { payloadType: 96, codec: 'L16', clockRate: 16_000, channels: 1 },
    payloads: cut(encode('ffmpeg', 16_000, ['-f', 's16be']), 640),
    step: 320,
    packetMs: 20,
  }),
  'G726-32': (): NoisePayloads => ({
    format: { payloadType: 97, codec: 'G726-32', clockRate: 8000 },
    payloads: cut(encode('ffmpeg', 8000, ['-c:a', 'g726le', '-b:a', '32k', '-f', 'g726le']), 80),
    step: 160,
    packetMs: 20,
  }),
  G722: (): NoisePayloads => ({
    format: { payloadType: 9, codec: 'G722', clockRate: 8000 },
    payloads: cut(encode('ffmpeg', 16_000, ['-c:a', 'g722', '-f', 'g722']), 160),
    step: 160,
    packetMs: 20,
  }),
  OPUS: (): NoisePayloads => opusNoise(20),
  OPUS_60: (): NoisePayloads => opusNoise(60),
  GSM: (): NoisePayloads => ({
    format: { payloadType: 3, codec: 'GSM', clockRate: 8000 },
    payloads: cut(encode('ffmpeg', 8000, ['-c:a', 'libgsm', '-f', 'gsm']), 33),
    step: 160,
    packetMs: 20,
  }),
  AMR: (): NoisePayloads => ({
    format: { payloadType: 98, codec: 'AMR', clockRate: 8000 },
    payloads: splitAmrFile(
      encode(installedFfmpeg.path, 8000, [
        '-c:a',
        'libopencore_amrnb',
        '-b:a',
        '12.2k',
        '-f',
        'amr',
      ]),
      { codec: 'AMR', isOctetAligned: false },
    ),
    step: 160,
    packetMs: 20,
  }),
  'AMR-WB': (): NoisePayloads => ({
    format: { payloadType: 99, codec: 'AMR-WB', clockRate: 16_000 },
    payloads: splitAmrFile(
      encode(installedFfmpeg.path, 16_000, [
        '-c:a',
        'libvo_amrwbenc',
        '-b:a',
        '23.85k',
        '-f',
        'amr',
      ]),
      { codec: 'AMR-WB', isOctetAligned: false },
    ),
    step: 320,
    packetMs: 20,
  }),
} as const

/**
 * By how many samples of 8 kHz `heard` stands after where it should, around position `at`; to a tenth of a sample.
 * `heard` begins with position 0.
 */
export function lagOf(heard: Int16Array, { at, length }: { at: number; length: number }): number {
  const likeness = (lag: number) => {
    let sum = 0
    for (let index = at; index < at + length; index++) {
      sum += (HEARD_NOISE[index] ?? 0) * (heard[index + lag] ?? 0)
    }
    return sum
  }
  let best = 0
  let peak = likeness(0)
  for (let lag = -FARTHEST_LAG; lag <= FARTHEST_LAG; lag++) {
    const found = likeness(lag)
    if (found > peak) [best, peak] = [lag, found]
  }
  const [before, after] = [likeness(best - 1), likeness(best + 1)]
  return best + (before - after) / (2 * (before - 2 * peak + after))
}

function opusNoise(packetMs: 20 | 60): NoisePayloads {
  const frameSize = packetMs * 48
  const { encoder } = new prism.opus.Encoder({ rate: 48_000, channels: 1, frameSize })
  encoder.applyEncoderCTL(4000, 2048)
  const samples = noiseAt(48_000)
  const bytes = new Uint8Array(samples.buffer)
  return {
    format: { payloadType: 107, codec: 'OPUS', clockRate: 48_000 },
    payloads: cut(bytes, 2 * frameSize).map((frame) => encoder.encode(Buffer.from(frame))),
    step: frameSize,
    packetMs,
  }
}

function encode(command: string, rate: number, options: readonly string[]): Buffer {
  const input = ['-f', 's16le', '-ar', String(rate), '-ac', '1', '-i', '-']
  return execFileSync(command, ['-loglevel', 'error', ...input, ...options, '-'], {
    input: new Uint8Array(noiseAt(rate).buffer),
    maxBuffer: 2 ** 24,
  })
}

function cut(bytes: Uint8Array, length: number): Uint8Array[] {
  return Array.from({ length: Math.floor(bytes.length / length) }, (_, index) =>
    bytes.subarray(index * length, (index + 1) * length),
  )
}
