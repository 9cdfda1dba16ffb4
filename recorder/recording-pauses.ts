import type { SlotMuting, TakenLeg } from './channel.ts'
import type { PauseCode } from './pause-codes.ts'
import { type PauseSwitch, Pauses } from './pauses.ts'
import type { PauseCause, RecordingPause } from './recording-plan.ts'
import type { RecordingSpan } from './recording-span.ts'
import { SAMPLES_PER_MS, SLOT_SAMPLES } from './sample-clock.ts'

/** The pauses of one recording as they are ordered by moments, told, and muted slot by slot. */
export class RecordingPauses {
  readonly #span: RecordingSpan
  readonly #onChanged: () => void
  readonly #pauses = new Pauses()

  constructor(options: {
    readonly span: RecordingSpan
    /** By what it is paused from its beginning. */
    readonly pausedBy: readonly PauseCause[]
    /** One began or ended. */
    readonly onChanged: () => void
  }) {
    this.#span = options.span
    this.#onChanged = options.onChanged
    for (const cause of options.pausedBy) this.#pauses.begin(Number.NEGATIVE_INFINITY, cause)
  }

  /** What holds the recording paused now. */
  get causes(): readonly PauseCause[] {
    return this.#pauses.causes
  }

  /** Those so far; none before the answer, when nobody knows where the recording begins. */
  get told(): readonly RecordingPause[] {
    const { start, end } = this.#span
    return start === undefined ? [] : this.#pauses.told(start, end)
  }

  /** All pauses of a recording whose audio ends there. */
  toldUntil(audioEnd: number): readonly RecordingPause[] {
    return this.#pauses.told(this.#span.start ?? audioEnd, audioEnd)
  }

  /** The recording has a beginning now: what held it paused before is told. */
  answered(): void {
    if (this.causes.length > 0) this.#onChanged()
  }

  /**
   * From a moment on (epoch milliseconds) there is silence: what has arrived by then is kept, and what comes later is
   * not. Where that was written already, from the next slot on. A pause within a pause of the same switch is none.
   */
  begin(atMs: number, cause: PauseCause): void {
    this.#beginAt(this.#span.positionOf(atMs), cause)
  }

  /** Ends a pause at a moment; nothing where there is none. */
  end(atMs: number, held: PauseSwitch): void {
    this.#endAt(this.#span.positionOf(atMs), held)
  }

  /** A party typed a code, whose last key arrived then, monotonic milliseconds. */
  obey(code: PauseCode, arrivedAtMs: number): void {
    const position = Math.round(arrivedAtMs * SAMPLES_PER_MS)
    if (code === 'pause') this.#beginAt(position, { by: 'dtmf', reason: null })
    else this.#endAt(position, 'control')
  }

  /** Silences the slot that was taken from the legs, as far as it is paused, and tells how it is to be written. */
  mute(legs: readonly TakenLeg[], position: number): SlotMuting {
    const pauses = this.#pauses
    const muted = pauses.over(position)
    if (muted !== 'none') {
      for (const taken of legs) taken.energy = pauses.mute(taken.leg.slot, position)
    }
    if (muted === 'whole') return muted
    return pauses.isNear(position) ? 'near' : 'none'
  }

  /** What of a stretch lies in no pause. */
  outside(from: number, to: number): ReturnType<Pauses['outside']> {
    return this.#pauses.outside(from, to)
  }

  #beginAt(arrival: number, cause: PauseCause): void {
    if (this.#pauses.begin(this.#turnAt(arrival), cause)) this.#onChanged()
  }

  #endAt(arrival: number, held: PauseSwitch): void {
    if (this.#pauses.end(this.#turnAt(arrival), held)) this.#onChanged()
  }

  /** Audio stands a slot after its arrival (`leg-anchor.ts`). */
  #turnAt(arrival: number): number {
    return Math.max(arrival + SLOT_SAMPLES, this.#span.next)
  }
}
