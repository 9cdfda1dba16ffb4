import { SETTLE_JOINED, settleOutcome } from './completeness/settle-outcome.ts'
import type { JournalEntry } from './model.ts'
import { any, clip, instant, must, type Statement, whole } from './statement.ts'

type Entry<Kind extends JournalEntry['kind']> = Extract<JournalEntry, { kind: Kind }>

/** A call that began so long before another is not it, whatever its row says of an end: its node may never come back. */
const LONGEST_CALL_S = 86_400

/**
 * A further session has a row with what is known of the contact. A row that is there already, because the session was
 * taken for another call, leads to the contact from now on, and so does all that led to it.
 */
export function contactJoined(entry: Entry<'contact.joined'>): readonly Statement[] {
  return [
    must(
      `INSERT INTO contacts (id, node_id, call_id, capture, direction, caller_raw, caller_e164, caller_display,
         caller_withheld, service_number_raw, service_number_e164, service_number_display, service_line, agent,
         started_at, joined_into, outcome)
       SELECT ?, ?, ?, ?, own.direction, own.caller_raw, own.caller_e164, own.caller_display, own.caller_withheld,
         own.service_number_raw, own.service_number_e164, own.service_number_display, own.service_line, own.agent,
         ?, own.id, 'joined'
       FROM contacts part JOIN contacts own ON own.id = COALESCE(part.joined_into, part.id) WHERE part.id = ?
       ON DUPLICATE KEY UPDATE contacts.id = contacts.id`,
      [
        entry.contactId,
        clip(entry.nodeId, 64),
        clip(entry.callId, 512),
        entry.capture,
        instant(entry.startedAtMs),
        entry.into,
      ],
    ),
    any('SET @root = (SELECT COALESCE(joined_into, id) FROM contacts WHERE id = ?)', [entry.into]),
    any(`SET @part = (SELECT COALESCE(joined_into, id) FROM contacts WHERE id = ?)`, [
      entry.contactId,
    ]),
    any('SET @part = NULLIF(@part, @root)', []),
    ...JOIN,
    // It goes on again with this session.
    ...settleOutcome(entry.into),
  ]
}

/**
 * Joins the contact with one of an equal name, if there is one at the time: the earlier one is the contact, whatever
 * order they come in. Names lead to the newest contact that had them.
 */
export function contactKeyed(entry: Entry<'contact.keyed'>): readonly Statement[] {
  const keys = entry.keys.map(({ key }) => key.slice(0, 255))
  const seenAt = instant(entry.seenAtMs)
  if (keys.length === 0) return []
  const held = entry.keys.flatMap(({ key, afterEndMs }) => [
    key.slice(0, 255),
    whole(afterEndMs) * 1000,
  ])
  return [
    any('SET @mine = (SELECT COALESCE(joined_into, id) FROM contacts WHERE id = ?)', [
      entry.contactId,
    ]),
    // Locks the names, so that two nodes do not each take theirs for the first.
    any(
      `INSERT INTO contact_keys (join_key, contact_id, seen_at)
       VALUES ${keys.map(() => '(?, @mine, ?)').join(', ')}
       ON DUPLICATE KEY UPDATE contact_keys.join_key = contact_keys.join_key`,
      keys.flatMap((key) => [key, seenAt]),
    ),
    any(
      `SET @other = (
        SELECT theirs.id FROM contact_keys
          JOIN contacts holder ON holder.id = contact_keys.contact_id
          JOIN contacts theirs ON theirs.id = COALESCE(holder.joined_into, holder.id)
          JOIN contacts mine ON mine.id = @mine
        WHERE contact_keys.join_key IN (?) AND theirs.id <> @mine
          AND ABS(TIMESTAMPDIFF(SECOND, theirs.started_at, mine.started_at)) < ${LONGEST_CALL_S}
          AND COALESCE(mine.caller_e164 = theirs.caller_e164, TRUE)
          AND ${reaches('theirs', 'mine', keys)}
          AND ${reaches('mine', 'theirs', keys)}
        ORDER BY theirs.started_at, theirs.id LIMIT 1)`,
      [keys, ...held, ...held, ...held, ...held],
    ),
    any(
      `SET @root = (SELECT id FROM contacts WHERE id IN (@mine, @other) ORDER BY started_at, id LIMIT 1)`,
      [],
    ),
    any('SET @part = IF(@root = @mine, @other, @mine)', []),
    any(
      `UPDATE contact_keys LEFT JOIN contacts holder ON holder.id = contact_keys.contact_id
         JOIN contacts mine ON mine.id = @mine
       SET contact_keys.contact_id = @root, contact_keys.seen_at = ?
       WHERE contact_keys.join_key IN (?) AND (holder.id IS NULL OR holder.started_at <= mine.started_at)`,
      [seenAt, keys],
    ),
    ...JOIN,
  ]
}

