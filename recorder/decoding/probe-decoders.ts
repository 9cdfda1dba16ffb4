import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import { toneCoefficient, toneEnergy } from '../goertzel.ts'
import type { FilteredCodec } from '../recording-plan.ts'
import { SAMPLE_RATE } from '../sample-clock.ts'
import { FILTER_KINDS, type FilterKind } from './filter-kinds.ts'
import { FilterProcess } from './filter-process.ts'
import { KNOWN_SAMPLES, KNOWN_TONE_HZ } from './known-samples.ts'

/** Whether a codec is really decoded on this machine; `problem` says why not. */
export interface CodecFinding {
  readonly codec: FilteredCodec
  readonly problem: string | undefined
}

/** A loaded machine starts a process in tenths of a second. */
const LONGEST_MS = 10_000
/** The part of what comes out that the tone must be; a low-rate codec leaves about nine tenths. */
const LEAST_TONE = 0.5

/**
 * Has ffmpeg decode a short known sample of each codec, and listens to what comes out: a binary may name a decoder and
 * lack what it needs, or do it wrong. Never rejects.
 */
export function probeDecoders(
  codecs: readonly FilteredCodec[],
  clock: Clock,
): Promise<readonly CodecFinding[]> {
  return Promise.all(
    codecs.map(async (codec) => {
      const problems = await Promise.all(FILTER_KINDS[codec].map((kind) => probe(kind, clock)))
      return { codec, problem: problems.find((problem) => problem !== undefined) }
    }),
  )
}

async function probe(kind: FilterKind, clock: Clock): Promise<string | undefined> {
  const frames = Buffer.from(KNOWN_SAMPLES.get(kind.name) ?? '', 'base64')
  const parts: Uint8Array[] = []
  let reason = ''
  try {
    const process = new FilterProcess({
      kind,
      clock,
      onSamples: (bytes) => parts.push(bytes),
      onEnded: (why) => {
        reason = why
      },
    })
    process.write(frames)
    await process.close(LONGEST_MS)
  } catch (error) {
    return messageOf(error)
  }
  return judge(kind, Buffer.concat(parts), { frames, reason })
}

function judge(
  kind: FilterKind,
  bytes: Buffer,
  { frames, reason }: { readonly frames: Uint8Array; readonly reason: string },
): string | undefined {
  const samples = Float64Array.from({ length: Math.floor(bytes.length / 2) }, (_, index) =>
    bytes.readInt16LE(index * 2),
  )
  const wanted = (frames.length / kind.frameBytes) * kind.frameSamples * kind.density
  if (samples.length !== wanted) {
    return `ffmpeg gives ${samples.length} samples of ${wanted} for ${kind.name}: ${reason}`
  }
  // The decoder needs a moment to settle.
  const share = toneShare(samples.subarray(wanted / 2), SAMPLE_RATE * kind.density)
  if (share >= LEAST_TONE) return undefined
  return `ffmpeg decodes ${kind.name} to something else than was said`
}

/** How much of the sound is the known tone, 0 to 1. */
function toneShare(samples: Float64Array, rate: number): number {
  const energy = samples.reduce((sum, sample) => sum + sample * sample, 0)
  return energy === 0 ? 0 : toneEnergy(samples, toneCoefficient(KNOWN_TONE_HZ, rate)) / energy
}
