import { settleOutcome } from './completeness/settle-outcome.ts'
import { contactJoined, contactKeyed } from './join-statements.ts'
import type { FoundIn, JournalEntry, NumberFact } from './model.ts'
import { any, clip, instant, must, type Statement, whole } from './statement.ts'

/**
 * What an entry does to the tables. Each statement says the same when it is run again: rows are made once,
 * an end or a verdict that is there stays, a change sets what it names.
 */
export function statementsOf(entry: JournalEntry): readonly Statement[] {
  switch (entry.kind) {
    case 'contact.started':
      return contactStarted(entry)
    case 'contact.joined':
      return contactJoined(entry)
    case 'contact.keyed':
      return contactKeyed(entry)
    case 'contact.changed':
      return contactChanged(entry)
    case 'metadata.received':
      return [insertDocument(entry)]
    case 'contact.answered':
      return [
        must('UPDATE contacts SET answered_at = COALESCE(answered_at, ?) WHERE id = ?', [
          instant(entry.answeredAtMs),
          entry.contactId,
        ]),
      ]
    case 'contact.ended':
      return contactEnded(entry)
    case 'contact.exempted':
      return [
        must('UPDATE contacts SET is_exempt = TRUE WHERE id = ?', [entry.contactId]),
        ...settleOutcome(entry.contactId),
      ]
    case 'segment.started':
      return [
        must(
          `INSERT INTO segments (id, contact_id, session_id, contact_started_at, agent, service_line, started_at)
           SELECT ?, own.id, part.id, own.started_at, ?, own.service_line, ? ${FROM_OWN_ROW}
           ON DUPLICATE KEY UPDATE id = segments.id`,
          [entry.segmentId, clip(entry.agent, 255), instant(entry.startedAtMs), entry.contactId],
        ),
      ]
    case 'segment.ended':
      return [
        must('UPDATE segments SET ended_at = COALESCE(ended_at, ?) WHERE id = ?', [
          instant(entry.endedAtMs),
          entry.segmentId,
        ]),
      ]
    case 'recording.started':
      return [insertRecording(entry.recordingId, entry.contactId, instant(entry.startedAtMs))]
    case 'recording.ended':
      return recordingEnded(entry)
    case 'recording.pauses':
      return [
        any(`UPDATE recordings SET pauses = ? WHERE id = ? AND state = 'recording'`, [
          JSON.stringify(entry.pauses),
          entry.recordingId,
        ]),
      ]
    case 'recording.stored':
      return [
        any(
          `UPDATE recordings SET file = ? WHERE id = ? AND file IS NULL
             AND state NOT IN ('recording', 'deleting', 'deleted')`,
          [entry.file, entry.recordingId],
        ),
      ]
    case 'contact.annotated':
      return contactAnnotated(entry)
  }
}

/** The contact's own row, by the row of any of its sessions. */
const FROM_OWN_ROW = `FROM contacts part
  JOIN contacts own ON own.id = COALESCE(part.joined_into, part.id) WHERE part.id = ?`
/** Of one contact, those that were taken away included. */
const MOST_NOTES = 64

type Entry<Kind extends JournalEntry['kind']> = Extract<JournalEntry, { kind: Kind }>

function contactStarted(entry: Entry<'contact.started'>): readonly Statement[] {
  const columns: Record<string, unknown> = {
    id: entry.contactId,
    node_id: clip(entry.nodeId, 64),
    call_id: clip(entry.callId, 512),
    capture: entry.capture,
    direction: entry.direction,
    ...callerColumns(entry.caller),
    ...serviceNumberColumns(entry.serviceNumber),
    service_line: entry.serviceLine,
    agent: clip(entry.agent, 255),
    platform_reference: clip(entry.platformReference ?? null, 255),
    started_at: instant(entry.startedAtMs),
  }
  const names = Object.keys(columns)
  return [
    any(
      `INSERT INTO contacts (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})
       ON DUPLICATE KEY UPDATE id = id`,
      Object.values(columns),
    ),
    any(
      `INSERT INTO contact_metadata (contact_id, found_in) VALUES (?, ?)
       ON DUPLICATE KEY UPDATE contact_id = contact_id`,
      [entry.contactId, foundInJson(entry.foundIn)],
    ),
    ...(entry.metadata === null
      ? []
      : [
          insertDocument({
            kind: 'metadata.received',
            documentId: entry.contactId,
            contactId: entry.contactId,
            receivedAtMs: entry.startedAtMs,
            document: entry.metadata,
          }),
        ]),
  ]
}

