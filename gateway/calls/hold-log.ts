import type { TimeSpan } from '../../storage/model.ts'

interface Hold {
  readonly fromMs: number
  toMs: number
}

/** No call is held more often than anybody can read; it bounds what a hostile client can have written. */
const MOST_HOLDS = 500

/** When a call was on hold, by whichever of its sessions told. Times are epoch milliseconds. */
export class HoldLog {
  readonly #heldBy = new Set<string>()
  readonly #holds: Hold[] = []

  /** What a session says from now on. */
  set(sessionId: string, isHeld: boolean, atMs: number): void {
    const wasHeld = this.#heldBy.size > 0
    if (isHeld) this.#heldBy.add(sessionId)
    else this.#heldBy.delete(sessionId)
    const isHeldNow = this.#heldBy.size > 0
    if (wasHeld === isHeldNow) return
    const last = this.#holds.at(-1)
    if (!isHeldNow && last !== undefined && last.toMs > atMs) last.toMs = atMs
    if (isHeldNow && this.#holds.length < MOST_HOLDS) {
      this.#holds.push({ fromMs: atMs, toMs: Number.POSITIVE_INFINITY })
    }
  }

  /** The holds on the timeline of a recording, milliseconds from its start. */
  within(startedAtMs: number, durationMs: number): readonly TimeSpan[] {
    return this.#holds.flatMap((hold) => {
      const fromMs = Math.max(0, Math.round(hold.fromMs - startedAtMs))
      const toMs = Math.min(Math.round(durationMs), Math.round(hold.toMs - startedAtMs))
      return toMs > fromMs ? [{ fromMs, toMs }] : []
    })
  }
}
