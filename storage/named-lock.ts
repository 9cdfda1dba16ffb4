import type { Pool, PoolConnection } from './database.ts'

/**
 * Runs `work` while no other program runs anything under the same name, waiting up to `waitS` seconds for
 * its turn; `busy` when it does not come. The server gives the name up when the connection is lost, so
 * `work` must stay right while another one runs beside it for a moment. It may use the connection that has the name, so
 * that many who wait for it do not keep the last connection from whom they wait for.
 */
export async function withNamedLock<T>(
  pool: Pool,
  { name, waitS }: { readonly name: string; readonly waitS: number },
  work: (connection: PoolConnection) => Promise<T>,
): Promise<{ readonly kind: 'done'; readonly result: T } | { readonly kind: 'busy' }> {
  const connection = await pool.getConnection()
  try {
    const [row] = await connection.query('SELECT GET_LOCK(?, ?) AS taken', [name, waitS])
    if (row.taken !== 1) return { kind: 'busy' }
    try {
      return { kind: 'done', result: await work(connection) }
    } finally {
      await connection.query('SELECT RELEASE_LOCK(?)', [name]).catch(() => {})
    }
  } finally {
    await connection.release()
  }
}