function insertDocument(entry: Entry<'metadata.received'>): Statement {
  return must(
    `INSERT INTO metadata_documents (id, contact_id, received_at, document)
     SELECT ?, id, ?, ? FROM contacts WHERE id = ?
     ON DUPLICATE KEY UPDATE id = metadata_documents.id`,
    [entry.documentId, instant(entry.receivedAtMs), entry.document, entry.contactId],
  )
}

function contactChanged(entry: Entry<'contact.changed'>): readonly Statement[] {
  const { contactId, caller, serviceNumber, serviceLine, agent, platformReference, foundIn } = entry
  const statements: Statement[] = []
  const contact = {
    ...(caller && callerColumns(caller)),
    ...(serviceNumber && serviceNumberColumns(serviceNumber)),
    ...(serviceLine !== undefined && { service_line: serviceLine }),
    ...(agent !== undefined && { agent: clip(agent, 255) }),
    ...(platformReference !== undefined && { platform_reference: clip(platformReference, 255) }),
  }
  if (Object.keys(contact).length > 0) {
    statements.push(update('contacts', contact, { key: 'id', id: contactId }))
  }
  if (foundIn !== undefined) {
    const details = { found_in: foundInJson(foundIn) }
    statements.push(update('contact_metadata', details, { key: 'contact_id', id: contactId }))
  }
  if (serviceLine !== undefined) {
    statements.push(
      any('UPDATE recordings SET service_line = ? WHERE contact_id = ?', [serviceLine, contactId]),
      any('UPDATE segments SET service_line = ? WHERE contact_id = ?', [serviceLine, contactId]),
    )
  }
  return statements
}

/**
 * A node that crashed may not know which segment was open: no segment outlives its contact, which ends with the last of
 * its sessions. The period of its recordings runs from then.
 */
function contactEnded(entry: Entry<'contact.ended'>): readonly Statement[] {
  const endedAt = instant(entry.endedAtMs)
  return [
    must(
      `UPDATE contacts SET end_reason = IF(ended_at IS NULL, ?, end_reason),
         ended_at = COALESCE(ended_at, ?) WHERE id = ?`,
      [clip(entry.endReason, 64), endedAt, entry.contactId],
    ),
    any(
      `SELECT own.id, own.ended_at, COUNT(session.id), COUNT(session.ended_at), MAX(session.ended_at)
       INTO @contact, @own_end, @sessions, @ended_sessions, @last_end
       ${FROM_OWN_ROW.replace(' WHERE', ' LEFT JOIN contacts session ON session.joined_into = own.id WHERE')}`,
      [entry.contactId],
    ),
    any(
      `UPDATE segments SET ended_at = ? WHERE contact_id = @contact AND ended_at IS NULL
         AND @own_end IS NOT NULL AND @sessions = @ended_sessions`,
      [endedAt],
    ),
    any(
      `UPDATE recordings SET call_ended_at = GREATEST(COALESCE(@own_end, @last_end), COALESCE(@last_end, @own_end))
       WHERE contact_id = @contact`,
      [],
    ),
    ...settleOutcome(entry.contactId),
  ]
}

function insertRecording(
  recordingId: string,
  contactId: string,
  startedAt: Date | null,
): Statement {
  return must(
    `INSERT INTO recordings (id, contact_id, session_id, service_line, call_ended_at, state, reasons, started_at)
     SELECT ?, own.id, part.id, own.service_line, own.ended_at, 'recording', '[]',
       COALESCE(?, own.answered_at, own.started_at) ${FROM_OWN_ROW}
     ON DUPLICATE KEY UPDATE id = recordings.id`,
    [recordingId, startedAt, contactId],
  )
}

