import { TallenneError } from '../base/tallenne-error.ts'
import { isId } from '../base/uuid.ts'
import type { ContactFilter } from './model.ts'

/** Where a page ended: the next one begins after it. */
export interface Cursor {
  readonly startedAtMs: number
  readonly id: string
}

export interface SearchQuery {
  readonly sql: string
  readonly values: readonly unknown[]
}

/**
 * Fields by which contacts are looked up: the columns that match, each with its index. It is in order of time, or of
 * service lines and then of time.
 */
const LOOKUPS = {
  callId: [{ column: 'call_id', index: 'by_call' }],
  platformReference: [{ column: 'platform_reference', index: 'by_reference' }],
  caller: [
    { column: 'caller_e164', index: 'by_caller' },
    { column: 'caller_raw', index: 'by_caller_raw' },
  ],
  agent: [{ column: 'agent', index: 'by_agent' }],
  serviceNumber: [
    { column: 'service_number_e164', index: 'by_service_number' },
    { column: 'service_number_raw', index: 'by_service_number_raw' },
  ],
  serviceLine: [{ column: 'service_line', index: 'by_line' }],
} as const
type Field = keyof typeof LOOKUPS
const BY_LINE: ReadonlySet<Field> = new Set(['caller', 'agent', 'serviceNumber'])

/**
 * Columns that hold ASCII alone. MariaDB refuses to compare them with a text that is not; converted, such a
 * text holds question marks and equals none of their values.
 */
const ASCII_COLUMNS: ReadonlySet<string> = new Set([
  'caller_e164',
  'service_number_e164',
  'service_line',
])

/** What finds fewest contacts comes first: it drives the search, and the other fields pass over rows. */
const FIELDS: readonly Field[] = [
  'callId',
  'platformReference',
  'caller',
  'agent',
  'serviceNumber',
  'serviceLine',
]

/**
 * A query for the ids of one page, newest first, with one more row than the limit to tell whether there
 * is a next page. `lines`, where they are known, are the only service lines in which contacts match; at least one.
 *
 * Each way in which a row may match the field that drives the search (by E.164, by the raw number, by the
 * contact's agent, by a segment's, by the Call-ID of a further session) is a part of its own, for each line where the
 * index is by lines, read in order from its own index up to the limit,
 * and the parts are merged: a condition with OR would read all matches and sort them.
 */
export function searchQuery(filter: ContactFilter, lines?: readonly string[]): SearchQuery {
  const [driving, ...others] = FIELDS.flatMap((field) => {
    const value = filter[field]
    return value === undefined ? [] : [{ field, value }]
  })
  const frame = {
    filters: others
      .filter(({ field }) => field !== 'serviceLine' || lines === undefined)
      .map(({ field, value }) => filterBy(field, value)),
    range: rangeOf(filter),
    limit: filter.limit + 1,
  }
  const parts: SearchQuery[] = []
  if (driving === undefined) {
    parts.push(contactPart('by_time', [], frame))
  } else if (lines !== undefined && BY_LINE.has(driving.field)) {
    for (const line of lines) parts.push(...partsOf(driving, frame, line))
  } else {
    parts.push(...partsOf(driving, frame))
  }
  return {
    sql: `${parts.map(({ sql }) => `(${sql})`).join('\nUNION\n')}
      ORDER BY started_at DESC, id DESC LIMIT ${frame.limit}`,
    values: parts.flatMap(({ values }) => values),
  }
}

/** The ways in which rows match a field, in one service line or in any. */
function partsOf(
  { field, value }: { readonly field: Field; readonly value: string },
  frame: Frame,
  line?: string,
): readonly SearchQuery[] {
  const ofLine = (alias: string): readonly Condition[] =>
    line === undefined ? [] : [{ sql: equals('service_line', alias), values: [line] }]
  const parts = LOOKUPS[field].map(({ column, index }) =>
    contactPart(index, [{ sql: equals(column), values: [value] }, ...ofLine('c')], frame),
  )
  if (field === 'agent') {
    parts.push(segmentPart([{ sql: equals('agent', 's'), values: [value] }, ...ofLine('s')], frame))
  }
  if (field === 'callId') parts.push(sessionPart(value, frame))
  return parts
}

function equals(column: string, alias = 'c'): string {
  return `${alias}.${column} = ${ASCII_COLUMNS.has(column) ? 'CONVERT(? USING ascii)' : '?'}`
}

/** Opaque to clients. */
export function encodeCursor({ startedAtMs, id }: Cursor): string {
  return Buffer.from(`${startedAtMs}.${id}`).toString('base64url')
}

/** Throws `bad_cursor` for anything that `encodeCursor` did not make. */
export function decodeCursor(text: string): Cursor {
  const [startedAt = '', id = ''] = Buffer.from(text, 'base64url').toString('latin1').split('.')
  const cursor = { startedAtMs: Number(startedAt), id }
  if (!/^\d{1,15}$/.test(startedAt) || !isId(id) || encodeCursor(cursor) !== text) {
    throw new TallenneError(
      'bad_cursor',
      'The cursor is not one that a page gave: begin without a cursor.',
    )
  }
  return cursor
}

