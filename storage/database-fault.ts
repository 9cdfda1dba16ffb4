import { SqlError } from 'mariadb'
import { TallenneError } from '../base/tallenne-error.ts'

/**
 * Why the database did not take something: in few words that stay, for metrics and operators.
 *
 * - `unreachable`: no server, no connection left, or the connection was lost
 * - `hung`: connected, and no answer in time
 * - `read_only`: the server or the transaction takes no changes
 * - `full`: its disk or the table is full, or it is out of memory
 * - `locked`: a deadlock, or rows that somebody else holds
 * - `denied`: the user may not
 * - `schema`: tables or columns are missing
 * - `other`: anything else
 */
export type DatabaseFault =
  | 'unreachable'
  | 'hung'
  | 'read_only'
  | 'full'
  | 'locked'
  | 'denied'
  | 'schema'
  | 'other'

export const DATABASE_FAULTS: readonly DatabaseFault[] = [
  'unreachable',
  'hung',
  'read_only',
  'full',
  'locked',
  'denied',
  'schema',
  'other',
]

/** Error numbers of MariaDB, by what they mean for whoever waits. */
const FAULTS: Readonly<Record<Exclude<DatabaseFault, 'other'>, readonly number[]>> = {
  // The driver's own: nothing came on the connection for as long as it waits.
  hung: [45_026],
  // Too many connections, out of threads, server shutdown, killed connection, host blocked, too many of the user's.
  unreachable: [1040, 1129, 1135, 1053, 1927, 1203, 1226],
  // --read-only, START TRANSACTION READ ONLY, innodb_read_only.
  read_only: [1290, 1792, 1836, 1223],
  // Writing a file, disk, memory (two), the table, the lock table, the engine's own words.
  full: [3, 1026, 1021, 1037, 1041, 1114, 1206, 1030],
  // Lock wait, deadlock, a row that changed since it was read, interrupted, over max_statement_time.
  locked: [1205, 1213, 1020, 1317, 1969],
  // Database, sign-in (two), command on a table or a column, privilege.
  denied: [1044, 1045, 1698, 1142, 1143, 1227],
  // Database, table (two), column, column count, syntax.
  schema: [1049, 1146, 1932, 1054, 1136, 1064],
}

/**
 * A statement that is larger than the server takes. It is the entry's own fault as far as this server goes: sending it
 * again fails again, and costs the connection.
 */
const TOO_LARGE = [1153, 45_046]
/** Strict mode says these with an SQLSTATE that names no fault of the data: bad values, cut values, no default. */
const BAD_DATA = [1265, 1366, 1364]

/** Which fault it was that an attempt failed with. */
export function databaseFault(error: unknown): DatabaseFault {
  const cause = rootOf(error)
  if (!(cause instanceof SqlError)) {
    return error instanceof TallenneError && error.code === 'database_unreachable'
      ? 'unreachable'
      : 'other'
  }
  for (const [fault, numbers] of Object.entries(FAULTS)) {
    if (numbers.includes(cause.errno)) return fault as DatabaseFault
  }
  // The system's errors have no number of the server's, and the driver's own begin at 45000: all are of the connection.
  return /^08/.test(cause.sqlState ?? '') || !(cause.errno > 0) || cause.errno >= 45_000
    ? 'unreachable'
    : 'other'
}

/**
 * Whether the statement itself is at fault (SQLSTATE classes 22 data exception and 23 integrity), so that
 * sending it again would fail again. All else, from a lost connection to a full disk, may pass.
 */
export function isDataError(error: unknown): boolean {
  if (!(error instanceof SqlError)) return false
  return (
    /^2[23]/.test(error.sqlState ?? '') ||
    TOO_LARGE.includes(error.errno) ||
    BAD_DATA.includes(error.errno)
  )
}

function rootOf(error: unknown): unknown {
  let root = error
  while (root instanceof Error && !(root instanceof SqlError) && root.cause !== undefined) {
    root = root.cause
  }
  return root
}
