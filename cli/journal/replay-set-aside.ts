import type { Config } from '../../config/config.ts'
import { applyRecords } from '../../storage/apply-journal.ts'
import { connectDatabase } from '../../storage/database.ts'
import { entryOf, type SetAsideEntry, type SetAsideFolder } from '../../storage/set-aside.ts'

/** What became of one entry that was set aside. */
export interface ReplayedEntry {
  readonly id: string
  readonly kind: string | null
  /** Why it stays set aside; null where it is applied. */
  readonly problem: string | null
}

/**
 * Applies entries that were set aside once more, in the order in which they were appended, and removes those that the
 * database takes. Rejects with `database_unreachable`, or as the database does: then the rest was not tried.
 */
export async function replaySetAside(
  config: Config,
  { folder, entries }: { folder: SetAsideFolder; entries: readonly SetAsideEntry[] },
): Promise<readonly ReplayedEntry[]> {
  const connection = await connectDatabase(config.database)
  const replayed: ReplayedEntry[] = []
  try {
    for (const aside of entries) {
      const { id, sequence, appendedAtMs } = aside
      const entry = entryOf(aside)
      if (entry === null) {
        const problem =
          aside.line === null
            ? aside.reason
            : 'its line is damaged: write the entry into its file, or drop it'
        replayed.push({ id, kind: null, problem })
        continue
      }
      const record = { sequence: sequence ?? 0, appendedAtMs: appendedAtMs ?? 0, entry }
      const [rejected] = await applyRecords(connection, [record])
      if (rejected === undefined) folder.remove(id)
      replayed.push({ id, kind: entry.kind, problem: rejected?.reason ?? null })
    }
    return replayed
  } finally {
    connection.destroy()
  }
}
