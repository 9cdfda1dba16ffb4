import { TallenneError } from '../base/tallenne-error.ts'
import { JournalDepth } from './journal-depth.ts'
import { MAX_UNWRITTEN, MAX_UNWRITTEN_BYTES } from './journal-writer.ts'
import type { JournalText } from './serve-journal.ts'

/** Of one message: what comes while it is under way goes together in the next. */
const MOST_ENTRIES = 500
const MOST_CHARACTERS = 1_048_576

/**
 * Entries of which the journal's thread may hold the only other copy, in order, and bounded:
 *
 *     | held: taken, and in the thread's memory alone | under way | to be sent |
 *
 * A thread that dies leaves all of them to be given to the next. What it had written by then is given again, which
 * changes no row.
 */
export class JournalOutbox {
  readonly #entries: JournalText[] = []
  readonly #depth = new JournalDepth()
  #characters = 0
  /** The first so many were taken, by this thread or by one before it. */
  #held = 0
  /** The first so many were sent to this thread, and of these it has answered for so many. */
  #sent = 0
  #answered = 0
  /** So many more of those that this thread has taken are kept no longer. */
  #dropped = 0

  /** Entries that no thread has taken yet. */
  get count(): number {
    return this.#depth.value
  }

  /** Those and the ones that memory alone holds, here and in the thread. */
  get unsafeCount(): number {
    return this.#entries.length
  }

  /** Whether this thread has been sent all that those before it had taken. */
  get isGivenAgain(): boolean {
    return this.#sent >= this.#held
  }

  /** Of what no thread has taken yet. */
  get oldestAtMs(): number | undefined {
    return this.#entries[this.#held]?.appendedAtMs
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
    this.#entries.push(arrived)
    this.#characters += length
    this.#depth.add(1)
  }

  /** What is to be sent next; nothing while something is under way. */
  next(): readonly JournalText[] {
    if (this.#sent > this.#answered) return []
    for (let characters = 0; this.#sent - this.#answered < MOST_ENTRIES; this.#sent++) {
      const entry = this.#entries[this.#sent]
      if (entry === undefined || characters >= MOST_CHARACTERS) break
      characters += entry.text.length
    }
    return this.#entries.slice(this.#answered, this.#sent)
  }

  /** What was under way is taken. */
  taken(): void {
    this.#answered = this.#sent
    const fresh = this.#entries.slice(this.#held, this.#answered)
    for (const { text } of fresh) this.#characters -= text.length
    this.#held += fresh.length
    this.#depth.settle(fresh.length)
  }

  /** Of all that was given to this thread the first so many are needed no longer. */
  safe(through: number): void {
    const count = Math.min(through - this.#dropped, this.#answered)
    if (count <= 0) return
    this.#entries.splice(0, count)
    this.#dropped += count
    this.#held -= count
    this.#sent -= count
    this.#answered -= count
  }

  /** The thread has died: all is to be given to the next. */
  lost(): void {
    this.#sent = 0
    this.#answered = 0
    this.#dropped = 0
  }

  /** Resolves when all that is kept now is taken. */
  emptied(): Promise<void> {
    return this.#depth.drained()
  }
}
