/** Samples of a leg for each one at 8 kHz: 8, 16 or 48 kHz. Each divides the next. */
export type Density = 1 | 2 | 6

/**
 * What a value half-way between two samples gets of the four on either side of it, in 2048ths: Lagrange's polynomial
 * through eight points. Speech keeps its spectrum, and little of it is mirrored above 4 kHz.
 */
const HALF_WAY = [1225, -245, 49, -5] as const

/**
 * Writes samples at `factor` times their rate, so that nothing is moved in time: each stands where it was, and those
 * between are interpolated. `to` has room for `from.length * factor` samples.
 */
export function raiseDensity(from: Int16Array, factor: number, to: Int16Array): void {
  for (let index = 0; index < from.length; index++) to[index * factor] = from[index] ?? 0
  if (factor === 2) fillHalfWay(from, to)
  else if (factor > 2) fillLinearly(from, factor, to)
}

/** Takes every so-many-th sample: for what was raised before, and has nothing between that is its own. */
export function lowerDensity(from: Int16Array, factor: number, to: Int16Array): void {
  for (let index = 0; index < to.length; index++) to[index] = from[index * factor] ?? 0
}

function fillHalfWay(from: Int16Array, to: Int16Array): void {
  const last = from.length - 1
  for (let index = 0; index <= last; index++) {
    let sum = 0
    for (let tap = 0; tap < HALF_WAY.length; tap++) {
      const before = from[Math.max(0, index - tap)] ?? 0
      const after = from[Math.min(last, index + 1 + tap)] ?? 0
      sum += (HALF_WAY[tap] ?? 0) * (before + after)
    }
    to[index * 2 + 1] = Math.max(-32_767, Math.min(32_767, (sum + 1024) >> 11))
  }
}

function fillLinearly(from: Int16Array, factor: number, to: Int16Array): void {
  const last = from.length - 1
  for (let index = 0; index <= last; index++) {
    const value = from[index] ?? 0
    const rise = ((from[Math.min(last, index + 1)] ?? 0) - value) / factor
    for (let step = 1; step < factor; step++) {
      to[index * factor + step] = Math.round(value + rise * step)
    }
  }
}
