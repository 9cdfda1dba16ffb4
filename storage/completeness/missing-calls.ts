import { beyond, pageOf, valuesBeyond } from '../contact-search.ts'
import type { Queryable } from '../database.ts'
import type { CompletenessPeriod } from './read-completeness.ts'

/** A listed call that never came here. */
export interface MissingCallView {
  readonly list: string
  /** The imports that list it, the latest first. */
  readonly importIds: readonly string[]
  readonly platformReference: string | null
  readonly callId: string | null
  readonly startedAt: string
  readonly durationS: number | null
  readonly caller: string | null
  readonly serviceNumber: string | null
  readonly serviceLine: string
}

export interface MissingCallPage {
  /** Newest first. */
  readonly items: readonly MissingCallView[]
  readonly nextCursor: string | null
}

interface Row extends Omit<MissingCallView, 'startedAt' | 'importIds'> {
  readonly id: string
  readonly startedAt: Date
}

/** Rejects with `bad_cursor` for a cursor that no page gave. */
export async function listMissingCalls(
  database: Queryable,
  filter: CompletenessPeriod & { readonly cursor?: string | undefined; readonly limit: number },
): Promise<MissingCallPage> {
  const { fromMs, toMs, serviceLine, cursor, limit } = filter
  const rows: Row[] = await database.query(
    `SELECT id, list, reference AS platformReference, call_id AS callId, started_at AS startedAt,
       duration_s AS durationS, COALESCE(caller_e164, caller) AS caller,
       COALESCE(service_number_e164, service_number) AS serviceNumber, service_line AS serviceLine
     FROM platform_calls
     WHERE contact_id IS NULL AND COALESCE(was_answered, TRUE) AND started_at >= ? AND started_at < ?
       ${serviceLine === undefined ? '' : 'AND service_line = CONVERT(? USING ascii)'}
       ${cursor === undefined ? '' : `AND ${beyond('started_at', 'id')}`}
     ORDER BY started_at DESC, id DESC LIMIT ?`,
    [
      new Date(fromMs),
      new Date(toMs),
      ...(serviceLine === undefined ? [] : [serviceLine]),
      ...(cursor === undefined ? [] : valuesBeyond(cursor)),
      limit + 1,
    ],
  )
  const { page, nextCursor } = pageOf(rows, limit, {
    cursorOf: ({ startedAt, id }) => ({ startedAtMs: startedAt.getTime(), id }),
  })
  const imports = await importsOf(
    database,
    page.map(({ id }) => id),
  )
  return {
    items: page.map(({ id, startedAt, ...call }) => ({
      ...call,
      importIds: imports.get(id) ?? [],
      startedAt: startedAt.toISOString(),
    })),
    nextCursor,
  }
}

async function importsOf(
  database: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>()
  if (ids.length === 0) return found
  const rows: { id: string; importId: string }[] = await database.query(
    `SELECT platform_call_id AS id, import_id AS importId FROM platform_call_imports
     WHERE platform_call_id IN (?) ORDER BY import_id DESC`,
    [ids],
  )
  for (const { id, importId } of rows) found.set(id, [...(found.get(id) ?? []), importId])
  return found
}
