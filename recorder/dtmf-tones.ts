import { toneCoefficient, toneEnergy } from './goertzel.ts'
import { SAMPLE_RATE, SLOT_SAMPLES } from './sample-clock.ts'

/** Hertz of the rows and columns of a keypad (ITU-T Q.23). */
const ROWS = [697, 770, 852, 941] as const
const COLUMNS = [1209, 1336, 1477, 1633] as const
/** What the two tones of a key have of a window's energy together, and the weaker one at least. */
const BOTH_SHARE = 0.8
const WEAKER_SHARE = 0.06
/** A window below -45 dBFS holds no key that a receiver would hear. */
const LEAST_ENERGY = 32_768 ** 2 * SLOT_SAMPLES * 10 ** (-45 / 10)

const ROW_COEFFICIENTS = ROWS.map(coefficientOf)
const COLUMN_COEFFICIENTS = COLUMNS.map(coefficientOf)

/**
 * Whether a window of 20 ms at 8 kHz sounds like a key of a telephone: one tone of a row and one of a column, and
 * little else. Which key it is stays open, since nobody is to know.
 */
export function soundsLikeKey(window: Int16Array): boolean {
  let energy = 0
  for (const sample of window) energy += sample * sample
  if (energy < LEAST_ENERGY) return false
  const row = loudest(window, ROW_COEFFICIENTS) / energy
  const column = loudest(window, COLUMN_COEFFICIENTS) / energy
  return row + column >= BOTH_SHARE && Math.min(row, column) >= WEAKER_SHARE
}

function coefficientOf(hertz: number): number {
  return toneCoefficient(hertz, SAMPLE_RATE)
}

/** Energy of the loudest of some tones. */
function loudest(window: Int16Array, coefficients: readonly number[]): number {
  let most = 0
  for (const coefficient of coefficients) {
    most = Math.max(most, toneEnergy(window, coefficient))
  }
  return most
}
