import { type Density, raiseDensity } from './sample-density.ts'

/** Marks a sample that nothing was written to. No source gives it. */
export const EMPTY = -32768

/** Where samples are read from. */
export interface SampleSource {
  readonly datagram: Uint8Array
  /** Where the first sample starts. */
  readonly offset: number
  /** How long it is, in samples at 8 kHz. */
  readonly length: number
  /** Linear value of each byte (G.711); undefined where samples are linear already, 16-bit little-endian. */
  readonly table: Int16Array | undefined
  /** Bytes from one linear sample to the next. */
  readonly stride: number
  /** Samples for each one at 8 kHz; 1 where there is a table. */
  readonly density: Density
}

/** A linear sample, counted at the source's density; the one value that marks an empty place is moved by one. */
export function linearSample({ datagram, offset, stride }: SampleSource, index: number): number {
  const at = offset + index * stride
  const value = (((datagram[at + 1] ?? 0) << 24) >> 16) | (datagram[at] ?? 0)
  return value === EMPTY ? EMPTY + 1 : value
}

/** One decoded sample, counted at the source's density. */
export function sampleAt(source: SampleSource, index: number): number {
  const { table } = source
  if (table === undefined) return linearSample(source, index)
  return table[source.datagram[source.offset + index] ?? 0] ?? 0
}

/** All samples of a source, interpolated to as many as are wanted. */
export function fitSamples(source: SampleSource, wanted: number): Int16Array {
  const count = source.length * source.density
  const samples = new Int16Array(count)
  for (let index = 0; index < count; index++) samples[index] = sampleAt(source, index)
  const fitted = new Int16Array(wanted)
  if (wanted % count === 0) {
    raiseDensity(samples, wanted / count, fitted)
    return fitted
  }
  const pace = (count - 1) / (wanted - 1)
  for (let index = 0; index < wanted; index++) fitted[index] = sampleBetween(samples, index * pace)
  return fitted
}

/** Samples on either side of a place that tell what is there. */
const REACH = 8

/**
 * The sample at a place between two, by a Lanczos kernel of sixteen samples: what lies halfway between samples of a
 * consonant, as of any sound above 2 kHz, is heard with half its level where two neighbours alone are asked.
 */
function sampleBetween(samples: Int16Array, at: number): number {
  const before = Math.floor(at)
  const fraction = at - before
  if (fraction === 0) return samples[before] ?? 0
  let sum = 0
  let weights = 0
  for (let step = 1 - REACH; step <= REACH; step++) {
    const angle = Math.PI * (fraction - step)
    const weight = (Math.sin(angle) * Math.sin(angle / REACH)) / (angle * angle)
    const index = Math.max(0, Math.min(samples.length - 1, before + step))
    sum += weight * (samples[index] ?? 0)
    weights += weight
  }
  return Math.max(-32_767, Math.min(32_767, Math.round(sum / weights)))
}
