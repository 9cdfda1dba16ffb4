import { beyond, pageOf, valuesBeyond } from '../contact-search.ts'
import { type Pool, type Queryable, transactOn } from '../database.ts'
import { changeListedCalls } from './change-listed-calls.ts'
import { matchAgain } from './match-calls.ts'

/** A list of calls that was taken at one time, in one part or more. Times are ISO 8601 UTC with milliseconds. */
export interface PlatformImport {
  readonly id: string
  readonly list: string
  readonly importedAt: string
  /** Null of imports from before they were told apart. */
  readonly importedBy: string | null
  /** Calls that it lists, whichever import listed them first; none of one that was withdrawn. */
  readonly calls: number
  readonly matched: number
  readonly missing: number
  readonly firstAt: string | null
  readonly lastAt: string | null
  readonly withdrawnAt: string | null
  readonly withdrawnBy: string | null
}

export interface PlatformImportPage {
  /** Newest first. */
  readonly items: readonly PlatformImport[]
  readonly nextCursor: string | null
}

type Instants = 'importedAt' | 'firstAt' | 'lastAt' | 'withdrawnAt'
type Row = Omit<PlatformImport, Instants> & {
  readonly importedAt: Date
  readonly firstAt: Date | null
  readonly lastAt: Date | null
  readonly withdrawnAt: Date | null
}

/** Rejects with `bad_cursor` for a cursor that no page gave. */
export async function listImports(
  database: Queryable,
  { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number },
): Promise<PlatformImportPage> {
  const rows: Row[] = await database.query(
    `SELECT i.id, i.list, i.imported_at AS importedAt, i.imported_by AS importedBy,
       COUNT(p.id) AS calls, COUNT(p.contact_id) AS matched,
       COALESCE(SUM(p.id IS NOT NULL AND p.contact_id IS NULL AND COALESCE(p.was_answered, TRUE)), 0) AS missing,
       MIN(p.started_at) AS firstAt, MAX(p.started_at) AS lastAt,
       i.withdrawn_at AS withdrawnAt, i.withdrawn_by AS withdrawnBy
     FROM (
       SELECT * FROM platform_imports ${cursor === undefined ? '' : `WHERE ${beyond('imported_at', 'id')}`}
       ORDER BY imported_at DESC, id DESC LIMIT ?
     ) i
     LEFT JOIN platform_call_imports l ON l.import_id = i.id
     LEFT JOIN platform_calls p ON p.id = l.platform_call_id
     GROUP BY i.id ORDER BY i.imported_at DESC, i.id DESC`,
    [...(cursor === undefined ? [] : valuesBeyond(cursor)), limit + 1],
  )
  const { page, nextCursor } = pageOf(rows, limit, {
    cursorOf: ({ importedAt, id }) => ({ startedAtMs: importedAt.getTime(), id }),
  })
  return {
    items: page.map((row) => ({
      ...row,
      importedAt: row.importedAt.toISOString(),
      firstAt: row.firstAt?.toISOString() ?? null,
      lastAt: row.lastAt?.toISOString() ?? null,
      withdrawnAt: row.withdrawnAt?.toISOString() ?? null,
    })),
    nextCursor,
  }
}

/** What is known of an import before more of it is taken. */
export interface ImportHead {
  readonly list: string
  readonly isWithdrawn: boolean
}

export async function findImport(database: Queryable, id: string): Promise<ImportHead | undefined> {
  const [row] = await database.query(
    'SELECT list, withdrawn_at IS NOT NULL AS isWithdrawn FROM platform_imports WHERE id = ?',
    [id],
  )
  return row && { list: row.list, isWithdrawn: row.isWithdrawn === 1 }
}

export interface Withdrawal {
  readonly id: string
  readonly list: string
  /** When, and by whom, it was withdrawn first. */
  readonly withdrawnAt: string
  readonly withdrawnBy: string
  /** Calls that no other import lists, and that are no longer known. */
  readonly removed: number
  /** Calls that another import lists too. */
  readonly kept: number
}

/** At most so many are removed in one transaction, so that nobody waits for a long one. */
const BATCH = 1000
/** Tolerance and the hour that clocks show twice, of the call that goes and of the one that may take its contact. */
const CONTACT_WITHIN_MS = 3 * 3_600_000

/**
 * Takes an import back: its calls go, but for those that another import lists too, and calls that found no contact since
 * a wrong one had it look again. One that was broken off is finished the next time. Undefined where there is no such
 * import. Rejects with `list_busy`.
 */
export async function withdrawImport(
  pool: Pool,
  id: string,
  { withdrawnBy, nowMs }: { readonly withdrawnBy: string; readonly nowMs: number },
): Promise<Withdrawal | undefined> {
  await pool.query(
    `UPDATE platform_imports SET withdrawn_at = ?, withdrawn_by = ? WHERE id = ? AND withdrawn_at IS NULL`,
    [new Date(nowMs), withdrawnBy, id],
  )
  const [head] = await pool.query(
    `SELECT list, withdrawn_at AS withdrawnAt, withdrawn_by AS withdrawnBy FROM platform_imports WHERE id = ?`,
    [id],
  )
  if (head === undefined) return undefined
  let removed = 0
  let kept = 0
  let fromMs = Number.POSITIVE_INFINITY
  let toMs = Number.NEGATIVE_INFINITY
  for (;;) {
    const batch = await changeListedCalls(pool, (connection) =>
      transactOn(connection, () => removeBatch(connection, id)),
    )
    for (const { startedAt } of batch.removed) {
      fromMs = Math.min(fromMs, startedAt.getTime() - CONTACT_WITHIN_MS)
      toMs = Math.max(toMs, startedAt.getTime() + CONTACT_WITHIN_MS)
    }
    removed += batch.removed.length
    kept += batch.kept
    if (batch.removed.length + batch.kept < BATCH) break
  }
  if (removed > 0) await matchAgain(pool, { fromMs: Math.max(fromMs, 0), toMs })
  return { id, ...head, withdrawnAt: head.withdrawnAt.toISOString(), removed, kept }
}

async function removeBatch(
  database: Queryable,
  importId: string,
): Promise<{ readonly removed: readonly { readonly startedAt: Date }[]; readonly kept: number }> {
  const listed: { id: string; startedAt: Date; isElsewhere: 0 | 1 }[] = await database.query(
    `SELECT p.id, p.started_at AS startedAt, EXISTS (
         SELECT 1 FROM platform_call_imports other
         WHERE other.platform_call_id = p.id AND other.import_id <> l.import_id) AS isElsewhere
     FROM platform_call_imports l JOIN platform_calls p ON p.id = l.platform_call_id
     WHERE l.import_id = ? LIMIT ${BATCH}`,
    [importId],
  )
  if (listed.length === 0) return { removed: [], kept: 0 }
  await database.query(
    'DELETE FROM platform_call_imports WHERE import_id = ? AND platform_call_id IN (?)',
    [importId, listed.map(({ id }) => id)],
  )
  const removed = listed.filter(({ isElsewhere }) => isElsewhere === 0)
  if (removed.length > 0) {
    await database.query('DELETE FROM platform_calls WHERE id IN (?)', [
      removed.map(({ id }) => id),
    ])
  }
  return { removed, kept: listed.length - removed.length }
}
