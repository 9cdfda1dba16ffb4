import type { Pool } from './database.ts'

/** No session joins a call by a name that was last seen so long ago. */
const KEPT_MS = 2 * 86_400_000
/** Rows of a few megabytes; a sweep comes every minute. */
const BATCH = 20_000

/** Forgets names of calls that join nothing any more. Rejects where the database does. */
export async function forgetContactKeys(pool: Pool, nowMs: number): Promise<void> {
  await pool.query(`DELETE FROM contact_keys WHERE seen_at < ? ORDER BY seen_at LIMIT ${BATCH}`, [
    new Date(nowMs - KEPT_MS),
  ])
}
