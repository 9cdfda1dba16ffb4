import type { JournalEntry } from '../../storage/model.ts'
import { until } from '../until.ts'

type EntryOf<Kind extends JournalEntry['kind']> = Extract<JournalEntry, { readonly kind: Kind }>

/** A journal that a test reads. */
export class MemoryJournal {
  readonly entries: JournalEntry[] = []

  append(entry: JournalEntry): void {
    this.entries.push(entry)
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
