import type { Queryable } from './database.ts'
import { EXPIRING_STATES } from './due-recordings.ts'
import type { BatchPlace } from './in-batches.ts'
import type { FileEncryption, StoredFileView } from './model.ts'

/** Narrows down whose files are meant; what is absent narrows nothing. */
export interface StoredFileFilter {
  readonly ids?: readonly string[]
  readonly serviceLine?: string
  /** Recordings that started then or later. */
  readonly fromMs?: number
  /** Recordings that started before. */
  readonly toMs?: number
  /** Leaves out files that are encrypted to these recipients as they should be. */
  readonly unlessKeySet?: string
}

/** A recording's file, as its row knows it. */
export interface StoredFile extends StoredFileView {
  readonly id: string
  /** Relative to the store. */
  readonly file: string
  readonly audioBytes: number | null
  readonly audioSha256: string | null
}

/** How many recordings are encrypted in a way, and how many bytes they take. */
export interface EncryptionCount {
  readonly encryption: StoredFileView['encryption']
  readonly keySet: string | null
  readonly recordings: number
  readonly bytes: number
}

/** Files in order of their recordings' ids. */
export async function findStoredFiles(
  database: Queryable,
  filter: StoredFileFilter,
  { afterId, limit }: BatchPlace,
): Promise<readonly StoredFile[]> {
  const { sql, values } = conditionOf(filter)
  return database.query(
    `SELECT id, file, bytes, sha256, encryption, key_set AS keySet, audio_bytes AS audioBytes,
       audio_sha256 AS audioSha256
     FROM recordings WHERE id > ? AND ${sql} ORDER BY id LIMIT ?`,
    [afterId, ...values, limit],
  )
}

export async function countStoredFiles(
  database: Queryable,
  filter: StoredFileFilter,
): Promise<number> {
  const { sql, values } = conditionOf(filter)
  const [row]: { n: number }[] = await database.query(
    `SELECT COUNT(*) AS n FROM recordings WHERE ${sql}`,
    values,
  )
  return row?.n ?? 0
}

/** All files by how they are encrypted, the most frequent way first. */
export async function countEncryption(database: Queryable): Promise<readonly EncryptionCount[]> {
  const { sql, values } = conditionOf({})
  const rows: (Omit<EncryptionCount, 'bytes'> & { bytes: unknown })[] = await database.query(
    `SELECT encryption, key_set AS keySet, COUNT(*) AS recordings, COALESCE(SUM(bytes), 0) AS bytes
     FROM recordings WHERE ${sql} GROUP BY encryption, key_set ORDER BY recordings DESC`,
    values,
  )
  return rows.map((row) => ({ ...row, bytes: Number(row.bytes) }))
}

/** What replaces a file. */
export interface FileReplacement extends Pick<FileEncryption, 'keySet'> {
  readonly file: string
  readonly bytes: number
  readonly sha256: string
  readonly audioBytes: number
  readonly audioSha256: string
}

/**
 * Gives a recording's row its new file in one step. False where the row has another file by now, or the recording is
 * being deleted: then the old file stands, and the new one is nobody's.
 */
export async function replaceStoredFile(
  database: Queryable,
  old: Pick<StoredFile, 'id' | 'file'>,
  { file, bytes, sha256, keySet, audioBytes, audioSha256 }: FileReplacement,
): Promise<boolean> {
  const { affectedRows } = await database.query(
    `UPDATE recordings SET file = ?, bytes = ?, sha256 = ?, encryption = 'age', key_set = ?,
       audio_bytes = ?, audio_sha256 = ?
     WHERE id = ? AND file = ? AND state IN (?)`,
    [file, bytes, sha256, keySet, audioBytes, audioSha256, old.id, old.file, EXPIRING_STATES],
  )
  return affectedRows === 1
}

/** Whether the row has that file still, and the recording is not being deleted. */
export async function hasStoredFile(
  database: Queryable,
  { id, file }: Pick<StoredFile, 'id' | 'file'>,
): Promise<boolean> {
  const rows: unknown[] = await database.query(
    'SELECT 1 FROM recordings WHERE id = ? AND file = ? AND state IN (?)',
    [id, file, EXPIRING_STATES],
  )
  return rows.length > 0
}

function conditionOf(filter: StoredFileFilter): { sql: string; values: unknown[] } {
  const { ids, serviceLine, fromMs, toMs, unlessKeySet } = filter
  const parts: { readonly sql: string; readonly values: readonly unknown[] }[] = [
    { sql: 'file IS NOT NULL AND state IN (?)', values: [EXPIRING_STATES] },
  ]
  if (ids) parts.push({ sql: 'id IN (?)', values: [ids] })
  if (serviceLine !== undefined) parts.push({ sql: 'service_line = ?', values: [serviceLine] })
  if (fromMs !== undefined) parts.push({ sql: 'started_at >= ?', values: [new Date(fromMs)] })
  if (toMs !== undefined) parts.push({ sql: 'started_at < ?', values: [new Date(toMs)] })
  if (unlessKeySet !== undefined) {
    const sql = `NOT (encryption = 'age' AND key_set <=> ?)`
    parts.push({ sql, values: [unlessKeySet] })
  }
  return {
    sql: parts.map((part) => part.sql).join(' AND '),
    values: parts.flatMap(({ values }) => values),
  }
}
