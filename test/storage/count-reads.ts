import type { Queryable } from '../../storage/database.ts'

/**
 * How many rows and index entries the server reads for a query, those included that a condition within the index passes
 * over; all of it is to go over this one connection.
 */
export async function countReads(
  connection: Queryable,
  query: () => Promise<unknown>,
): Promise<number> {
  await connection.query('FLUSH STATUS')
  await query()
  const counts: { Variable_name: string; Value: string }[] = await connection.query(
    `SHOW SESSION STATUS WHERE Variable_name LIKE 'Handler_read%' OR Variable_name LIKE 'Handler_icp%'`,
  )
  return counts.reduce((sum, { Variable_name: name, Value }) => {
    // What matches in the index is counted as read as well.
    return name === 'Handler_icp_match' ? sum - Number(Value) : sum + Number(Value)
  }, 0)
}
