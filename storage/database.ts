import { EventEmitter } from 'node:events'
import type { Pool, PoolConnection } from 'mariadb'
import {
  type Connection,
  type ConnectionConfig,
  createConnection,
  createPool,
  SqlError,
} from 'mariadb'
import { maskNumbersIn } from '../base/mask-number.ts'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'

export type { Connection, Pool, PoolConnection } from 'mariadb'

/** Where MariaDB is and as whom to sign in. With `socketPath`, host and port are not used. */
export interface DatabaseSettings {
  readonly socketPath?: string | undefined
  readonly host?: string | undefined
  readonly port: number
  readonly user: string
  readonly password?: string | undefined
  readonly database: string
  /** Most connections of one process. */
  readonly connections: number
}

/** Something that queries can be sent to: a pool, or one connection of it within a transaction. */
export type Queryable = Pick<Connection, 'query'>

const SQL_MODE =
  'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_DATE,NO_ZERO_IN_DATE,NO_ENGINE_SUBSTITUTION'

/**
 * A pool whose sessions all speak utf8mb4, count time in UTC and refuse bad values. It connects by itself
 * and again after an outage; the caller ends it.
 */
export function createDatabasePool(settings: DatabaseSettings): Pool {
  const pool = createPool({
    ...connectionConfig(settings),
    // One may hold a named lock while another does the work.
    connectionLimit: Math.max(2, settings.connections),
    minimumIdle: 1,
    acquireTimeout: 3000,
    // A reset would drop the session's time zone and sql_mode; the pool still rolls back what was left open.
    resetAfterUse: false,
  })
  // Whoever asks for a connection gets the error; without a listener a failing background attempt ends the
  // process. The driver's types leave this event out.
  if (pool instanceof EventEmitter) pool.on('error', () => {})
  return pool
}

/**
 * One connection outside any pool, set up like the pool's. With `answerWithinMs` it is cut when nothing has come on it
 * for so long, be it that the server hangs or that nobody asked anything. Rejects with `database_unreachable`.
 */
export async function connectDatabase(
  settings: DatabaseSettings,
  { answerWithinMs = 0 }: { readonly answerWithinMs?: number } = {},
): Promise<Connection> {
  try {
    const connection = await createConnection({
      ...connectionConfig(settings),
      socketTimeout: answerWithinMs,
    })
    // A lost connection is seen by the next query; without a listener it would end the process.
    connection.on('error', () => {})
    return connection
  } catch (error) {
    throw unreachable(error, settings)
  }
}

/** Asks the database one thing. Rejects with `database_unreachable`. */
export async function checkDatabase(pool: Pool, settings: DatabaseSettings): Promise<void> {
  try {
    await pool.query('SELECT 1')
  } catch (error) {
    throw unreachable(error, settings)
  }
}

/** Creates the database where the user may and it is missing. Rejects with `database_unreachable`. */
export async function createDatabaseIfMissing(settings: DatabaseSettings): Promise<void> {
  const { database: _, ...server } = connectionConfig(settings)
  try {
    const connection = await createConnection(server)
    try {
      await connection.query(
        `CREATE DATABASE IF NOT EXISTS ${connection.escapeId(settings.database)} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`,
      )
    } finally {
      await connection.end()
    }
  } catch (error) {
    throw unreachable(error, settings)
  }
}

/** Where the database is, for messages: never the password. */
export function describeDatabase(settings: DatabaseSettings): string {
  const place = settings.socketPath ?? `${settings.host ?? 'localhost'}:${settings.port}`
  return `${settings.database} as ${settings.user} at ${place}`
}

/** Whether the server said this, or the driver about its connection. */
export function isDatabaseError(error: unknown): error is SqlError {
  return error instanceof SqlError
}

/** What went wrong as the server said it, without the statement and with numbers masked: either may be a caller's. */
export function databaseMessage(error: unknown): string {
  return maskNumbersIn(isDatabaseError(error) ? wordsOf(error) : messageOf(error))
}

function wordsOf({ sqlMessage, code }: SqlError): string {
  return sqlMessage ?? code ?? 'unknown database error'
}

/** Runs `work` in a transaction on a connection of its own; commits when it resolves, rolls back when it rejects. */
export async function inTransaction<T>(
  pool: Pool,
  work: (connection: PoolConnection) => Promise<T>,
): Promise<T> {
  const connection = await pool.getConnection()
  try {
    return await transactOn(connection, () => work(connection))
  } finally {
    await connection.release()
  }
}

/** As `inTransaction`, on a connection that the caller has. */
export async function transactOn<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  try {
    // Row locks alone: gap locks would make a sweep and a hold wait for rows that neither touches.
    await connection.query('SET TRANSACTION ISOLATION LEVEL READ COMMITTED')
    await connection.beginTransaction()
    const result = await work()
    await connection.commit()
    return result
  } catch (error) {
    await connection.rollback().catch(() => {})
    throw error
  }
}

function connectionConfig(settings: DatabaseSettings): ConnectionConfig {
  const place = settings.socketPath
    ? { socketPath: settings.socketPath }
    : { host: settings.host ?? 'localhost', port: settings.port }
  return {
    ...place,
    user: settings.user,
    ...(settings.password === undefined ? {} : { password: settings.password }),
    database: settings.database,
    connectTimeout: 2500,
    collation: 'UTF8MB4_UNICODE_CI',
    timezone: 'Z',
    bigIntAsNumber: true,
    insertIdAsNumber: true,
    decimalAsNumber: true,
    checkNumberRange: true,
    // Errors are logged, and the values of a statement are callers' numbers among others.
    logParam: false,
    sessionVariables: { time_zone: '+00:00', sql_mode: SQL_MODE },
  }
}

function unreachable(error: unknown, settings: DatabaseSettings): TallenneError {
  return new TallenneError(
    'database_unreachable',
    `MariaDB does not answer for database ${describeDatabase(settings)}: ${rootMessage(error)}. Check that it runs there and that the configuration's database section is right.`,
    { cause: error },
  )
}

// The pool says only that it has no connection; why stands in the cause.
function rootMessage(error: unknown): string {
  let root = error
  while (root instanceof Error && root.cause !== undefined) root = root.cause
  return databaseMessage(root)
}
