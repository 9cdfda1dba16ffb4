/** What of a capture could not be used, and where that was seen first. */
export class CaptureNotes {
  readonly #notes = new Map<string, { count: number; readonly first: number }>()

  /** `what` completes "packet 3 …"; `packet` is its number, the first being 1. */
  add(what: string, packet: number): void {
    const note = this.#notes.get(what)
    if (note === undefined) this.#notes.set(what, { count: 1, first: packet })
    else note.count++
  }

  /** A sentence for each kind, in the order in which they were seen. */
  get lines(): readonly string[] {
    return [...this.#notes].map(([what, { count, first }]) => {
      const more = count === 1 ? '' : ` (and ${count - 1} more)`
      return `packet ${first} ${what}${more}`
    })
  }
}
