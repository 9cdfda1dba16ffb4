import type { Log } from '../../base/log.ts'
import type { Queryable } from '../database.ts'

/**
 * What does not agree, and with what:
 * - `no_verdict`: a call ended a minute ago and has no verdict;
 * - `row_without_dialog`: a contact's row is open, and its node has no such call;
 * - `dialog_without_row`: a call goes on, and has no row;
 * - `recording_without_dialog`: a recording's row is open, and its node records no such thing;
 * - `spool_without_dialog`: a file of open recordings belongs to no call;
 * - `verdict_without_file`: a verdict says that there is a file, and none is in the store;
 * - `file_without_row`: a file of the store, a day old, belongs to no row. Its node is that of the daemon that found it.
 */
export const DISCREPANCY_KINDS = [
  'no_verdict',
  'row_without_dialog',
  'dialog_without_row',
  'recording_without_dialog',
  'spool_without_dialog',
  'verdict_without_file',
  'file_without_row',
] as const

export type DiscrepancyKind = (typeof DISCREPANCY_KINDS)[number]

export interface Discrepancy {
  readonly kind: DiscrepancyKind
  /** Of a contact or a recording. */
  readonly subject: string
  readonly nodeId: string
}

/** What is new since the last comparison of the same kinds, and what agrees again. */
export interface DiscrepancyChange {
  readonly found: readonly Discrepancy[]
  readonly cleared: readonly Discrepancy[]
}

/**
 * Keeps what a comparison found of these kinds, `nodeId`'s alone where it is given, and clears what it did not find any
 * more.
 */
export async function keepDiscrepancies(
  database: Queryable,
  current: readonly Discrepancy[],
  scope: {
    readonly kinds: readonly DiscrepancyKind[]
    readonly nodeId?: string
    readonly nowMs: number
  },
): Promise<DiscrepancyChange> {
  const { kinds, nodeId, nowMs } = scope
  const now = new Date(nowMs)
  const open: Discrepancy[] = await database.query(
    `SELECT kind, subject, node_id AS nodeId FROM discrepancies
     WHERE cleared_at IS NULL AND kind IN (?) ${nodeId === undefined ? '' : 'AND node_id = ?'}`,
    [kinds, ...(nodeId === undefined ? [] : [nodeId])],
  )
  const known = new Set(open.map(keyOf))
  const seen = new Set(current.map(keyOf))
  const found = current.filter((one) => !known.has(keyOf(one)))
  const cleared = open.filter((one) => !seen.has(keyOf(one)))
  if (current.length > 0) {
    await database.query(
      `INSERT INTO discrepancies (kind, subject, node_id, found_at, seen_at)
       VALUES ${current.map(() => '(?,?,?,?,?)').join(', ')}
       ON DUPLICATE KEY UPDATE found_at = IF(cleared_at IS NULL, found_at, VALUES(found_at)),
         seen_at = VALUES(seen_at), cleared_at = NULL`,
      current.flatMap(({ kind, subject, nodeId: node }) => [kind, subject, node, now, now]),
    )
  }
  if (cleared.length > 0) await clear(database, cleared, now)
  return { found, cleared }
}

async function clear(database: Queryable, cleared: readonly Discrepancy[], now: Date) {
  const kinds = [...new Set(cleared.map(({ kind }) => kind))]
  const subjectsOf = (kind: DiscrepancyKind) =>
    cleared.filter((one) => one.kind === kind).map(({ subject }) => subject)
  await database.query(
    `UPDATE discrepancies SET cleared_at = ?
     WHERE ${kinds.map(() => '(kind = ? AND subject IN (?))').join(' OR ')}`,
    [now, ...kinds.flatMap((kind) => [kind, subjectsOf(kind)])],
  )
}

/** More than this of a kind at once are found in the next comparisons. */
export const MOST_DISCREPANCIES = 1000

/** Those of a kind that are open. */
export async function openDiscrepancies(
  database: Queryable,
  kind: DiscrepancyKind,
): Promise<readonly Discrepancy[]> {
  return database.query(
    `SELECT kind, subject, node_id AS nodeId FROM discrepancies WHERE cleared_at IS NULL AND kind = ?
     LIMIT ${MOST_DISCREPANCIES}`,
    [kind],
  )
}

/** Logs what a comparison changed, once each. */
export function tellDiscrepancies({ found, cleared }: DiscrepancyChange, log: Log): void {
  for (const discrepancy of found) log.error(discrepancy, 'calls, rows and files do not agree')
  for (const discrepancy of cleared) log.info(discrepancy, 'calls, rows and files agree again')
}

/** How many are open now, by kind; all kinds are there. */
export async function countDiscrepancies(
  database: Queryable,
): Promise<Readonly<Record<DiscrepancyKind, number>>> {
  const rows: { kind: DiscrepancyKind; n: number }[] = await database.query(
    'SELECT kind, COUNT(*) AS n FROM discrepancies WHERE cleared_at IS NULL GROUP BY kind',
  )
  const counts = new Map(rows.map(({ kind, n }) => [kind, n]))
  return Object.fromEntries(
    DISCREPANCY_KINDS.map((kind) => [kind, counts.get(kind) ?? 0]),
  ) as Readonly<Record<DiscrepancyKind, number>>
}

export interface DiscrepancyView extends Discrepancy {
  readonly foundAt: string
  readonly seenAt: string
}

/** Those that are open, the oldest first. */
export async function listDiscrepancies(
  database: Queryable,
  limit: number,
): Promise<readonly DiscrepancyView[]> {
  const rows: (Discrepancy & { foundAt: Date; seenAt: Date })[] = await database.query(
    `SELECT kind, subject, node_id AS nodeId, found_at AS foundAt, seen_at AS seenAt
     FROM discrepancies WHERE cleared_at IS NULL ORDER BY found_at, kind, subject LIMIT ?`,
    [limit],
  )
  return rows.map(({ foundAt, seenAt, ...row }) => ({
    ...row,
    foundAt: foundAt.toISOString(),
    seenAt: seenAt.toISOString(),
  }))
}

function keyOf({ kind, subject }: Discrepancy): string {
  return `${kind} ${subject}`
}
