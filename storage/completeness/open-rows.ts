import type { Queryable } from '../database.ts'
import { MOST_DISCREPANCIES } from './discrepancies.ts'
import { HAS_ENDED_BEFORE, VERDICT_WITHIN_MS } from './read-completeness.ts'

interface OfNode {
  readonly nodeId: string
  /** Of rows that are older than this. */
  readonly beforeMs: number
}

/** A node's contacts without an end. */
export async function findOpenRows(
  database: Queryable,
  { nodeId, beforeMs }: OfNode,
): Promise<readonly string[]> {
  const rows: { id: string }[] = await database.query(
    `SELECT id FROM contacts FORCE INDEX (by_node_and_end)
     WHERE node_id = ? AND ended_at IS NULL AND joined_into IS NULL AND started_at < ? LIMIT ${MOST_DISCREPANCIES}`,
    [nodeId, new Date(beforeMs)],
  )
  return rows.map(({ id }) => id)
}

/** A node's recordings without a verdict. */
export async function findOpenRecordings(
  database: Queryable,
  { nodeId, beforeMs }: OfNode,
): Promise<readonly string[]> {
  const rows: { id: string }[] = await database.query(
    `SELECT r.id FROM recordings r FORCE INDEX (by_state)
     JOIN contacts c ON c.id = COALESCE(r.session_id, r.contact_id)
     WHERE r.state = 'recording' AND r.started_at < ? AND c.node_id = ? LIMIT ${MOST_DISCREPANCIES}`,
    [new Date(beforeMs), nodeId],
  )
  return rows.map(({ id }) => id)
}

/** Those of the contacts that have no row. */
export async function findMissingRows(
  database: Queryable,
  contactIds: readonly string[],
): Promise<readonly string[]> {
  if (contactIds.length === 0) return []
  const rows: { id: string }[] = await database.query('SELECT id FROM contacts WHERE id IN (?)', [
    contactIds,
  ])
  const there = new Set(rows.map(({ id }) => id))
  return contactIds.filter((id) => !there.has(id))
}

/** Calls of all nodes that ended a minute ago and have no verdict. */
export async function findOverdueCalls(
  database: Queryable,
  nowMs: number,
): Promise<readonly { readonly id: string; readonly nodeId: string }[]> {
  const endedBefore = new Date(nowMs - VERDICT_WITHIN_MS)
  return database.query(
    `SELECT c.id, c.node_id AS nodeId FROM contacts c FORCE INDEX (by_outcome)
     WHERE c.outcome IS NULL AND ${HAS_ENDED_BEFORE} LIMIT ${MOST_DISCREPANCIES}`,
    [endedBefore, endedBefore],
  )
}

/** A recording without the file that its row names. */
export interface LostFile {
  readonly id: string
  readonly nodeId: string
  readonly file: string
}

/** Ended recordings whose file was looked for and not found. */
export async function findLostFiles(database: Queryable): Promise<readonly LostFile[]> {
  return database.query(
    `SELECT r.id, c.node_id AS nodeId, r.file FROM recordings r FORCE INDEX (by_missing_file)
     JOIN contacts c ON c.id = COALESCE(r.session_id, r.contact_id)
     WHERE r.file_missing_since IS NOT NULL AND r.state IN ('complete', 'partial', 'silent', 'failed')
     LIMIT ${MOST_DISCREPANCIES}`,
  )
}
