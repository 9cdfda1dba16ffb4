import { TallenneError } from '../../base/tallenne-error.ts'
import type { Pool, PoolConnection } from '../database.ts'
import { withNamedLock } from '../named-lock.ts'

const LOCK = { name: 'tallenne.platform_calls', waitS: 30 }

/**
 * Runs what adds, matches or removes listed calls, one at a time among all programs: an import that is taken while
 * another is withdrawn would else list calls that vanish, and two that match would give two calls one contact. Rejects
 * with `list_busy`.
 */
export async function changeListedCalls<T>(
  pool: Pool,
  work: (connection: PoolConnection) => Promise<T>,
): Promise<T> {
  const outcome = await withNamedLock(pool, LOCK, work)
  if (outcome.kind === 'done') return outcome.result
  throw new TallenneError(
    'list_busy',
    `Other lists have been taken or withdrawn for ${LOCK.waitS} s: try again.`,
  )
}
