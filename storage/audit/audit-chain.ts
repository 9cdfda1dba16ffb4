import { createHash } from 'node:crypto'
import type { Actor, AuditAction, AuditDetail, AuditEvent } from './audit-event.ts'

/** What the first row follows. */
export const GENESIS = '0'.repeat(64)

/** A place in the chain: a row and its hash, which stands for all rows up to it. */
export interface ChainLink {
  readonly sequence: number
  /** SHA-256 in lower-case hexadecimal. */
  readonly hash: string
}

/** Before the first row. */
export const CHAIN_START: ChainLink = { sequence: 0, hash: GENESIS }

/** A row as it is stored; `details` is the text that was hashed. */
export interface StoredRow {
  readonly sequence: number
  readonly id: string
  readonly atMs: number
  readonly writer: string
  readonly actorKind: Actor['kind']
  readonly actorName: string
  readonly action: AuditAction
  readonly contactId: string | null
  readonly recordingId: string | null
  readonly details: string
  readonly previousHash: string
  readonly hash: string
}

const NAME_LENGTH = 255
/** What a row may say. A longer text would be cut by nobody knows whom, so it is replaced whole. */
const DETAILS_LENGTH = 1_048_576

/** The row that follows `after`. */
export function linkRow(event: AuditEvent, writer: string, after: ChainLink): StoredRow {
  const details = canonicalJson(event.details)
  const row = {
    sequence: after.sequence + 1,
    id: event.id,
    atMs: Math.round(event.atMs),
    writer,
    actorKind: event.actor.kind,
    actorName: storable(event.actor.name),
    action: event.action,
    contactId: event.contactId,
    recordingId: event.recordingId,
    details: details.length <= DETAILS_LENGTH ? details : '{"omitted":"too long"}',
    previousHash: after.hash,
  }
  return { ...row, hash: hashOfRow(row) }
}

/**
 * SHA-256 over the hash of the row before and this row, both in one canonical form:
 *
 *     HASH-BEFORE LF
 *     [sequence,"id","occurred at","writer","actor kind","actor","action",contact,recording,details] LF
 *
 * The second line is JSON without spaces. The instant is ISO 8601 UTC with milliseconds, contact and recording are
 * ids or null, and details stand as they are stored: an object whose names are sorted by their UTF-16 units.
 */
export function hashOfRow(row: Omit<StoredRow, 'hash'>): string {
  const facts = [
    row.sequence,
    row.id,
    new Date(row.atMs).toISOString(),
    row.writer,
    row.actorKind,
    row.actorName,
    row.action,
    row.contactId,
    row.recordingId,
  ]
  const line = `[${facts.map((fact) => JSON.stringify(fact)).join(',')},${row.details}]`
  return createHash('sha256').update(`${row.previousHash}\n${line}\n`).digest('hex')
}

/** JSON of which there is one form only: names sorted, no spaces. */
export function canonicalJson(value: AuditDetail): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`
  const members = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name] ?? null)}`)
  return `{${members.join(',')}}`
}

/** Half a surrogate pair does not survive the way to the database. */
function storable(name: string): string {
  return Buffer.from(name.slice(0, NAME_LENGTH), 'utf8').toString('utf8')
}

function isList(value: AuditDetail): value is readonly AuditDetail[] {
  return Array.isArray(value)
}
