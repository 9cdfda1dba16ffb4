import type { Pool } from './database.ts'
import type { MetadataDocumentView } from './model.ts'

/** Each session keeps at most 256 KiB of them. */
const DOCUMENTS = 1000

const OWN_ROW = '(SELECT COALESCE(joined_into, id) FROM contacts WHERE id = ?)'

/**
 * The recording metadata that the sessions of a contact were sent, the oldest first; undefined where there is no such
 * contact. `id` is the contact's own or that of any of its sessions.
 */
export async function findMetadata(
  pool: Pool,
  id: string,
): Promise<readonly MetadataDocumentView[] | undefined> {
  const rows: { callId: string; receivedAt: Date | null; document: string | null }[] =
    await pool.query(
      `SELECT session.call_id AS callId, received_at AS receivedAt, document
       FROM (
         SELECT id, call_id FROM contacts WHERE id = ${OWN_ROW}
         UNION ALL SELECT id, call_id FROM contacts WHERE joined_into = ${OWN_ROW}) session
       LEFT JOIN metadata_documents ON contact_id = session.id
       ORDER BY received_at, metadata_documents.id LIMIT ${DOCUMENTS}`,
      [id, id],
    )
  if (rows.length === 0) return undefined
  return rows.flatMap(({ callId, receivedAt, document }) =>
    receivedAt === null || document === null
      ? []
      : { callId, receivedAt: receivedAt.toISOString(), document },
  )
}
