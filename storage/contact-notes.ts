import type { Pool } from './database.ts'
import { inTransaction } from './database.ts'
import { statementsOf } from './journal-statements.ts'

/**
 * Writes notes of a contact that no node journals for any more. False where there is no such contact. `contactId` must
 * have the form of an id.
 */
export async function annotateContact(
  pool: Pool,
  order: {
    readonly contactId: string
    readonly notes: Readonly<Record<string, string | null>>
    readonly annotatedAtMs: number
  },
): Promise<boolean> {
  const found: unknown[] = await pool.query('SELECT 1 FROM contacts WHERE id = ?', [
    order.contactId,
  ])
  if (found.length === 0) return false
  await inTransaction(pool, async (connection) => {
    for (const { sql, values } of statementsOf({ kind: 'contact.annotated', ...order })) {
      await connection.query(sql, [...values])
    }
  })
  return true
}
