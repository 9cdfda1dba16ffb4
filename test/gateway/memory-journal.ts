import type { ContactJournal, JournalEntry } from '../../storage/model.ts'
import { until } from '../until.ts'

type EntryOf<Kind extends JournalEntry['kind']> = Extract<JournalEntry, { readonly kind: Kind }>

/** A journal that a test reads. It has at once what it is told, unless the test has its disk hang. */
export class MemoryJournal implements ContactJournal {
  readonly entries: JournalEntry[]
  #held: Promise<void> | undefined
  #release = () => {}

  constructor(entries: JournalEntry[] = []) {
    this.entries = entries
  }

  append(entry: JournalEntry): void {
    this.entries.push(entry)
  }

  async written(): Promise<void> {
    await this.#held
  }

  /** Whoever asks from now on waits for what is written until `thaw`. */
  hang(): void {
    this.#held = new Promise((resolve) => {
      this.#release = resolve
    })
  }

  thaw(): void {
    this.#held = undefined
    this.#release()
  }

  /** Waits for the `count`th entry of the kind. */
  async journaled<Kind extends JournalEntry['kind']>(
    kind: Kind,
    count = 1,
  ): Promise<EntryOf<Kind>> {
    const isMeant = (entry: JournalEntry): entry is EntryOf<Kind> => entry.kind === kind
    try {
      return await until(() => this.entries.filter(isMeant)[count - 1])
    } catch (error) {
      const kinds = this.entries.map((entry) => entry.kind).join(', ')
      throw new Error(`no ${kind}; journaled: ${kinds}`, { cause: error })
    }
  }
}
