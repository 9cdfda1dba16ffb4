/** A map that forgets what was put in first when it is full, so that nobody can make it grow. */
export class BoundedMap<Value> {
  readonly #most: number
  readonly #onForgotten: ((value: Value) => void) | undefined
  readonly #values = new Map<string, Value>()

  constructor(most: number, onForgotten?: (value: Value) => void) {
    this.#most = most
    this.#onForgotten = onForgotten
  }

  get size(): number {
    return this.#values.size
  }

  get(key: string): Value | undefined {
    return this.#values.get(key)
  }

  /** Counts as put in now, even where it was there. */
  set(key: string, value: Value): void {
    this.#values.delete(key)
    this.#values.set(key, value)
    if (this.#values.size <= this.#most) return
    for (const [oldest, forgotten] of this.#values) {
      this.#values.delete(oldest)
      this.#onForgotten?.(forgotten)
      return
    }
  }

  delete(key: string): boolean {
    return this.#values.delete(key)
  }

  entries(): IterableIterator<[string, Value]> {
    return this.#values.entries()
  }
}
