import type { Queryable } from './database.ts'
import { EXPIRING_STATES } from './due-recordings.ts'
import type { BatchPlace } from './in-batches.ts'
import type { RecordingState } from './model.ts'
import { readStoreFile } from './store-file.ts'

/** What the database says of a file that lies in the store. */
export interface FileOwner {
  readonly id: string
  readonly state: RecordingState
  readonly file: string | null
}

/** A row that says that a file is there. */
export interface FileClaim {
  readonly id: string
  readonly file: string
  readonly isMissing: boolean
}

/** The rows of recordings, by id; ids without a row are left out. */
export async function fileOwners(
  database: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, FileOwner>> {
  if (ids.length === 0) return new Map()
  const rows: FileOwner[] = await database.query(
    'SELECT id, state, file FROM recordings WHERE id IN (?)',
    [ids],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

/** Gives a row the file that a crash left in the store before the row could say so. */
export async function adoptFile(
  database: Queryable,
  { id, file, bytes }: { readonly id: string; readonly file: string; readonly bytes: number },
): Promise<void> {
  const { form } = readStoreFile(file)
  await database.query(
    'UPDATE recordings SET file = ?, bytes = ?, encryption = ? WHERE id = ? AND file IS NULL',
    [file, bytes, form === 'plain' ? 'none' : form, id],
  )
}

/** Ended recordings that should have a file, in order of their ids. */
export async function fileClaims(
  database: Queryable,
  { afterId, limit }: BatchPlace,
): Promise<readonly FileClaim[]> {
  const rows: { id: string; file: string; missingSince: Date | null }[] = await database.query(
    `SELECT id, file, file_missing_since AS missingSince FROM recordings
     WHERE id > ? AND state IN (?) AND file IS NOT NULL ORDER BY id LIMIT ?`,
    [afterId, EXPIRING_STATES, limit],
  )
  return rows.map(({ id, file, missingSince }) => ({ id, file, isMissing: missingSince !== null }))
}

/** Marks rows whose file is not there, or is there again (`sinceMs` null). */
export async function markMissing(
  database: Queryable,
  ids: readonly string[],
  sinceMs: number | null,
): Promise<void> {
  if (ids.length === 0) return
  await database.query(
    'UPDATE recordings SET file_missing_since = ? WHERE id IN (?) AND state IN (?)',
    [sinceMs === null ? null : new Date(sinceMs), ids, EXPIRING_STATES],
  )
}

/** Ended recordings of lines that no policy rules: nothing ever deletes them. By line. */
export async function countUnruled(database: Queryable): Promise<ReadonlyMap<string, number>> {
  const rows: { serviceLine: string; n: number }[] = await database.query(
    `SELECT service_line AS serviceLine, COUNT(*) AS n FROM recordings
     WHERE state IN (?) AND service_line NOT IN (SELECT service_line FROM service_line_policies)
     GROUP BY service_line`,
    [EXPIRING_STATES],
  )
  return new Map(rows.map(({ serviceLine, n }) => [serviceLine, n]))
}
