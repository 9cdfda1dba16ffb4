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

interface Condition {
  /** The index of `contacts` that finds rows by this, in order of time; undefined where none should. */
  readonly index: string
  readonly sql: string
  readonly value: unknown
}

/**
 * Columns that hold ASCII alone. MariaDB refuses to compare them with a text that is not; converted, such a
 * text holds question marks and equals none of their values.
 */
const ASCII_COLUMNS: ReadonlySet<string> = new Set([
  'caller_e164',
  'service_number_e164',
  'service_line',
])

/** What an index finds fewest rows by comes first. */
const LOOKUPS = [
  { field: 'callId', columns: [['by_call', 'call_id']] },
  {
    field: 'caller',
    columns: [
      ['by_caller', 'caller_e164'],
      ['by_caller_raw', 'caller_raw'],
    ],
  },
  { field: 'agent', columns: [['by_agent', 'agent']] },
  {
    field: 'serviceNumber',
    columns: [
      ['by_service_number', 'service_number_e164'],
      ['by_service_number_raw', 'service_number_raw'],
    ],
  },
  { field: 'serviceLine', columns: [['by_line', 'service_line']] },
] as const

/**
 * A query for the ids of one page, newest first, with one more row than the limit to tell whether there
 * is a next page.
 *
 * Each way in which a row may match (by E.164, by the raw number, by the contact's agent, by a segment's)
 * is a part of its own, read in order from its own index up to the limit, and the parts are merged: a
 * condition with OR would read all matches and sort them.
 */
export function searchQuery(filter: ContactFilter): SearchQuery {
  const conditions = LOOKUPS.flatMap(({ field, columns }) => {
    const value = filter[field]
    if (value === undefined) return []
    return [columns.map(([index, column]) => ({ index, sql: equals(column), value }))]
  })
  const range = rangeOf(filter)
  const limit = filter.limit + 1
  const parts = combinations(conditions).map((part) => contactPart(part, { range, limit }))
  if (filter.agent !== undefined) {
    const others = conditions.filter(([first]) => first?.index !== 'by_agent')
    const { agent } = filter
    parts.push(...combinations(others).map((part) => segmentPart(agent, part, { range, limit })))
  }
  return {
    sql: `${parts.map(({ sql }) => `(${sql})`).join('\nUNION\n')}
      ORDER BY started_at DESC, id DESC LIMIT ${limit}`,
    values: parts.flatMap(({ values }) => values),
  }
}

function equals(column: string): string {
  return `c.${column} = ${ASCII_COLUMNS.has(column) ? 'CONVERT(? USING ascii)' : '?'}`
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

interface Part {
  readonly range: readonly Range[]
  readonly limit: number
}

interface Range {
  /** With `@` where the column of the contact's start stands, and `#` where its id does. */
  readonly sql: string
  readonly values: readonly unknown[]
}

function rangeOf({ fromMs, toMs, cursor }: ContactFilter): readonly Range[] {
  const range: Range[] = []
  if (fromMs !== undefined) range.push({ sql: '@ >= ?', values: [new Date(fromMs)] })
  if (toMs !== undefined) range.push({ sql: '@ < ?', values: [new Date(toMs)] })
  if (cursor !== undefined) {
    const { startedAtMs, id } = decodeCursor(cursor)
    const startedAt = new Date(startedAtMs)
    // MariaDB uses an index for the first comparison, not for a comparison of pairs.
    range.push({ sql: '@ <= ? AND (@ < ? OR # < ?)', values: [startedAt, startedAt, id] })
  }
  return range
}

function contactPart(conditions: readonly Condition[], { range, limit }: Part): SearchQuery {
  const where = [
    ...conditions.map(({ sql }) => sql),
    ...range.map(({ sql }) => place(sql, 'c.started_at', 'c.id')),
  ]
  return {
    sql: `SELECT c.id, c.started_at FROM contacts c FORCE INDEX (${conditions[0]?.index ?? 'by_time'})
      ${where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`}
      ORDER BY c.started_at DESC, c.id DESC LIMIT ${limit}`,
    values: [...conditions.map(({ value }) => value), ...range.flatMap(({ values }) => values)],
  }
}

function segmentPart(
  agent: string,
  conditions: readonly Condition[],
  { range, limit }: Part,
): SearchQuery {
  const where = [
    's.agent = ?',
    ...range.map(({ sql }) => place(sql, 's.contact_started_at', 's.contact_id')),
    ...conditions.map(({ sql }) => sql),
  ]
  return {
    sql: `SELECT DISTINCT s.contact_id AS id, s.contact_started_at AS started_at
      FROM segments s FORCE INDEX (by_agent)
      ${conditions.length === 0 ? '' : 'STRAIGHT_JOIN contacts c ON c.id = s.contact_id'}
      WHERE ${where.join(' AND ')}
      ORDER BY s.contact_started_at DESC, s.contact_id DESC LIMIT ${limit}`,
    values: [
      agent,
      ...range.flatMap(({ values }) => values),
      ...conditions.map(({ value }) => value),
    ],
  }
}

function place(sql: string, startedAt: string, id: string): string {
  return sql.replaceAll('@', startedAt).replaceAll('#', id)
}

/** Every way to take one alternative of each condition. */
function combinations(conditions: readonly (readonly Condition[])[]): readonly Condition[][] {
  return conditions.reduce<Condition[][]>(
    (parts, alternatives) => parts.flatMap((part) => alternatives.map((one) => [...part, one])),
    [[]],
  )
}
