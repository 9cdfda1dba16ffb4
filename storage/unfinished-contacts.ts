import type { Pool } from './database.ts'
import type { RecordingState } from './model.ts'

/**
 * A contact of a node, or a session of one, that has no end or a recording without a verdict; what other nodes have of it
 * is theirs.
 */
export interface UnfinishedContact {
  readonly contactId: string
  readonly startedAtMs: number
  readonly answeredAtMs: number | null
  readonly hasEnded: boolean
  /** Until when its recordings that have a verdict go; null where none has. */
  readonly judgedUntilMs: number | null
  /** Segments without an end. */
  readonly segmentIds: readonly string[]
  /** Recordings without a verdict. */
  readonly recordings: readonly { readonly recordingId: string; readonly startedAtMs: number }[]
}

interface Row {
  readonly contactId: string
  readonly startedAt: Date
  readonly answeredAt: Date | null
  readonly endedAt: Date | null
  readonly segmentId: string | null
  readonly recordingId: string | null
  readonly recordingState: RecordingState | null
  readonly recordingStartedAt: Date | null
  readonly recordedMs: number | null
}

/**
 * What a crash leaves behind: the node's contacts that started before `startedBeforeMs` and have no end, or a recording
 * without a verdict, oldest first. Rejects where the database does.
 */
export async function findUnfinishedContacts(
  pool: Pool,
  { nodeId, startedBeforeMs }: { readonly nodeId: string; readonly startedBeforeMs: number },
): Promise<readonly UnfinishedContact[]> {
  const startedBefore = new Date(startedBeforeMs)
  // Two searches, each in order of its own index: one for both would read all contacts.
  const rows: readonly Row[] = await pool.query(
    `SELECT c.id AS contactId, c.started_at AS startedAt, c.answered_at AS answeredAt, c.ended_at AS endedAt,
       s.id AS segmentId, r.id AS recordingId, r.state AS recordingState, r.started_at AS recordingStartedAt,
       r.call_duration_ms AS recordedMs
     FROM (
       SELECT id FROM contacts WHERE node_id = ? AND ended_at IS NULL AND started_at < ?
       UNION
       SELECT own.id FROM recordings open
         JOIN contacts own ON own.id = COALESCE(open.session_id, open.contact_id)
         WHERE open.state = 'recording' AND own.node_id = ? AND own.started_at < ?
     ) unfinished
     JOIN contacts c ON c.id = unfinished.id
     LEFT JOIN segments s ON s.contact_id = COALESCE(c.joined_into, c.id)
       AND COALESCE(s.session_id, s.contact_id) = c.id AND s.ended_at IS NULL
     LEFT JOIN recordings r ON r.contact_id = COALESCE(c.joined_into, c.id)
       AND COALESCE(r.session_id, r.contact_id) = c.id
     ORDER BY c.started_at, c.id`,
    [nodeId, startedBefore, nodeId, startedBefore],
  )
  const contacts = new Map<string, Unfinished>()
  for (const row of rows) {
    const contact = contacts.get(row.contactId) ?? begin(row)
    contacts.set(row.contactId, contact)
    if (row.segmentId !== null) contact.segmentIds.add(row.segmentId)
    takeRecording(contact, row)
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

function takeRecording(
  contact: Unfinished,
  { recordingId, recordingState, recordingStartedAt, recordedMs }: Row,
): void {
  if (recordingId === null || recordingStartedAt === null) return
  const startedAtMs = recordingStartedAt.getTime()
  if (recordingState === 'recording') contact.recordings.set(recordingId, startedAtMs)
  else {
    contact.judgedUntilMs = Math.max(contact.judgedUntilMs ?? 0, startedAtMs + (recordedMs ?? 0))
  }
}

/** A contact whose rows are still being gathered: segments and recordings multiply them. */
interface Unfinished
  extends Pick<UnfinishedContact, 'contactId' | 'startedAtMs' | 'answeredAtMs' | 'hasEnded'> {
  judgedUntilMs: number | null
  readonly segmentIds: Set<string>
  readonly recordings: Map<string, number>
}

function begin(row: Row): Unfinished {
  return {
    contactId: row.contactId,
    startedAtMs: row.startedAt.getTime(),
    answeredAtMs: row.answeredAt?.getTime() ?? null,
    hasEnded: row.endedAt !== null,
    judgedUntilMs: null,
    segmentIds: new Set(),
    recordings: new Map(),
  }
}
