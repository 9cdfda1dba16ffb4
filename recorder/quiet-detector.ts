import { SLOT_SAMPLES } from './sample-clock.ts'

const HANGOVER_SLOTS = 10
/** Full scale, squared, for a slot. */
const FULL_SCALE = 32_768 ** 2 * SLOT_SAMPLES

/**
 * Tells which slots need not be encoded: those of a leg that has been below a level for 200 ms and stays so for the
 * next two slots. It looks ahead because audio is held back anyway, so the beginning of a word is never cut.
 */
export class QuietDetector {
  readonly #limit: number
  #quietSlots = HANGOVER_SLOTS

  /** `quietDb` is in dBFS, RMS of a slot. */
  constructor(quietDb: number) {
    this.#limit = energyOf(quietDb)
  }

  /** Whether a slot with this energy (sum of squares) is audible. */
  isLoud(energy: number): boolean {
    return energy > this.#limit
  }

  /** Takes the slots' energies in order; `energyAhead(n)` is that of the nth slot after this one. */
  isSkippable(energy: number, energyAhead: (slots: number) => number): boolean {
    if (this.isLoud(energy)) {
      this.#quietSlots = 0
      return false
    }
    this.#quietSlots++
    if (this.#quietSlots <= HANGOVER_SLOTS) return false
    return !this.isLoud(energyAhead(1)) && !this.isLoud(energyAhead(2))
  }
}

/** Energy of a slot at a level in dBFS. */
function energyOf(db: number): number {
  return FULL_SCALE * 10 ** (db / 10)
}

/** Level in dBFS of so many slots with this energy together, at least -100. */
export function levelDb(energy: number, slots: number): number {
  if (energy <= 0) return -100
  return Math.max(-100, 10 * Math.log10(energy / (FULL_SCALE * slots)))
}
