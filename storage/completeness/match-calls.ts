import type { Pool, Queryable } from '../database.ts'
import { NO_ID } from '../in-batches.ts'
import { changeListedCalls } from './change-listed-calls.ts'

/** A way in which a listed call may be known to be a contact, the surest first. */
export type MatchedBy = 'reference' | 'call_id' | 'numbers'

interface Pair {
  readonly id: string
  readonly contactId: string
  readonly offMs: number
}

/** Names are used again some day; so far apart they are of different calls. */
const NAME_WITHIN_MS = 86_400_000
/** A time that the clock showed twice may be an hour later. */
const REPEATED_HOUR_MS = 3_600_000

/**
 * Finds the contacts of listed calls that have none yet, and tells how many were found. Two listed calls of one
 * reference may be parts of one contact; by its numbers and its time alone a contact is found once.
 */
export async function matchCalls(database: Queryable, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0
  const left = new Set(ids)
  let found = 0
  const steps: readonly (readonly [MatchedBy, () => Promise<readonly Pair[]>])[] = [
    [
      'reference',
      () => byName(database, left, { ours: 'platform_reference', theirs: 'reference' }),
    ],
    ['call_id', () => byName(database, left, { ours: 'call_id', theirs: 'call_id' })],
    ['numbers', async () => oneToOne(await byNumbers(database, left))],
  ]
  for (const [matchedBy, find] of steps) {
    if (left.size === 0) break
    const nearest = new Map<string, Pair>()
    for (const pair of await find()) {
      const known = nearest.get(pair.id)
      if (known === undefined || pair.offMs < known.offMs) nearest.set(pair.id, pair)
    }
    await keepMatches(database, [...nearest.values()], matchedBy)
    for (const id of nearest.keys()) left.delete(id)
    found += nearest.size
  }
  return found
}

const INDEX_OF = { platform_reference: 'by_reference', call_id: 'by_call' } as const

async function byName(
  database: Queryable,
  ids: ReadonlySet<string>,
  { ours, theirs }: { readonly ours: keyof typeof INDEX_OF; readonly theirs: string },
): Promise<readonly Pair[]> {
  return database.query(
    `SELECT p.id, COALESCE(c.joined_into, c.id) AS contactId,
       ABS(TIMESTAMPDIFF(MICROSECOND, p.started_at, c.started_at)) / 1000 AS offMs
     FROM platform_calls p JOIN contacts c FORCE INDEX (${INDEX_OF[ours]}) ON c.${ours} = p.${theirs}
       AND c.started_at BETWEEN p.started_at - INTERVAL ? MICROSECOND AND p.started_at + INTERVAL ? MICROSECOND
     WHERE p.id IN (?) AND p.contact_id IS NULL`,
    [NAME_WITHIN_MS * 1000, NAME_WITHIN_MS * 1000, [...ids]],
  )
}

/**
 * By the caller, or where the list has none by the service number and a caller who withheld theirs. What began within the
 * tolerance is few, and what has a busy number is not, so the time leads to it.
 */
async function byNumbers(database: Queryable, ids: ReadonlySet<string>): Promise<readonly Pair[]> {
  const ways = [
    {
      on: 'c.caller_e164 = p.caller_e164',
      isHere: 'p.caller_e164 IS NOT NULL',
    },
    {
      on: 'c.caller_raw = p.caller',
      isHere: 'p.caller IS NOT NULL',
    },
    // What came here without a plus sign has been taken for no number.
    {
      index: 'by_caller_raw',
      on: 'c.caller_raw = SUBSTRING(p.caller_e164, 2) AND c.caller_e164 IS NULL',
      isHere: 'p.caller_e164 IS NOT NULL',
    },
    {
      on: 'c.service_number_e164 = p.service_number_e164 AND c.caller_e164 IS NULL',
      isHere: 'p.caller IS NULL AND p.service_number_e164 IS NOT NULL',
    },
  ]
  const pairs: Pair[] = []
  for (const { on, isHere } of ways) {
    for (const laterMs of [0, REPEATED_HOUR_MS]) {
      const rows: readonly Pair[] = await database.query(
        `SELECT p.id, COALESCE(c.joined_into, c.id) AS contactId,
           ABS(TIMESTAMPDIFF(MICROSECOND, p.started_at + INTERVAL ? MICROSECOND, c.started_at)) / 1000 AS offMs
         FROM platform_calls p STRAIGHT_JOIN contacts c FORCE INDEX (by_time) ON ${on}
           AND c.started_at >= p.started_at + INTERVAL (? - CAST(p.tolerance_ms AS SIGNED)) * 1000 MICROSECOND
           AND c.started_at <= p.started_at + INTERVAL (? + CAST(p.tolerance_ms AS SIGNED)) * 1000 MICROSECOND
         WHERE p.id IN (?) AND p.contact_id IS NULL AND ${isHere} ${laterMs === 0 ? '' : 'AND p.is_ambiguous'}
           AND COALESCE(c.service_number_e164 = p.service_number_e164, TRUE)
           AND NOT EXISTS (SELECT 1 FROM platform_calls taken
             WHERE taken.contact_id = COALESCE(c.joined_into, c.id) AND taken.list = p.list)`,
        [laterMs * 1000, laterMs, laterMs, [...ids]],
      )
      pairs.push(...rows)
    }
  }
  return pairs
}

/** The nearest pairs first, so that of several calls of one caller each finds its own. */
function oneToOne(pairs: readonly Pair[]): readonly Pair[] {
  const calls = new Set<string>()
  const contacts = new Set<string>()
  return pairs
    .toSorted((a, b) => a.offMs - b.offMs)
    .filter(({ id, contactId }) => {
      if (calls.has(id) || contacts.has(contactId)) return false
      calls.add(id)
      contacts.add(contactId)
      return true
    })
}

async function keepMatches(
  database: Queryable,
  pairs: readonly Pair[],
  matchedBy: MatchedBy,
): Promise<void> {
  if (pairs.length === 0) return
  await database.query(
    `UPDATE platform_calls SET contact_id = CASE id ${pairs.map(() => 'WHEN ? THEN ?').join(' ')} END,
       matched_by = ?, caller = NULL, caller_e164 = NULL
     WHERE id IN (?)`,
    [
      ...pairs.flatMap(({ id, contactId }) => [id, contactId]),
      matchedBy,
      pairs.map(({ id }) => id),
    ],
  )
}

const PAGE = 1000

/**
 * Looks again for the contacts of listed calls of a period: their rows may have come later than the list. Rejects with
 * `list_busy`.
 */
export async function matchAgain(
  pool: Pool,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Promise<number> {
  let found = 0
  let after: readonly [Date, string] = [new Date(fromMs), NO_ID]
  for (;;) {
    const rows: { id: string; startedAt: Date }[] = await pool.query(
      `SELECT id, started_at AS startedAt FROM platform_calls
       WHERE contact_id IS NULL AND started_at >= ? AND (started_at > ? OR id > ?) AND started_at < ?
       ORDER BY started_at, id LIMIT ${PAGE}`,
      [after[0], after[0], after[1], new Date(toMs)],
    )
    const last = rows.at(-1)
    if (last === undefined) return found
    found += await changeListedCalls(pool, (connection) =>
      matchCalls(
        connection,
        rows.map(({ id }) => id),
      ),
    )
    if (rows.length < PAGE) return found
    after = [last.startedAt, last.id]
  }
}
