import { linesOf } from './contact-lines.ts'
import { pageOf, searchQuery } from './contact-search.ts'
import {
  type ContactRow,
  endOf,
  iso,
  NOT_FOUND,
  type NoteRow,
  notesView,
  type RecordingRow,
  recordingView,
  type SegmentRow,
  type SessionRow,
  segmentView,
  sessionView,
} from './contact-views.ts'
import type { Pool, Queryable } from './database.ts'
import { activeHolds } from './holds.ts'
import type {
  ContactFilter,
  ContactPage,
  ContactView,
  RecordingView,
  StoredFileView,
} from './model.ts'
import { currentPolicies } from './service-lines.ts'

/** A recording with what those need who serve its bytes. */
export interface RecordingDetails {
  readonly view: RecordingView
  readonly contactId: string
  readonly serviceLine: string
  /** Relative to the store; null where no file was made. Kept when the file is deleted. */
  readonly file: string | null
  readonly stored: StoredFileView
  /** Set once deletion has begun. */
  readonly deletion: RecordingDeletion | null
}

/** By what a recording is or was deleted. */
export interface RecordingDeletion {
  /** ISO 8601 UTC; null until the file is gone. */
  readonly deletedAt: string | null
  /** The period that asked for it, an ISO 8601 duration; null where no period did. */
  readonly period: string | null
  /** Version of the service line's policy; null likewise. */
  readonly policyVersion: number | null
}

interface DeletionRow {
  readonly file: string | null
  readonly deletedAt: Date | null
  readonly policyVersion: number | null
  readonly period: string | null
}

const CONTACT_COLUMNS = `id, node_id AS node, call_id AS callId, capture, direction, caller_display AS caller,
  caller_raw AS callerRaw, caller_withheld AS callerWithheld, service_number_display AS serviceNumber,
  service_line AS serviceLine, agent, platform_reference AS platformReference, found_in AS foundIn, started_at AS startedAt, answered_at AS answeredAt,
  ended_at AS endedAt, end_reason AS endReason`

const RECORDING_COLUMNS = `r.id, r.contact_id AS contactId, r.service_line AS serviceLine, r.state,
  r.reasons, r.started_at AS startedAt, r.call_ended_at AS callEndedAt, r.duration_ms AS durationMs,
  r.bytes, r.sha256, r.encryption, r.key_set AS keySet, r.audio_bytes AS audioBytes,
  r.audio_sha256 AS audioSha256, r.lost_ms AS lostMs, r.pauses, r.on_hold AS onHold, r.file_missing_since AS fileMissingSince`

/** One page, newest first. Throws `bad_cursor`. `nowMs` decides which holds are active. */
export async function findContacts(
  database: Queryable,
  filter: ContactFilter,
  nowMs: number,
): Promise<ContactPage> {
  const lines = await linesOf(database, filter)
  if (lines?.length === 0) return { items: [], nextCursor: null }
  const { sql, values } = searchQuery(filter, lines)
  const found: { id: string; started_at: Date }[] = await database.query(sql, [...values])
  const { page, nextCursor } = pageOf(found, filter.limit, {
    cursorOf: ({ id, started_at: startedAt }) => ({ startedAtMs: startedAt.getTime(), id }),
  })
  return {
    items: await loadContacts(
      database,
      page.map(({ id }) => id),
      nowMs,
    ),
    nextCursor,
  }
}

/** By the contact's own id, or that of any of its sessions. */
export async function findContact(
  pool: Pool,
  id: string,
  nowMs: number,
): Promise<ContactView | undefined> {
  const rows: { id: string }[] = await pool.query(
    'SELECT COALESCE(joined_into, id) AS id FROM contacts WHERE id = ?',
    [id],
  )
  const [contact] = await loadContacts(
    pool,
    rows.map((row) => row.id),
    nowMs,
  )
  return contact
}

