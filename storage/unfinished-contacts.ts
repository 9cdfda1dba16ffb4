import type { Pool } from './database.ts'

/** A contact of a node that has no end, or a session of one; what other nodes have of it is theirs. */
export interface UnfinishedContact {
  readonly contactId: string
  readonly startedAtMs: number
  readonly answeredAtMs: number | null
  /** Segments without an end. */
  readonly segmentIds: readonly string[]
  /** Recordings without a verdict. */
  readonly recordings: readonly { readonly recordingId: string; readonly startedAtMs: number }[]
}

interface Row {
  readonly contactId: string
  readonly startedAt: Date
  readonly answeredAt: Date | null
  readonly segmentId: string | null
  readonly recordingId: string | null
  readonly recordingStartedAt: Date | null
}

/**
 * The node's contacts that started before `startedBeforeMs` and never ended, oldest first: what a crash leaves
 * behind. Rejects where the database does.
 */
export async function findUnfinishedContacts(
  pool: Pool,
  { nodeId, startedBeforeMs }: { readonly nodeId: string; readonly startedBeforeMs: number },
): Promise<readonly UnfinishedContact[]> {
  const rows: readonly Row[] = await pool.query(
    `SELECT c.id AS contactId, c.started_at AS startedAt, c.answered_at AS answeredAt,
       s.id AS segmentId, r.id AS recordingId, r.started_at AS recordingStartedAt
     FROM contacts c
     LEFT JOIN segments s ON s.contact_id = COALESCE(c.joined_into, c.id)
       AND COALESCE(s.session_id, s.contact_id) = c.id AND s.ended_at IS NULL
     LEFT JOIN recordings r ON r.contact_id = COALESCE(c.joined_into, c.id)
       AND COALESCE(r.session_id, r.contact_id) = c.id AND r.state = 'recording'
     WHERE c.node_id = ? AND c.ended_at IS NULL AND c.started_at < ?
     ORDER BY c.started_at, c.id`,
    [nodeId, new Date(startedBeforeMs)],
  )
  const contacts = new Map<string, Unfinished>()
  for (const row of rows) {
    const contact = contacts.get(row.contactId) ?? begin(row)
    contacts.set(row.contactId, contact)
    if (row.segmentId !== null) contact.segmentIds.add(row.segmentId)
    if (row.recordingId !== null && row.recordingStartedAt !== null) {
      contact.recordings.set(row.recordingId, row.recordingStartedAt.getTime())
    }
  }
  return [...contacts.values()].map(({ segmentIds, recordings, ...contact }) => ({
    ...contact,
    segmentIds: [...segmentIds],
    recordings: [...recordings].map(([recordingId, startedAtMs]) => ({
      recordingId,
      startedAtMs,
    })),
  }))
}

/** A contact whose rows are still being gathered: segments and recordings multiply them. */
interface Unfinished extends Pick<UnfinishedContact, 'contactId' | 'startedAtMs' | 'answeredAtMs'> {
  readonly segmentIds: Set<string>
  readonly recordings: Map<string, number>
}

function begin(row: Row): Unfinished {
  return {
    contactId: row.contactId,
    startedAtMs: row.startedAt.getTime(),
    answeredAtMs: row.answeredAt?.getTime() ?? null,
    segmentIds: new Set(),
    recordings: new Map(),
  }
}
