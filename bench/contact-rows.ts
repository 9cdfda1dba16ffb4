import type { Pool } from '../storage/database.ts'
import { withoutSecondaryKeys } from './without-secondary-keys.ts'

/** Instants between which the contacts begin, at even intervals. */
export interface Period {
  readonly fromMs: number
  readonly toMs: number
}

/** The number that calls most often, as a company's switchboard does: it made one contact of a hundred. */
export const BUSIEST_CALLER = '+120255501000000'

const LINES = 12
const SERVICE_NUMBERS = 60
const AGENTS_OF_LINE = 50
const CALLERS = 1_000_000
const DAY_MS = 86_400_000
/** Recordings of older contacts are deleted. */
const KEPT_MS = 183 * DAY_MS

/**
 * A fraction from 0 to 1 that a contact's number makes: over many contacts all are equally frequent, and those of two
 * primes know nothing of each other. A further session has those of the contact that it belongs to.
 */
function fraction(prime: number): string {
  return `MOD(owner * SQRT(${prime}), 1)`
}

/** A rank from 0 on below `count`, the first the most frequent: a higher power makes that one busier. */
function rank(count: number, { prime, power }: { prime: number; power: number }): string {
  return `FLOOR(${count} * POW(${fraction(prime)}, ${power}))`
}

/** An agent of the line's team, or in one contact of fifty of the next line's, which helps out. */
function agentOf(prime: number): string {
  const team = `(line + IF(${fraction(7)} < 0.02, 1, 0)) MOD ${LINES}`
  return `CONCAT('agent-', ${rank(AGENTS_OF_LINE, { prime, power: 1.5 })} * ${LINES} + ${team})`
}

const NUMBER = rank(SERVICE_NUMBERS, { prime: 2, power: 2 })
const CALLER = `CONCAT('+120255501', LPAD(${rank(CALLERS, { prime: 3, power: 3 })}, 6, '0'))`

/**
 * Fills empty tables with contacts of a centre with twelve lines, sixty service numbers and six hundred agents, the same
 * ones each time: a few lines, numbers, agents and callers are very busy, most are rare, and an agent handles one line and
 * now and then the next. Each contact that was answered has a recording and a segment, every fifth a second one; every
 * hundredth row is a further session of the one before, every fiftieth contact has a note.
 *
 * The secondary keys are made afterwards out of sorted rows, which takes a fraction of the time that inserting into them
 * does, and leaves them as dense as a table that was optimized. Tables are filled at once, each over a connection of its
 * own.
 */
export async function generateContacts(pool: Pool, rows: number, period: Period): Promise<void> {
  await nameContacts(pool, rows, period)
  await Promise.all(Object.entries(INSERTS).map(([table, inserts]) => fill(pool, table, inserts)))
  await pool.query('DROP TABLE made')
  await pool.query(`ANALYZE TABLE ${Object.keys(INSERTS).join(', ')}`)
}

async function fill(pool: Pool, table: string, inserts: readonly string[]): Promise<void> {
  const connection = await pool.getConnection()
  try {
    await connection.query('SET unique_checks = 0, foreign_key_checks = 0')
    await withoutSecondaryKeys(connection, table, async () => {
      for (const insert of inserts) await connection.query(insert)
    })
    await connection.query('SET unique_checks = 1, foreign_key_checks = 1')
  } finally {
    await connection.release()
  }
}