/**
 * A condition for rows beyond a cursor, newest first. MariaDB uses an index for the first comparison, not for a
 * comparison of pairs.
 */
export function beyond(startedAt: string, id: string): string {
  return `${startedAt} <= ? AND (${startedAt} < ? OR ${id} < ?)`
}

/** The values of that condition. Throws `bad_cursor`. */
export function valuesBeyond(cursor: string): readonly unknown[] {
  const { startedAtMs, id } = decodeCursor(cursor)
  const startedAt = new Date(startedAtMs)
  return [startedAt, startedAt, id]
}

/** The page that a query of one more row than its limit found, and where the next one begins, if there is one. */
export function pageOf<Row>(
  found: readonly Row[],
  limit: number,
  { cursorOf }: { readonly cursorOf: (row: Row) => Cursor },
): { readonly page: readonly Row[]; readonly nextCursor: string | null } {
  const page = found.slice(0, limit)
  const last = found.length > limit ? page.at(-1) : undefined
  return { page, nextCursor: last === undefined ? null : encodeCursor(cursorOf(last)) }
}

/** A condition; in one of `range`, `@` stands for the contact's start and `#` for its id. */
interface Condition {
  readonly sql: string
  readonly values: readonly unknown[]
}

/** What all parts of a query have in common. */
interface Frame {
  readonly filters: readonly Condition[]
  readonly range: readonly Condition[]
  readonly limit: number
}

/** Not a further session of one. */
const IS_CONTACT: Condition = { sql: 'c.joined_into IS NULL', values: [] }

function filterBy(field: Field, value: string): Condition {
  const columns: string[] = LOOKUPS[field].map(({ column }) => equals(column))
  if (field === 'agent') {
    // Of the row that is looked at: what MariaDB makes of EXISTS reads all segments of the agent beforehand.
    columns.push(
      '? IN (SELECT s.agent FROM segments s FORCE INDEX (by_contact) WHERE s.contact_id = c.id)',
    )
  }
  return { sql: `(${columns.join(' OR ')})`, values: columns.map(() => value) }
}

function rangeOf({ fromMs, toMs, cursor }: ContactFilter): readonly Condition[] {
  const range: Condition[] = []
  if (fromMs !== undefined) range.push({ sql: '@ >= ?', values: [new Date(fromMs)] })
  if (toMs !== undefined) range.push({ sql: '@ < ?', values: [new Date(toMs)] })
  if (cursor !== undefined) range.push({ sql: beyond('@', '#'), values: valuesBeyond(cursor) })
  return range
}

function contactPart(
  index: string,
  driving: readonly Condition[],
  { filters, range, limit }: Frame,
): SearchQuery {
  const conditions = [
    ...driving,
    IS_CONTACT,
    ...filters,
    ...range.map(placeAt('c.started_at', 'c.id')),
  ]
  return {
    sql: `SELECT c.id, c.started_at FROM contacts c FORCE INDEX (${index})
      ${where(conditions)}
      ORDER BY c.started_at DESC, c.id DESC LIMIT ${limit}`,
    values: conditions.flatMap(({ values }) => values),
  }
}

/** So many of a Call-ID's rows, the newest, are looked at for further sessions; a dialog that brings many calls has more. */
const SESSIONS_OF_CALL = 200

/** Further sessions lead to their contact. */
function sessionPart(callId: string, { filters, range, limit }: Frame): SearchQuery {
  const conditions = [...filters, ...range.map(placeAt('c.started_at', 'c.id'))]
  return {
    sql: `SELECT DISTINCT c.id, c.started_at FROM (
        SELECT joined_into FROM contacts FORCE INDEX (by_call) WHERE call_id = ?
        ORDER BY started_at DESC, id DESC LIMIT ${SESSIONS_OF_CALL}) session
      JOIN contacts c ON c.id = session.joined_into
      ${where(conditions)}
      ORDER BY c.started_at DESC, c.id DESC LIMIT ${limit}`,
    values: [callId, ...conditions.flatMap(({ values }) => values)],
  }
}

/** An agent may have several segments of a contact. Grouping reads them in the index's order; DISTINCT would read all. */
function segmentPart(driving: readonly Condition[], { filters, range, limit }: Frame): SearchQuery {
  const conditions = [
    ...driving,
    ...range.map(placeAt('s.contact_started_at', 's.contact_id')),
    ...filters,
  ]
  return {
    sql: `SELECT s.contact_id AS id, s.contact_started_at AS started_at
      FROM segments s FORCE INDEX (by_agent)
      ${filters.length === 0 ? '' : 'STRAIGHT_JOIN contacts c ON c.id = s.contact_id'}
      ${where(conditions)}
      GROUP BY s.contact_started_at, s.contact_id
      ORDER BY s.contact_started_at DESC, s.contact_id DESC LIMIT ${limit}`,
    values: conditions.flatMap(({ values }) => values),
  }
}

function where(conditions: readonly Condition[]): string {
  return conditions.length === 0 ? '' : `WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`
}

function placeAt(startedAt: string, id: string) {
  return ({ sql, values }: Condition): Condition => ({
    sql: sql.replaceAll('@', startedAt).replaceAll('#', id),
    values,
  })
}
