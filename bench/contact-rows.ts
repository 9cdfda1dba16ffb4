import type { PoolConnection } from '../storage/database.ts'

/** Instants between which the contacts begin, at even intervals. */
export interface Period {
  readonly fromMs: number
  readonly toMs: number
}

/** Of a thousand contacts so many come from one caller, as a company's switchboard does. */
const OF_ONE_COMPANY = 10
/** What a contact's number makes of it: the remainders share no factor, so that all combinations come. */
const MAKE = {
  caller: `IF(seq MOD 1000 < ${OF_ONE_COMPANY}, '+12025550199', CONCAT('+1202556', LPAD(seq * 7919 MOD 1000003, 7, '0')))`,
  serviceNumber: `CONCAT('+120255501', LPAD(seq MOD 19, 2, '0'))`,
  serviceLine: `CONCAT('linja-', seq MOD 19 MOD 5)`,
  agent: `CONCAT('agent-', seq MOD 211)`,
} as const
/** The second agent, of every fifth contact. */
const SECOND_AGENT = `CONCAT('agent-', (seq + 1) MOD 211)`

/**
 * Fills empty tables with contacts, each with a segment and a recording, every fifth with a second segment, every
 * fiftieth with notes, every hundredth a further session of the one before. Their secondary keys are made from sorted
 * rows, as the server does for tables that are empty and whose keys nobody asks it to prove.
 */
export async function generateContacts(
  connection: PoolConnection,
  rows: number,
  period: Period,
): Promise<void> {
  const microseconds = Math.floor(((period.toMs - period.fromMs) * 1000) / rows)
  const numbered = `(SELECT seq, ? + INTERVAL seq * ${microseconds} MICROSECOND AS at FROM seq_1_to_${rows}) numbered`
  const from = [new Date(period.fromMs)]
  await connection.query('SET unique_checks = 0, foreign_key_checks = 0')
  await connection.query(
    `INSERT INTO contacts (id, node_id, call_id, capture, direction, caller_raw, caller_e164, caller_display,
       caller_withheld, service_number_raw, service_number_e164, service_number_display, service_line, agent,
       platform_reference, started_at, answered_at, ended_at, end_reason, outcome, joined_into)
     SELECT ${idOf('seq', 'at', '7')}, CONCAT('node-', seq MOD 3), CONCAT('call-', seq, '@192.0.2.1'), 'siprec', 'inbound',
       ${MAKE.caller}, ${MAKE.caller}, ${MAKE.caller}, FALSE, ${MAKE.serviceNumber}, ${MAKE.serviceNumber},
       ${MAKE.serviceNumber}, ${MAKE.serviceLine}, ${MAKE.agent}, CONCAT('reference-', seq), at, at,
       at + INTERVAL 4 MINUTE, 'bye', IF(seq MOD 100 = 0, 'joined', 'complete'),
       IF(seq MOD 100 = 0, ${idOf('seq - 1', `at - INTERVAL ${microseconds} MICROSECOND`, '7')}, NULL)
     FROM ${numbered}`,
    from,
  )
  const contactId = idOf('seq', 'at', '7')
  await connection.query(
    `INSERT INTO segments (id, contact_id, contact_started_at, agent, started_at, ended_at)
     SELECT ${idOf('seq', 'at', '8')}, ${contactId}, at, ${MAKE.agent}, at, at + INTERVAL 2 MINUTE FROM ${numbered}
     WHERE seq MOD 100 > 0
     UNION ALL
     SELECT ${idOf('seq', 'at', '9')}, ${contactId}, at, ${SECOND_AGENT}, at + INTERVAL 2 MINUTE, at + INTERVAL 4 MINUTE
     FROM ${numbered} WHERE seq MOD 5 = 1`,
    [...from, ...from],
  )
  await connection.query(
    `INSERT INTO recordings (id, contact_id, service_line, call_ended_at, state, verdict, reasons, started_at,
       duration_ms, call_duration_ms, lost_ms, bytes, sha256, file)
     SELECT ${idOf('seq', 'at', 'a')}, ${contactId}, ${MAKE.serviceLine}, at + INTERVAL 4 MINUTE, 'complete', 'complete',
       '[]', at, 240000, 240000, 0, 700000, REPEAT('0', 64), CONCAT('2025/01/01/', ${idOf('seq', 'at', 'a')}, '.opus')
     FROM ${numbered} WHERE seq MOD 100 > 0`,
    from,
  )
  await connection.query(
    `INSERT INTO contact_notes (contact_id, name, value, annotated_at)
     SELECT ${contactId}, 'topic', 'invoice', at FROM ${numbered} WHERE seq MOD 50 = 1`,
    from,
  )
  await connection.query('SET unique_checks = 1, foreign_key_checks = 1')
  await connection.query('ANALYZE TABLE contacts, segments, recordings, contact_notes')
}

/** A UUIDv7 of an instant (RFC 9562 §5.7), in SQL: a number makes it one of its own, a digit of its kind. */
function idOf(number: string, at: string, kind: string): string {
  const ms = `CAST(UNIX_TIMESTAMP(${at}) * 1000 AS UNSIGNED)`
  return `CONCAT(LPAD(HEX(${ms} DIV 65536), 8, '0'), '-', LPAD(HEX(${ms} MOD 65536), 4, '0'), '-7${kind}00-8000-', LPAD(HEX(${number}), 12, '0'))`
}
