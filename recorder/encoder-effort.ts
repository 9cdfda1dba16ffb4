import type { VoiceEncoderOptions } from './opus-encoder.ts'

/** How busy an engine was in the last second. */
export interface EngineEffort {
  /** The part of the time in which its thread was busy, 0 to 1. */
  readonly load: number
  /** How late its timer was at worst, milliseconds. */
  readonly lagMs: number
}

/** Above these the engine is falling behind; after two seconds so, it encodes with less effort. */
const BUSY = { load: 0.8, lagMs: 200 } as const
const SECONDS_OF_BUSY = 2
/** Above these it does so at once, and goes two steps. */
const PRESSED = { load: 0.93, lagMs: 500 } as const
/** Below these it has time; after ten seconds so, it encodes with more effort again. */
const CALM = { load: 0.6, lagMs: 50 } as const
const SECONDS_OF_CALM = 10
/** What encoding costs at each complexity, over what it costs without any (docs/capacity.md). */
const COST_OF_COMPLEXITY = 0.26
/** What all the rest costs, in the same measure. */
const COST_OF_THE_REST = 0.5

/**
 * How hard an engine's encoders try: as hard as configured while there is time for it, less while the engine falls
 * behind, step by step. What sounds slightly worse is kept; what is read too late is lost.
 */
export class EncoderEffort {
  /** What encoders are set to; they look at it before each slot. */
  readonly opus: { complexity: number; readonly bitrateBps: number }
  readonly #most: number
  readonly #least: number
  #busySeconds = 0
  #calmSeconds = 0

  constructor(opus: VoiceEncoderOptions, leastComplexity: number) {
    this.opus = { ...opus }
    this.#most = opus.complexity
    this.#least = Math.min(leastComplexity, opus.complexity)
  }

  get complexity(): number {
    return this.opus.complexity
  }

  /** What a load would come to if all that can be saved were saved. */
  loadWhenExhausted(load: number): number {
    return (load * costOf(this.#least)) / costOf(this.opus.complexity)
  }

  /** Takes the figures of the last second, and chooses. */
  judge({ load, lagMs }: EngineEffort): void {
    const isPressed = load > PRESSED.load || lagMs > PRESSED.lagMs
    const isBusy = isPressed || load > BUSY.load || lagMs > BUSY.lagMs
    const isCalm = load < CALM.load && lagMs < CALM.lagMs
    this.#busySeconds = isBusy ? this.#busySeconds + 1 : 0
    this.#calmSeconds = isCalm ? this.#calmSeconds + 1 : 0
    if (isPressed) this.#set(this.opus.complexity - 2)
    else if (this.#busySeconds >= SECONDS_OF_BUSY) this.#set(this.opus.complexity - 1)
    else if (this.#calmSeconds >= SECONDS_OF_CALM) this.#set(this.opus.complexity + 1)
  }

  #set(complexity: number): void {
    this.#busySeconds = 0
    this.#calmSeconds = 0
    this.opus.complexity = Math.max(this.#least, Math.min(this.#most, complexity))
  }
}

function costOf(complexity: number): number {
  return COST_OF_THE_REST + 1 + COST_OF_COMPLEXITY * complexity
}
