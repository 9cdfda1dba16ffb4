import { applyRecords, type RejectedRecord } from '../../storage/apply-journal.ts'
import { connectDatabase, type DatabaseSettings } from '../../storage/database.ts'
import type { JournalEntry } from '../../storage/model.ts'

/** Applies entries at once, as a journal would in its time. */
export async function applyEntries(
  settings: DatabaseSettings,
  entries: readonly JournalEntry[],
): Promise<readonly RejectedRecord[]> {
  const connection = await connectDatabase(settings)
  try {
    return await applyRecords(
      connection,
      entries.map((entry, index) => ({ sequence: index + 1, appendedAtMs: 0, entry })),
    )
  } finally {
    await connection.end()
  }
}
