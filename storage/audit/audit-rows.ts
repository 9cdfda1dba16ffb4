import type { Queryable } from '../database.ts'
import { CHAIN_START, type ChainLink, type StoredRow } from './audit-chain.ts'

const COLUMNS = `sequence, id, occurred_at, writer, actor_kind, actor_name, action, contact_id, recording_id, details,
  previous_hash, hash`

type Row = Omit<StoredRow, 'atMs'> & { readonly occurredAt: Date }

/** The last row, and the one at `known` as it is now; undefined where it is not there. */
export async function readHead(
  database: Queryable,
  known: ChainLink,
): Promise<{ readonly head: ChainLink; readonly atKnown: ChainLink | undefined }> {
  const rows: ChainLink[] = await database.query(
    `(SELECT sequence, hash FROM audit_trail ORDER BY sequence DESC LIMIT 1)
     UNION (SELECT sequence, hash FROM audit_trail WHERE sequence = ?)`,
    [known.sequence],
  )
  const links = [CHAIN_START, ...rows]
  return {
    head: links.reduce((last, link) => (link.sequence > last.sequence ? link : last)),
    atKnown: links.find(({ sequence }) => sequence === known.sequence),
  }
}

/** Ids of those events that are in the trail already. */
export async function writtenEvents(
  database: Queryable,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows: { id: string }[] = await database.query(
    'SELECT id FROM audit_trail WHERE id IN (?)',
    [ids],
  )
  return new Set(rows.map(({ id }) => id))
}

export async function insertRows(database: Queryable, rows: readonly StoredRow[]): Promise<void> {
  await database.query(
    `INSERT INTO audit_trail (${COLUMNS}) VALUES ${rows.map(() => '(?,?,?,?,?,?,?,?,?,?,?,?)').join(', ')}`,
    rows.flatMap((row) => [
      row.sequence,
      row.id,
      new Date(row.atMs),
      row.writer,
      row.actorKind,
      row.actorName,
      row.action,
      row.contactId,
      row.recordingId,
      row.details,
      row.previousHash,
      row.hash,
    ]),
  )
}

/** Which rows are read; fields that are absent do not narrow. */
export interface AuditFilter {
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
  readonly action?: string | undefined
  readonly actor?: string | undefined
  readonly contactId?: string | undefined
  readonly recordingId?: string | undefined
  /** A text that stands in the details. */
  readonly mentions?: string | undefined
}

const PAGE_ROWS = 2000

/** Rows in order of their sequence, a page at a time. */
export async function* readRows(
  database: Queryable,
  filter: AuditFilter = {},
): AsyncGenerator<StoredRow> {
  const { conditions, values } = conditionsOf(filter)
  let after = 0
  for (;;) {
    const rows: Row[] = await database.query(
      `SELECT sequence, id, occurred_at AS occurredAt, writer, actor_kind AS actorKind, actor_name AS actorName,
         action, contact_id AS contactId, recording_id AS recordingId, details, previous_hash AS previousHash, hash
       FROM audit_trail WHERE sequence > ? ${conditions.map((one) => `AND ${one}`).join(' ')}
       ORDER BY sequence LIMIT ${PAGE_ROWS}`,
      [after, ...values],
    )
    for (const { occurredAt, ...row } of rows) yield { ...row, atMs: occurredAt.getTime() }
    after = rows.at(-1)?.sequence ?? after
    if (rows.length < PAGE_ROWS) return
  }
}

function conditionsOf(filter: AuditFilter) {
  const given: readonly (readonly [sql: string, value: unknown])[] = [
    ['occurred_at >= ?', filter.fromMs === undefined ? undefined : new Date(filter.fromMs)],
    ['occurred_at < ?', filter.toMs === undefined ? undefined : new Date(filter.toMs)],
    ['action = ?', filter.action],
    ['actor_name = ?', filter.actor],
    // Deletions by a period name many recordings in one row.
    ['(contact_id = ? OR LOCATE(?, details) > 0)', filter.contactId],
    ['(recording_id = ? OR LOCATE(?, details) > 0)', filter.recordingId],
    ['LOCATE(?, details) > 0', filter.mentions],
  ]
  const wanted = given.filter(([, value]) => value !== undefined)
  return {
    conditions: wanted.map(([sql]) => sql),
    values: wanted.flatMap(([sql, value]) => Array(sql.split('?').length - 1).fill(value)),
  }
}
