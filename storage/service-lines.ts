import { TallenneError } from '../base/tallenne-error.ts'
import { inTransaction, type Pool, type PoolConnection, type Queryable } from './database.ts'
import { deletionInstant } from './deletion-instant.ts'
import type { ServiceLine } from './model.ts'

/** What holds for a line now. Lines that left the configuration keep their last policy. */
export interface ServiceLinePolicy {
  readonly serviceLine: string
  readonly version: number
  /** Null keeps for ever. */
  readonly period: string | null
  readonly timeZone: string
  readonly validFromMs: number
  readonly setBy: string
  readonly isCatchAll: boolean
  readonly isConfigured: boolean
}

/** A policy that was replaced, or set for the first time (`before` undefined). */
export interface PolicyChange {
  readonly serviceLine: string
  readonly before: { readonly period: string | null; readonly timeZone: string } | undefined
  readonly after: { readonly period: string | null; readonly timeZone: string }
}

export interface PolicyAuthor {
  /** Who or what sets the policies, for example `configuration of node-1`. */
  readonly setBy: string
  readonly nowMs: number
}

/** The current policy of every line that was ever configured, by the line's name. */
export async function currentPolicies(
  database: Queryable,
): Promise<ReadonlyMap<string, ServiceLinePolicy>> {
  const rows: {
    serviceLine: string
    version: number
    period: string | null
    timeZone: string
    validFrom: Date
    setBy: string
    isCatchAll: number
    isConfigured: number
  }[] = await database.query(
    `SELECT l.name AS serviceLine, p.version, p.period, p.time_zone AS timeZone,
       p.valid_from AS validFrom, p.set_by AS setBy,
       l.is_catch_all AS isCatchAll, l.is_configured AS isConfigured
     FROM service_lines l JOIN service_line_policies p ON p.service_line = l.name
     WHERE p.version = (SELECT MAX(version) FROM service_line_policies WHERE service_line = l.name)`,
  )
  return new Map(
    rows.map(({ validFrom, isCatchAll, isConfigured, ...row }) => [
      row.serviceLine,
      {
        ...row,
        validFromMs: validFrom.getTime(),
        isCatchAll: Boolean(isCatchAll),
        isConfigured: Boolean(isConfigured),
      },
    ]),
  )
}

/**
 * Brings the tables to the configured lines, the catch-all among them, and tells which policies changed.
 * A changed period or zone becomes a new version of the policy, which rules all recordings that still
 * stand; versions before it stay as history. Programs that start at once make each version once.
 *
 * Rejects with `bad_service_line` for a period or a time zone that is none, and then changes nothing.
 */
export async function syncServiceLines(
  pool: Pool,
  lines: readonly ServiceLine[],
  author: PolicyAuthor,
): Promise<readonly PolicyChange[]> {
  for (const line of lines) checkLine(line, author.nowMs)
  const names = lines.map((line) => line.name)
  return inTransaction(pool, async (connection) => {
    for (const line of lines) await upsertLine(connection, line, author)
    // Whoever comes second waits here, and then sees what the first has made.
    await connection.query(
      'SELECT name FROM service_lines WHERE name IN (?) ORDER BY name FOR UPDATE',
      [names],
    )
    await connection.query('UPDATE service_lines SET is_configured = name IN (?)', [names])
    const policies = await currentPolicies(connection)
    const changes: PolicyChange[] = []
    for (const line of lines) {
      const change = await updatePolicy(connection, line, {
        author,
        current: policies.get(line.name),
      })
      if (change) changes.push(change)
    }
    await updateNumbers(connection, lines, author)
    return changes
  })
}

function checkLine(line: ServiceLine, nowMs: number): void {
  try {
    deletionInstant(nowMs, { period: line.period ?? 'P1D', timeZone: line.timeZone })
  } catch (error) {
    throw new TallenneError(
      'bad_service_line',
      `Service line ${line.name} has period ${line.period} in time zone ${line.timeZone}: expected an ISO 8601 duration as P2M and an IANA zone as Europe/Helsinki.`,
      { cause: error },
    )
  }
}

async function upsertLine(connection: PoolConnection, line: ServiceLine, { nowMs }: PolicyAuthor) {
  await connection.query(
    `INSERT INTO service_lines (name, is_catch_all, is_configured, created_at) VALUES (?, ?, TRUE, ?)
     ON DUPLICATE KEY UPDATE is_catch_all = VALUES(is_catch_all)`,
    [line.name, line.isCatchAll, new Date(nowMs)],
  )
}

async function updatePolicy(
  connection: PoolConnection,
  { name, period, timeZone }: ServiceLine,
  { author, current }: { author: PolicyAuthor; current: ServiceLinePolicy | undefined },
): Promise<PolicyChange | undefined> {
  if (current && current.period === period && current.timeZone === timeZone) return undefined
  await connection.query(
    `INSERT INTO service_line_policies (service_line, version, period, time_zone, valid_from, set_by)
     VALUES (?, ?, ?, ?, ?, ?)`,
    [name, (current?.version ?? 0) + 1, period, timeZone, new Date(author.nowMs), author.setBy],
  )
  return {
    serviceLine: name,
    before: current && { period: current.period, timeZone: current.timeZone },
    after: { period, timeZone },
  }
}

/** A number that moves to another line, or leaves all of them, keeps its row with the time it ended. */
async function updateNumbers(
  connection: PoolConnection,
  lines: readonly ServiceLine[],
  { nowMs }: PolicyAuthor,
): Promise<void> {
  const configured = new Map(
    lines.flatMap(({ name, numbers }) => numbers.map((one) => [one, name])),
  )
  const rows: { number: string; serviceLine: string }[] = await connection.query(
    'SELECT number, service_line AS serviceLine FROM service_numbers WHERE valid_to IS NULL FOR UPDATE',
  )
  const now = new Date(nowMs)
  for (const row of rows) {
    if (configured.get(row.number) === row.serviceLine) configured.delete(row.number)
    else {
      await connection.query(
        'UPDATE service_numbers SET valid_to = ? WHERE number = ? AND valid_to IS NULL',
        [now, row.number],
      )
    }
  }
  for (const [number, serviceLine] of configured) {
    await connection.query(
      'INSERT INTO service_numbers (number, service_line, valid_from) VALUES (?, ?, ?)',
      [number, serviceLine, now],
    )
  }
}
