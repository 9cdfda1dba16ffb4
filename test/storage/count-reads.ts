import type { Queryable } from '../../storage/database.ts'

/** How many rows and index entries the server reads for a query; all of it is to go over this one connection. */
export async function countReads(
  connection: Queryable,
  query: () => Promise<unknown>,
): Promise<number> {
  await connection.query('FLUSH STATUS')
  await query()
  const counts: { Value: string }[] = await connection.query(
    "SHOW SESSION STATUS LIKE 'Handler_read%'",
  )
  return counts.reduce((sum, { Value }) => sum + Number(Value), 0)
}