/**
 * A recording that never saw media has a verdict and no start, so its row may be made here. A verdict
 * stands once given. Until the contact's own end is known the period runs from what the recorder saw.
 */
function recordingEnded(entry: Entry<'recording.ended'>): readonly Statement[] {
  return [
    insertRecording(entry.recordingId, entry.contactId, null),
    any(
      `UPDATE recordings SET state = ?, verdict = ?, reasons = ?, duration_ms = ?, call_duration_ms = ?, lost_ms = ?,
         loss_map = ?, pauses = COALESCE(?, pauses), on_hold = ?, bytes = ?, sha256 = ?,
         encryption = ?, key_set = ?, audio_bytes = ?, audio_sha256 = ?, file = ?, media = ?,
         started_at = COALESCE(?, started_at), call_ended_at = COALESCE(call_ended_at, started_at + INTERVAL ? MICROSECOND)
       WHERE id = ? AND state = 'recording'`,
      [
        entry.state,
        entry.state,
        JSON.stringify(entry.reasons),
        whole(entry.durationMs),
        whole(entry.callDurationMs),
        whole(entry.lostMs),
        JSON.stringify(entry.lossMap),
        entry.pauses === undefined ? null : JSON.stringify(entry.pauses),
        JSON.stringify(entry.onHold ?? []),
        whole(entry.bytes),
        entry.sha256,
        entry.encryption?.form ?? 'none',
        entry.encryption?.keySet ?? null,
        wholeOrNull(entry.encryption?.audioBytes),
        entry.encryption?.audioSha256 ?? null,
        entry.file,
        JSON.stringify(entry.media ?? null),
        entry.startedAtMs === undefined ? null : instant(entry.startedAtMs),
        whole(entry.callDurationMs) * 1000,
        entry.recordingId,
      ],
    ),
    ...settleOutcome(entry.contactId),
  ]
}

/** A note that was written later stands, whichever is applied first. Notes beyond the most that are kept are not. */
function contactAnnotated({
  contactId,
  notes,
  annotatedAtMs,
}: Entry<'contact.annotated'>): readonly Statement[] {
  const annotatedAt = instant(annotatedAtMs)
  return Object.entries(notes).map(([name, value]) =>
    any(
      `INSERT INTO contact_notes (contact_id, name, value, annotated_at)
       SELECT own.id, ?, ?, ? ${FROM_OWN_ROW} AND ? > (
         SELECT COUNT(*) FROM contact_notes n WHERE n.contact_id = own.id AND n.name <> ?
       )
       ON DUPLICATE KEY UPDATE
         value = IF(VALUES(annotated_at) >= annotated_at, VALUES(value), value),
         annotated_at = GREATEST(VALUES(annotated_at), annotated_at)`,
      [clip(name, 64), clip(value, 1024), annotatedAt, contactId, MOST_NOTES, clip(name, 64)],
    ),
  )
}

function wholeOrNull(number: number | null | undefined): number | null {
  return number === null || number === undefined ? null : whole(number)
}

function callerColumns(caller: NumberFact) {
  return {
    caller_raw: clip(caller.raw, 255),
    caller_e164: e164(caller.e164),
    caller_display: clip(caller.display, 255),
    caller_withheld: caller.isWithheld,
  }
}

function serviceNumberColumns(serviceNumber: NumberFact) {
  return {
    service_number_raw: clip(serviceNumber.raw, 255),
    service_number_e164: e164(serviceNumber.e164),
    service_number_display: clip(serviceNumber.display, 255),
  }
}

function foundInJson(foundIn: Readonly<Record<string, FoundIn | null>>): string {
  return JSON.stringify(foundIn)
}

function e164(number: string | null): string | null {
  return number !== null && /^\+\d{1,15}$/.test(number) ? number : null
}

function update(
  table: 'contacts' | 'contact_metadata',
  columns: Readonly<Record<string, unknown>>,
  { key, id }: { readonly key: string; readonly id: string },
): Statement {
  const settings = Object.keys(columns).map((name) => `${name} = ?`)
  return must(`UPDATE ${table} SET ${settings.join(', ')} WHERE ${key} = ?`, [
    ...Object.values(columns),
    id,
  ])
}