/** What tells contacts apart, once for all tables. */
async function nameContacts(pool: Pool, rows: number, { fromMs, toMs }: Period): Promise<void> {
  const everyUs = Math.floor(((toMs - fromMs) * 1000) / rows)
  const atMs = (number: string) => `(${fromMs} + ${number} * ${everyUs} DIV 1000)`
  await pool.query(
    `CREATE TABLE made (
       seq INT UNSIGNED NOT NULL, id UUID NOT NULL, joined_into UUID NULL, at DATETIME(3) NOT NULL,
       caller VARCHAR(16) CHARACTER SET ascii NULL, service_number VARCHAR(16) CHARACTER SET ascii NOT NULL,
       service_line VARCHAR(63) CHARACTER SET ascii NOT NULL, agent VARCHAR(63) NOT NULL, second_agent VARCHAR(63) NULL,
       outcome VARCHAR(16) NOT NULL, reasons VARCHAR(63) NOT NULL, is_old BOOLEAN NOT NULL
     ) ENGINE=MyISAM CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  )
  await pool.query(
    `INSERT INTO made
     SELECT seq, ${idOf('seq', atMs('seq'))}, IF(owner = seq, NULL, ${idOf('owner', atMs('owner'))}),
       FROM_UNIXTIME(${atMs('seq')} / 1000),
       IF(${fraction(19)} < 0.05, NULL, ${CALLER}), CONCAT('+120255501', LPAD(number, 2, '0')), CONCAT('linja-', line),
       ${agentOf(5)}, IF(${fraction(13)} < 0.2, ${agentOf(11)}, NULL),
       CASE WHEN owner <> seq THEN 'joined' WHEN ${fraction(17)} < 0.04 THEN 'unanswered'
         WHEN ${fraction(17)} < 0.045 THEN 'partial' WHEN ${fraction(17)} < 0.047 THEN 'silent' ELSE 'complete' END,
       CASE WHEN owner <> seq THEN '' WHEN ${fraction(17)} < 0.04 THEN 'cancelled'
         WHEN ${fraction(17)} < 0.045 THEN 'media_lost' WHEN ${fraction(17)} < 0.047 THEN 'no_media'
         WHEN ${fraction(17)} < 0.08 THEN 'paused' ELSE '' END,
       ${atMs('seq')} < ${toMs - KEPT_MS}
     FROM (SELECT seq, owner, number, number MOD ${LINES} AS line
       FROM (SELECT seq, owner, ${NUMBER} AS number
         FROM (SELECT seq, IF(seq MOD 100 = 0, seq - 1, seq) AS owner FROM seq_1_to_${rows}) owned) numbered) lined`,
  )
}

/** A UUIDv7 of an instant (RFC 9562 §5.7), in SQL: a number makes it one of its own. */
function idOf(number: string, atMs: string): string {
  return `CONCAT(INSERT(LPAD(HEX(${atMs}), 12, '0'), 9, 0, '-'), '-7000-8000-', LPAD(HEX(${number}), 12, '0'))`
}

/** The contact's id with another digit, for what belongs to it. */
function idBeside(digit: string): string {
  return `INSERT(CAST(id AS CHAR(36)), 16, 1, '${digit}')`
}

const WAS_ANSWERED = `outcome NOT IN ('joined', 'unanswered')`

const FOUND_IN = JSON.stringify({
  caller: { source: 'metadata', isGuess: false },
  serviceNumber: { source: 'metadata', isGuess: false },
  agent: { source: 'metadata', isGuess: false },
  platformReference: { source: 'oracle-ucid', isGuess: false },
})

const INSERTS = {
  contacts: [
    `INSERT INTO contacts (id, node_id, call_id, capture, direction, caller_raw, caller_e164, caller_display,
     caller_withheld, service_number_raw, service_number_e164, service_number_display, service_line, agent,
     platform_reference, started_at, answered_at, ended_at, end_reason, outcome, outcome_reasons, joined_into)
   SELECT id, CONCAT('node-', seq MOD 3), CONCAT('call-', seq, '@192.0.2.1'), 'siprec', 'inbound', caller, caller, caller,
     caller IS NULL, service_number, service_number, service_number, service_line, agent, CONCAT('reference-', seq), at,
     IF(outcome = 'unanswered', NULL, at + INTERVAL 8 SECOND), at + INTERVAL 4 MINUTE,
     IF(outcome = 'unanswered', 'cancelled', 'bye'), outcome, reasons, joined_into
   FROM made`,
  ],
  contact_metadata: [
    `INSERT INTO contact_metadata (contact_id, found_in) SELECT id, '${FOUND_IN}' FROM made WHERE outcome <> 'joined'`,
  ],
  segments: [
    `INSERT INTO segments (id, contact_id, contact_started_at, agent, service_line, started_at, ended_at)
   SELECT ${idBeside('1')}, id, at, agent, service_line, at + INTERVAL 8 SECOND, at + INTERVAL 2 MINUTE FROM made WHERE ${WAS_ANSWERED}`,
    `INSERT INTO segments (id, contact_id, contact_started_at, agent, service_line, started_at, ended_at)
   SELECT ${idBeside('2')}, id, at, second_agent, service_line, at + INTERVAL 2 MINUTE, at + INTERVAL 4 MINUTE
   FROM made WHERE ${WAS_ANSWERED} AND second_agent IS NOT NULL`,
  ],
  recordings: [
    `INSERT INTO recordings (id, contact_id, service_line, call_ended_at, state, verdict, reasons, started_at,
     duration_ms, call_duration_ms, lost_ms, bytes, sha256, file, deleted_at)
   SELECT ${idBeside('3')}, id, service_line, at + INTERVAL 4 MINUTE, IF(is_old, 'deleted', outcome), outcome,
     IF(reasons = '', '[]', CONCAT('["', reasons, '"]')), at + INTERVAL 8 SECOND, 232000, 232000, 0, 700000,
     REPEAT('0', 64), CONCAT('2025/01/01/', ${idBeside('3')}, '.opus'), IF(is_old, at + INTERVAL 183 DAY, NULL)
   FROM made WHERE ${WAS_ANSWERED}`,
  ],
  contact_notes: [
    `INSERT INTO contact_notes (contact_id, name, value, annotated_at)
   SELECT id, 'topic', 'invoice', at FROM made WHERE seq MOD 50 = 1`,
  ],
} as const
