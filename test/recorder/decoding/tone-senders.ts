import { execFileSync } from 'node:child_process'
import installedFfmpeg from '@ffmpeg-installer/ffmpeg'
import { splitAmrFile } from './amr-payloads.ts'
import { ENCODED_TONES } from './encoded-tones.ts'

/** Half a minute of codecs: payloads of one tone, and how their RTP counts. */
export interface TonePayloads {
  readonly payloads: readonly Uint8Array[]
  /** By how much the RTP timestamp grows from payload to payload. */
  readonly step: number
  /** Milliseconds of a payload. */
  readonly packetMs: number
}

/** Seconds of a sine at so many hertz, encoded by ffmpeg, raw. */
export function encodeTone(
  hertz: number,
  seconds: number,
  {
    rate,
    options,
    command = 'ffmpeg',
  }: { rate: number; options: readonly string[]; command?: string },
): Buffer {
  const source = `sine=frequency=${hertz}:sample_rate=${rate}:duration=${seconds},volume=2`
  return execFileSync(
    command,
    ['-loglevel', 'error', '-f', 'lavfi', '-i', source, '-ac', '1', ...options, '-'],
    { maxBuffer: 2 ** 26 },
  )
}

function cut(bytes: Uint8Array, length: number): Uint8Array[] {
  return Array.from({ length: Math.floor(bytes.length / length) }, (_, index) =>
    bytes.subarray(index * length, (index + 1) * length),
  )
}

/** A tone of 440 Hz, one to two seconds long, as payloads of each codec. */
export const TONES = {
  G722: () => ({
    payloads: cut(
      encodeTone(440, 2, { rate: 16_000, options: ['-c:a', 'g722', '-f', 'g722'] }),
      160,
    ),
    step: 160,
    packetMs: 20,
  }),
  L16: () => ({
    payloads: cut(encodeTone(440, 2, { rate: 16_000, options: ['-f', 's16be'] }), 640),
    step: 320,
    packetMs: 20,
  }),
  L16_44100: () => ({
    payloads: cut(encodeTone(440, 2, { rate: 44_100, options: ['-ac', '2', '-f', 's16be'] }), 3528),
    step: 882,
    packetMs: 20,
  }),
  'G726-32': () => ({
    payloads: cut(
      encodeTone(440, 2, {
        rate: 8000,
        options: ['-c:a', 'g726le', '-b:a', '32k', '-f', 'g726le'],
      }),
      80,
    ),
    step: 160,
    packetMs: 20,
  }),
  GSM: () => ({
    payloads: cut(encodeTone(440, 2, { rate: 8000, options: ['-c:a', 'libgsm', '-f', 'gsm'] }), 33),
    step: 160,
    packetMs: 20,
  }),
  G729: () => ({
    payloads: cut(Buffer.from(ENCODED_TONES.G729, 'base64'), 20),
    step: 160,
    packetMs: 20,
  }),
  ILBC_20: () => ({
    payloads: cut(Buffer.from(ENCODED_TONES.ILBC_20, 'base64'), 38),
    step: 160,
    packetMs: 20,
  }),
  ILBC_30: () => ({
    payloads: cut(Buffer.from(ENCODED_TONES.ILBC_30, 'base64'), 100),
    step: 480,
    packetMs: 60,
  }),
  AMR: () => amrTone('AMR', false),
  AMR_octets: () => amrTone('AMR', true),
  'AMR-WB': () => amrTone('AMR-WB', false),
  'AMR-WB_octets': () => amrTone('AMR-WB', true),
} satisfies Record<string, () => TonePayloads>

function amrTone(codec: 'AMR' | 'AMR-WB', isOctetAligned: boolean): TonePayloads {
  const isWide = codec === 'AMR-WB'
  const file = encodeTone(440, 2, {
    rate: isWide ? 16_000 : 8000,
    options: isWide
      ? ['-c:a', 'libvo_amrwbenc', '-b:a', '15.85k', '-f', 'amr']
      : ['-c:a', 'libopencore_amrnb', '-b:a', '7.95k', '-f', 'amr'],
    command: installedFfmpeg.path,
  })
  return {
    payloads: splitAmrFile(file, { codec, isOctetAligned }),
    step: isWide ? 320 : 160,
    packetMs: 20,
  }
}
