import type { PauseCause, RecordingPause } from './recording-plan.ts'
import { SAMPLES_PER_MS, SLOT_SAMPLES } from './sample-clock.ts'

/**
 * What holds a recording paused: `control` is what the platform and the parties' keys switch, `offer` the recording
 * client's own re-offer. Either is enough, and neither ends what the other began.
 */
export type PauseSwitch = 'control' | 'offer'

interface Span {
  readonly from: number
  /** Undefined while it lasts. */
  to: number | undefined
  readonly cause: PauseCause
}

interface Stretch {
  readonly from: number
  readonly to: number
}

/** How much of a slot lies in a pause. */
export type Muted = 'none' | 'part' | 'whole'

/** A recording that was paused more often tells of its last pauses as of one. */
const MOST_TOLD = 200

export function switchOf({ by }: Pick<PauseCause, 'by'>): PauseSwitch {
  return by === 'offer' ? 'offer' : 'control'
}

/**
 * The pauses of one recording, by positions on the timeline: exact to the sample, whatever slots they cut.
 *
 * Slots are muted in their order: what lies before the slot that was asked for last is only told.
 */
export class Pauses {
  readonly #spans: Span[] = []
  readonly #open = new Map<PauseSwitch, Span>()
  /** Those that slots to come may lie in. */
  #ahead: readonly Span[] = []

  /** What holds the recording paused now. */
  get causes(): readonly PauseCause[] {
    return [...this.#open.values()].map(({ cause }) => cause)
  }

  /** False where the switch is on already: the first cause stays. */
  begin(position: number, cause: PauseCause): boolean {
    const held = switchOf(cause)
    if (this.#open.has(held)) return false
    const span = { from: position, to: undefined, cause }
    this.#spans.push(span)
    this.#open.set(held, span)
    this.#ahead = [...this.#ahead, span]
    return true
  }

  /** False where the switch is off. */
  end(position: number, held: PauseSwitch): boolean {
    const span = this.#open.get(held)
    if (span === undefined) return false
    this.#open.delete(held)
    span.to = Math.max(span.from, position)
    return true
  }

  /** How much of the slot at a position is muted; never before one that was asked for earlier. */
  over(position: number): Muted {
    if (this.#ahead.length === 0) return 'none'
    this.#ahead = this.#ahead.filter(({ to = Number.POSITIVE_INFINITY }) => to > position)
    let muted: Muted = 'none'
    for (const { from, to = Number.POSITIVE_INFINITY } of this.#ahead) {
      if (from <= position && to >= position + SLOT_SAMPLES) return 'whole'
      if (from < position + SLOT_SAMPLES) muted = 'part'
    }
    return muted
  }

  /** Whether a pause touches the slot at a position, or one beside it. */
  isNear(position: number): boolean {
    const from = position - SLOT_SAMPLES
    const end = position + 2 * SLOT_SAMPLES
    return this.#spans.some((span) => span.from < end && (span.to ?? end) > from)
  }

  /**
   * Silences what of the slot lies in pauses, however dense its samples are, and returns the energy of the rest (sum of
   * squares at 8 kHz).
   */
  mute(slot: Int16Array, position: number): number {
    const density = slot.length / SLOT_SAMPLES
    for (const { from, to = Number.POSITIVE_INFINITY } of this.#ahead) {
      const first = Math.max(0, from - position)
      const end = Math.min(SLOT_SAMPLES, to - position)
      if (end > first) slot.fill(0, first * density, end * density)
    }
    let energy = 0
    for (const sample of slot) energy += sample * sample
    return energy / density
  }

  /** What of a stretch lies in no pause. */
  outside(from: number, to: number): readonly Stretch[] {
    let rest: readonly Stretch[] = [{ from, to }]
    for (const span of this.#spans) {
      const { to: end = Number.POSITIVE_INFINITY } = span
      rest = rest.flatMap((stretch) => [
        ...(stretch.from < span.from
          ? [{ from: stretch.from, to: Math.min(stretch.to, span.from) }]
          : []),
        ...(stretch.to > end ? [{ from: Math.max(stretch.from, end), to: stretch.to }] : []),
      ])
    }
    return rest
  }

  /** All pauses of a recording that begins and ends there; one that lasts at the end ends with it. */
  told(start: number, end: number | undefined): readonly RecordingPause[] {
    const told = this.#spans.flatMap(({ from, to = end, cause }) => {
      const first = Math.max(from, start)
      const last = to === undefined ? undefined : Math.min(to, end ?? to)
      if (last !== undefined && last <= first) return []
      return { fromMs: msSince(start, first), toMs: msSince(start, last), ...cause }
    })
    const [last] = told.slice(MOST_TOLD - 1)
    if (last === undefined) return told
    return [...told.slice(0, MOST_TOLD - 1), { ...last, toMs: told.at(-1)?.toMs ?? null }]
  }
}

function msSince(start: number, position: number): number
function msSince(start: number, position: number | undefined): number | null
function msSince(start: number, position: number | undefined): number | null {
  return position === undefined ? null : Math.round((position - start) / SAMPLES_PER_MS)
}
