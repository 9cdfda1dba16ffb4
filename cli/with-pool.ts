import type { Config } from '../config/config.ts'
import { checkDatabase, createDatabasePool, type Pool } from '../storage/database.ts'

/** Does `work` on a pool of its own. Rejects with `database_unreachable`, and as `work` does. */
export async function withPool<T>(config: Config, work: (pool: Pool) => Promise<T>): Promise<T> {
  const pool = createDatabasePool({ ...config.database, connections: 2 })
  try {
    await checkDatabase(pool, config.database)
    return await work(pool)
  } finally {
    await pool.end()
  }
}
