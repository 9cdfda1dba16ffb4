/** Those who wait for something to come: all of them look when something has. */
export class Waiters {
  readonly #waiting = new Set<() => void>()

  /** Resolves when something comes, or after so many milliseconds. */
  async next(withinMs?: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#waiting.add(resolve)
      if (withinMs === undefined) return
      timer = setTimeout(() => {
        this.#waiting.delete(resolve)
        resolve()
      }, withinMs)
    })
    clearTimeout(timer)
  }

  wake(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resolve of waiting) resolve()
  }
}
