import type { Party } from '../media/trunk-media.ts'

/** Whose turn it is to offer: while one offer is open with a party there is no other (RFC 3261 §14.2). */
export class OfferTurns {
  readonly #taken = new Set<Party>()
  #waiting: (() => void)[] = []

  /** Takes the turn with both parties; false where an offer is open with either. */
  takeBoth(): boolean {
    if (this.#taken.size > 0) return false
    this.#taken.add('caller').add('platform')
    return true
  }

  /** Takes the turn with one party, as soon as it is free. */
  async take(party: Party): Promise<void> {
    while (this.#taken.has(party)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#taken.add(party)
  }

  giveBack(...parties: readonly Party[]): void {
    for (const party of parties) this.#taken.delete(party)
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }
}