/** `id` must have the form of an id. */
export async function findRecording(
  pool: Pool,
  id: string,
  nowMs: number,
): Promise<RecordingDetails | undefined> {
  const [row]: (RecordingRow & DeletionRow)[] = await pool.query(
    `SELECT ${RECORDING_COLUMNS}, r.file, r.deleted_at AS deletedAt,
       r.deleted_by_policy AS policyVersion, p.period
     FROM recordings r LEFT JOIN service_line_policies p
       ON p.service_line = r.service_line AND p.version = r.deleted_by_policy
     WHERE r.id = ?`,
    [id],
  )
  if (!row) return undefined
  const [policies, holds] = await Promise.all([
    currentPolicies(pool),
    activeHolds(pool, [id], nowMs),
  ])
  const { contactId, serviceLine, file, deletedAt, period, policyVersion } = row
  const policy = policies.get(serviceLine)
  const isGoing = row.state === 'deleting' || row.state === 'deleted'
  return {
    view: recordingView(row, { policy, held: holds.length > 0 }),
    contactId,
    serviceLine,
    file,
    stored: {
      bytes: row.bytes,
      sha256: row.sha256,
      encryption: row.encryption,
      keySet: row.keySet,
    },
    deletion: isGoing ? { deletedAt: iso(deletedAt), period, policyVersion } : null,
  }
}

/** The contacts in the order of the ids; ids without a contact are left out. */
async function loadContacts(
  database: Queryable,
  ids: readonly string[],
  nowMs: number,
): Promise<readonly ContactView[]> {
  if (ids.length === 0) return []
  const [contacts, notes, sessions, segments, recordings, policies] = await Promise.all([
    database.query<ContactRow[]>(
      `SELECT ${CONTACT_COLUMNS} FROM contacts LEFT JOIN contact_metadata ON contact_id = id
       WHERE id IN (?)`,
      [ids],
    ),
    database.query<NoteRow[]>(
      // A condition with OR would read the notes of all contacts.
      `SELECT contact_id AS contactId, name, value, annotated_at FROM contact_notes FORCE INDEX (PRIMARY)
       WHERE contact_id IN (?)
       UNION ALL
       SELECT c.joined_into, n.name, n.value, n.annotated_at
       FROM contacts c FORCE INDEX (by_joined) JOIN contact_notes n ON n.contact_id = c.id
       WHERE c.joined_into IN (?)
       ORDER BY annotated_at`,
      [ids, ids],
    ),
    database.query<SessionRow[]>(
      `SELECT joined_into AS contactId, node_id AS node, call_id AS callId, started_at AS startedAt,
         ended_at AS endedAt, end_reason AS endReason
       FROM contacts WHERE joined_into IN (?) ORDER BY started_at, id`,
      [ids],
    ),
    database.query<SegmentRow[]>(
      `SELECT id, contact_id AS contactId, agent, started_at AS startedAt, ended_at AS endedAt
       FROM segments WHERE contact_id IN (?) ORDER BY started_at, id`,
      [ids],
    ),
    database.query<RecordingRow[]>(
      `SELECT ${RECORDING_COLUMNS} FROM recordings r
       WHERE r.contact_id IN (?) ORDER BY r.started_at, r.id`,
      [ids],
    ),
    currentPolicies(database),
  ])
  const holds = await activeHolds(
    database,
    recordings.map(({ id }) => id),
    nowMs,
  )
  const heldIds = new Set(holds.map(({ recordingId }) => recordingId))
  const sessionsOf = byContact(sessions)
  const notesOf = byContact(notes)
  const segmentsOf = byContact(segments)
  const recordingsOf = byContact(recordings)
  const byId = new Map(contacts.map((contact) => [contact.id, contact]))
  return ids.flatMap((id) => {
    const contact = byId.get(id)
    if (!contact) return []
    const { node, ...fields } = contact
    const views = (recordingsOf.get(id) ?? []).map((recording) =>
      recordingView(recording, {
        policy: policies.get(recording.serviceLine),
        held: heldIds.has(recording.id),
      }),
    )
    const further = sessionsOf.get(id) ?? []
    return {
      ...fields,
      callerWithheld: Boolean(contact.callerWithheld),
      foundIn: { ...NOT_FOUND, ...contact.foundIn },
      startedAt: contact.startedAt.toISOString(),
      answeredAt: iso(contact.answeredAt),
      ...endOf([contact, ...further]),
      notes: notesView(notesOf.get(id) ?? []),
      segments: (segmentsOf.get(id) ?? []).map((segment) => segmentView(segment, views)),
      recordings: views,
      sessions: further.length === 0 ? [] : [contact, ...further].map(sessionView),
    }
  })
}

function byContact<Row extends { readonly contactId: string }>(
  rows: readonly Row[],
): ReadonlyMap<string, readonly Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const group = groups.get(row.contactId)
    if (group) group.push(row)
    else groups.set(row.contactId, [row])
  }
  return groups
}
