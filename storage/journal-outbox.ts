import { TallenneError } from '../base/tallenne-error.ts'
import { JournalDepth } from './journal-depth.ts'
import { MAX_UNWRITTEN, MAX_UNWRITTEN_BYTES } from './journal-writer.ts'
import type { JournalText } from './serve-journal.ts'

/** Of one message: what comes while it is under way goes together in the next. */
const MOST_ENTRIES = 500
const MOST_CHARACTERS = 1_048_576

/** Entries that the journal's thread has not taken yet, in order, and bounded. */
export class JournalOutbox {
  readonly #waiting: JournalText[] = []
  readonly #depth = new JournalDepth()
  #characters = 0
  /** The first so many are under way. */
  #sent = 0

  get count(): number {
    return this.#depth.value
  }

  get oldestAtMs(): number | undefined {
    return this.#waiting[0]?.appendedAtMs
  }

  /** Throws `journal_full`, and does not keep it then. */
  keep(arrived: JournalText): void {
    const { length } = arrived.text
    if (this.count >= MAX_UNWRITTEN || this.#characters + length > MAX_UNWRITTEN_BYTES) {
      throw new TallenneError(
        'journal_full',
        `The journal's thread takes nothing, and ${this.count} entries of ${this.#characters} characters wait for it.`,
      )
    }
    this.#waiting.push(arrived)
    this.#characters += length
    this.#depth.add(1)
  }

  /** What is to be sent next; nothing while something is under way. */
  next(): readonly JournalText[] {
    if (this.#sent > 0) return []
    for (let characters = 0; this.#sent < MOST_ENTRIES && characters < MOST_CHARACTERS; ) {
      const entry = this.#waiting[this.#sent]
      if (entry === undefined) break
      characters += entry.text.length
      this.#sent++
    }
    return this.#waiting.slice(0, this.#sent)
  }

  /** What was under way is taken. */
  taken(): void {
    const taken = this.#waiting.splice(0, this.#sent)
    for (const { text } of taken) this.#characters -= text.length
    this.#sent = 0
    this.#depth.settle(taken.length)
  }

  /** Resolves when all that is kept now is taken. */
  emptied(): Promise<void> {
    return this.#depth.drained()
  }
}
