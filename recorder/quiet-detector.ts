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
  /** Energy of the slot after the one that comes next; undefined where it was not looked at. */
  #secondAhead: number | undefined

  /** `quietDb` is in dBFS, RMS of a slot. */
  constructor(quietDb: number) {
    this.#limit = energyOf(quietDb)
  }

  /** Whether a slot with this energy (sum of squares) is audible. */
  isLoud(energy: number): boolean {
    return energy > this.#limit
  }

  /** A slot passes that is silent whatever its legs hold. */
  pass(): void {
    this.#quietSlots++
    this.#secondAhead = undefined
  }

  /** Takes the slots' energies in order; `energyAhead(n)` is that of the nth slot after this one. */
  isSkippable(energy: number, energyAhead: (slots: number) => number): boolean {
    // What was second ahead a slot ago is first ahead now: each slot is looked at once.
    const known = this.#secondAhead
    this.#secondAhead = undefined
    if (this.isLoud(energy)) {
      this.#quietSlots = 0
      return false
    }
    this.#quietSlots++
    if (this.#quietSlots <= HANGOVER_SLOTS) return false
    const second = energyAhead(2)
    this.#secondAhead = second
    return !this.isLoud(second) && !this.isLoud(known ?? energyAhead(1))
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
