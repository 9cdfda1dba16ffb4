import { toneShare } from '../recorder/tones.ts'

/** A slot, and by how much the codec's packets begin before theirs. */
export const EDGE_MS = 27
/** -50 dBFS. */
export const SILENT = 104

interface Stretch {
  readonly fromMs: number
  readonly toMs: number
}

/** How loud a stretch of decoded audio at 48 kHz is at its loudest. */
export function peakOf(samples: Int16Array, { fromMs, toMs }: Stretch): number {
  const stretch = samples.subarray(fromMs * 48, toMs * 48)
  if (stretch.length === 0) throw new Error(`nothing was recorded from ${fromMs} to ${toMs} ms`)
  return stretch.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
}

/** How much of a stretch is a tone, by windows of 40 ms: a loaded machine sends in bursts. */
export function meanShare(
  samples: Int16Array,
  { fromMs, toMs, hertz }: Stretch & { readonly hertz: number },
): number {
  const shares: number[] = []
  for (let at = fromMs; at + 40 <= toMs; at += 40) {
    shares.push(toneShare(samples.subarray(at * 48, (at + 40) * 48), hertz, 48_000))
  }
  return shares.reduce((sum, share) => sum + share, 0) / shares.length
}
