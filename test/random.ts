/** Random numbers that come again with the same seed (xorshift32). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0 || 0x9e3779b9
  }

  /** From 0 to `below` - 1; 0 where that is nothing. */
  next(below: number): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state
    return below <= 1 ? 0 : (state >>> 0) % below
  }

  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.next(items.length)]
  }
}
