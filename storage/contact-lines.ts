import type { Queryable } from './database.ts'
import type { ContactFilter } from './model.ts'

const NEXT_LINE = {
  caller: nextLine([
    {
      table: 'contacts',
      column: 'caller_e164',
      index: 'by_caller',
      value: 'CONVERT(? USING ascii)',
    },
    { table: 'contacts', column: 'caller_raw', index: 'by_caller_raw' },
  ]),
  agent: nextLine([
    { table: 'contacts', column: 'agent', index: 'by_agent' },
    { table: 'segments', column: 'agent', index: 'by_agent' },
  ]),
  serviceNumber: nextLine([
    {
      table: 'contacts',
      column: 'service_number_e164',
      index: 'by_service_number',
      value: 'CONVERT(? USING ascii)',
    },
    { table: 'contacts', column: 'service_number_raw', index: 'by_service_number_raw' },
  ]),
} as const

/**
 * The service lines in which contacts that match a filter may be; undefined where that tells nothing, or what the filter
 * names is rare anyway. None are left where, say, an agent never handled a line, or a number.
 */
export async function linesOf(
  database: Queryable,
  filter: ContactFilter,
): Promise<readonly string[] | undefined> {
  const { caller, agent, serviceNumber, serviceLine } = filter
  if (filter.callId !== undefined || filter.platformReference !== undefined) return undefined
  const known = await Promise.all([
    caller === undefined ? undefined : read(database, 'caller', caller),
    agent === undefined ? undefined : read(database, 'agent', agent),
    serviceNumber === undefined ? undefined : read(database, 'serviceNumber', serviceNumber),
  ])
  return known.reduce(
    (lines, some) =>
      some && lines ? lines.filter((line) => some.includes(line)) : (some ?? lines),
    serviceLine === undefined ? undefined : [serviceLine],
  )
}

/** Steps from each line to the next, since the server reads all rows of a value to tell its lines apart. */
async function read(
  database: Queryable,
  field: keyof typeof NEXT_LINE,
  value: string,
): Promise<readonly string[]> {
  const { sql, places } = NEXT_LINE[field]
  const lines: string[] = []
  for (;;) {
    const after = lines.at(-1) ?? ''
    const values = Array.from({ length: places }, () => [value, after]).flat()
    const [row]: { line: string | null }[] = await database.query(sql, values)
    if (!row || row.line === null) return lines
    lines.push(row.line)
  }
}

/** A query for the first line after one, in any of some places: an index entry of each. */
function nextLine(
  places: readonly {
    readonly table: string
    readonly column: string
    readonly index: string
    readonly value?: string
  }[],
) {
  const nexts = places.map(
    ({ table, column, index, value = '?' }) =>
      `(SELECT service_line FROM ${table} FORCE INDEX (${index})
        WHERE ${column} = ${value} AND service_line > CONVERT(? USING ascii) ORDER BY service_line LIMIT 1)`,
  )
  return {
    sql: `SELECT MIN(service_line) AS line FROM (${nexts.join(' UNION ALL ')}) next`,
    places: places.length,
  }
}
