/** What `toneEnergy` needs to know of a tone, at samples of such a rate a second. */
export function toneCoefficient(hertz: number, rate: number): number {
  return 2 * Math.cos((2 * Math.PI * hertz) / rate)
}

/** Energy (sum of squares) that a tone has in a window of samples, by Goertzel's algorithm. */
export function toneEnergy(window: Int16Array | Float64Array, coefficient: number): number {
  let previous = 0
  let before = 0
  for (let index = 0; index < window.length; index++) {
    const now = (window[index] ?? 0) + coefficient * previous - before
    before = previous
    previous = now
  }
  const power = previous ** 2 + before ** 2 - coefficient * previous * before
  return (2 * power) / window.length
}
