/** Linear to µ-law (ITU-T G.711). */
export function ulaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0
  const magnitude = Math.min(32_635, Math.abs(Math.round(sample))) + 0x84
  const exponent = 31 - Math.clz32(magnitude) - 7
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 15)) & 0xff
}

/** Linear to A-law (ITU-T G.711). */
export function alaw(sample: number): number {
  const rounded = Math.round(sample)
  const sign = rounded >= 0 ? 0x80 : 0
  const magnitude = Math.min(32_767, rounded < 0 ? -rounded - 1 : rounded)
  const exponent = Math.max(0, 31 - Math.clz32(Math.max(1, magnitude)) - 7)
  const mantissa = (magnitude >> (exponent === 0 ? 4 : exponent + 3)) & 15
  return (sign | (exponent << 4) | mantissa) ^ 0x55
}

/** Samples of a sine at 8 kHz, from sample `from` on. */
export function tone(hertz: number, from: number, count: number, amplitude = 8000): Int16Array {
  return Int16Array.from({ length: count }, (_, index) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * hertz * (from + index)) / 8000)),
  )
}

/** A tone as G.711 bytes. */
export function toneBytes(
  hertz: number,
  from: number,
  count: number,
  encode: (sample: number) => number = ulaw,
): Uint8Array {
  return Uint8Array.from(tone(hertz, from, count), encode)
}

/** How much of a window is one tone: 0 for none, 1 for nothing else (Goertzel). */
export function toneShare(samples: Int16Array, hertz: number, rate = 8000): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hertz) / rate)
  let previous = 0
  let before = 0
  let energy = 1e-9
  for (const sample of samples) {
    const now = sample + coefficient * previous - before
    before = previous
    previous = now
    energy += sample * sample
  }
  const power = previous ** 2 + before ** 2 - coefficient * previous * before
  return power / ((energy * samples.length) / 2)
}

/** Root mean square of a window, dBFS. */
export function rmsDb(samples: Int16Array): number {
  let energy = 0
  for (const sample of samples) energy += sample * sample
  return energy === 0 ? -100 : 10 * Math.log10(energy / samples.length / 32_768 ** 2)
}
