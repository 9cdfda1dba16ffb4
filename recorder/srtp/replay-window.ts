/** Packets out of order by up to so many are taken; RFC 3711 §3.3.2 asks for 64 at least. */
const WINDOW = 512

/** Which of the last 512 indices of a source have come, so that no packet counts twice. */
export class ReplayWindow {
  /** Index modulo 512, one bit each. */
  readonly #seen = new Uint32Array(WINDOW / 32)
  #highest = -1

  /** -1 before the first. */
  get highest(): number {
    return this.#highest
  }

  /** Whether the index has not come yet, and is not too old to tell. */
  isFresh(index: number): boolean {
    if (index > this.#highest) return true
    if (index <= this.#highest - WINDOW) return false
    return ((this.#seen[wordOf(index)] ?? 0) & bitOf(index)) === 0
  }

  /** Takes note of an index that is fresh. */
  add(index: number): void {
    if (index > this.#highest) {
      if (index - this.#highest >= WINDOW) this.#seen.fill(0)
      else for (let at = this.#highest + 1; at < index; at++) this.#clear(at)
      this.#highest = index
    }
    const word = wordOf(index)
    this.#seen[word] = (this.#seen[word] ?? 0) | bitOf(index)
  }

  #clear(index: number): void {
    const word = wordOf(index)
    this.#seen[word] = (this.#seen[word] ?? 0) & ~bitOf(index)
  }
}

function wordOf(index: number): number {
  return (index % WINDOW) >>> 5
}

function bitOf(index: number): number {
  return 1 << (index % 32)
}
