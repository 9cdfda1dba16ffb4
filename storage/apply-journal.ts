import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import { type Connection, databaseMessage } from './database.ts'
import { isDataError } from './database-fault.ts'
import type { JournalRecord } from './journal-record.ts'
import { statementsOf } from './journal-statements.ts'
import type { Statement } from './statement.ts'

/** A record that can never be applied, and why. */
export interface RejectedRecord {
  readonly record: JournalRecord
  readonly reason: string
}

/**
 * Applies records in order and tells which ones are bad in themselves; those change nothing, all others
 * are applied. Rejects when the database is at fault, with a part of the records perhaps applied: applying
 * the same records again is right.
 */
export async function applyRecords(
  connection: Connection,
  records: readonly JournalRecord[],
): Promise<readonly RejectedRecord[]> {
  const [first] = records
  if (!first) return []
  try {
    await applyTogether(connection, records)
    return []
  } catch (error) {
    if (!isBadRecord(error)) throw error
    if (records.length === 1) return [{ record: first, reason: databaseMessage(error) }]
  }
  // One of them is bad: halving finds it in few transactions.
  const middle = records.length >> 1
  const before = await applyRecords(connection, records.slice(0, middle))
  const after = await applyRecords(connection, records.slice(middle))
  return [...before, ...after]
}

async function applyTogether(connection: Connection, records: readonly JournalRecord[]) {
  const statements = records.flatMap(({ entry }) => buildStatements(entry))
  await connection.beginTransaction()
  try {
    // Sent without waiting for each other's answers; the server still runs them in order.
    const sent = statements.map((statement) => run(connection, statement))
    const failed = (await Promise.allSettled(sent)).find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
    await connection.commit()
  } catch (error) {
    if (connection.isValid()) await connection.rollback()
    throw error
  }
}

async function run(connection: Connection, { sql, values, mustMatch }: Statement): Promise<void> {
  const { affectedRows } = await connection.query(sql, [...values])
  if (mustMatch && affectedRows === 0) {
    throw new TallenneError('no_such_row', `no row is there to change: ${sql.slice(0, 60)}`)
  }
}

function buildStatements(entry: JournalRecord['entry']): readonly Statement[] {
  try {
    return statementsOf(entry)
  } catch (error) {
    throw new TallenneError('bad_entry', messageOf(error), { cause: error })
  }
}

function isBadRecord(error: unknown): boolean {
  if (error instanceof TallenneError)
    return error.code === 'no_such_row' || error.code === 'bad_entry'
  return isDataError(error)
}
