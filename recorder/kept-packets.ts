import { SAMPLES_PER_MS, SLOT_SAMPLES } from './sample-clock.ts'

interface Kept {
  position: number
  readonly packet: Uint8Array
}

const HALF = SLOT_SAMPLES / 2
/** A packet may stand so far from its slot before others follow it into the slots that are nearest to them. */
const MOST_SHIFT = 13 * SAMPLES_PER_MS
/** Two seconds and more: what a leg holds. */
const MOST = 128

/**
 * Opus packets of 20 ms as they came, by position, until the slots that they are nearest to are written.
 *
 * Packets follow each other at the pace of slots, but seldom begin with them. The first goes to the slot that it is
 * nearest to, and those after it to the slots after that, so that none is left out or doubled while the leg is pulled
 * back by some samples now and then to follow a clock. When that has come to 13 ms, a slot is left free, or a packet
 * out. Samples are those at 8 kHz.
 */
export class KeptPackets {
  readonly #kept: Kept[] = []
  /** How far after their slots packets stand. */
  #shift = 0

  add(position: number, packet: Uint8Array): void {
    const kept = this.#kept
    let at = kept.length
    while (at > 0 && (kept[at - 1]?.position ?? 0) > position) at--
    kept.splice(at, 0, { position, packet })
    if (kept.length > MOST) kept.shift()
  }

  /** Moves those that stand at or after `from` earlier. */
  moveEarlier(from: number, by: number): void {
    for (const kept of this.#kept) {
      if (kept.position >= from) kept.position -= by
    }
  }

  /** Forgets all. */
  clear(): void {
    this.#kept.length = 0
  }

  /** The packet of the slot at a position, and forgets those before it. Slots are asked for in their order. */
  takeFor(slot: number): Uint8Array | undefined {
    const kept = this.#kept
    for (let first = kept[0]; first !== undefined; first = kept[0]) {
      const apart = first.position - slot
      if (apart - this.#shift >= HALF) break
      kept.shift()
      if (apart - this.#shift < -HALF) continue
      this.#shift = Math.abs(apart) > MOST_SHIFT ? 0 : apart
      return first.packet
    }
    this.#shift = 0
    return undefined
  }
}