/** Whether any session of a contact went on when another began, or had ended so shortly before that the name still holds. */
function reaches(first: string, second: string, keys: readonly string[]): string {
  const held = `CASE contact_keys.join_key ${keys.map(() => 'WHEN ? THEN ?').join(' ')} END`
  const isLate = (row: string) =>
    `(${row}.ended_at IS NULL OR ${row}.ended_at + INTERVAL ${held} MICROSECOND >= ${second}.started_at)`
  return `(${isLate(first)} OR EXISTS (
    SELECT 1 FROM contacts session WHERE session.joined_into = ${first}.id AND ${isLate('session')}))`
}

/** Makes `@part`, a contact's own row or null, a session of `@root`. */
const JOIN: readonly Statement[] = [
  any('UPDATE contacts SET joined_into = @root WHERE joined_into = @part', []),
  any('UPDATE contacts SET joined_into = @root WHERE id = @part', []),
  any(
    `UPDATE segments JOIN contacts own ON own.id = @root
     SET segments.contact_id = own.id, segments.contact_started_at = own.started_at
     WHERE segments.contact_id = @part`,
    [],
  ),
  any('UPDATE recordings SET contact_id = @root WHERE contact_id = @part', []),
  // A note that both have is the contact's own.
  any('UPDATE IGNORE contact_notes SET contact_id = @root WHERE contact_id = @part', []),
  any(
    `UPDATE contacts own JOIN contacts part ON part.id = @part
     SET own.platform_reference = part.platform_reference
     WHERE own.id = @root AND own.platform_reference IS NULL`,
    [],
  ),
  // What only the later one was told: a client at the agent's end may know no service number.
  any(
    `UPDATE contacts own JOIN contacts part ON part.id = @part
     SET own.caller_raw = part.caller_raw, own.caller_e164 = part.caller_e164,
       own.caller_display = part.caller_display, own.caller_withheld = part.caller_withheld
     WHERE own.id = @root AND own.caller_raw IS NULL AND NOT own.caller_withheld`,
    [],
  ),
  any(
    `UPDATE contacts own JOIN contacts part ON part.id = @part
     SET own.service_number_raw = part.service_number_raw, own.service_number_e164 = part.service_number_e164,
       own.service_number_display = part.service_number_display, own.service_line = part.service_line
     WHERE own.id = @root AND EXISTS (
       SELECT 1 FROM service_lines line WHERE line.name = own.service_line AND line.is_catch_all)`,
    [],
  ),
  any(
    `UPDATE recordings JOIN contacts own ON own.id = recordings.contact_id
     SET recordings.service_line = own.service_line WHERE recordings.contact_id = @root AND @part IS NOT NULL`,
    [],
  ),
  any(
    `UPDATE segments JOIN contacts own ON own.id = segments.contact_id
     SET segments.service_line = own.service_line WHERE segments.contact_id = @root AND @part IS NOT NULL`,
    [],
  ),
  ...SETTLE_JOINED,
]
