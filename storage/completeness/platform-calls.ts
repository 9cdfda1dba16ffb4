import { createHash } from 'node:crypto'
import { TallenneError } from '../../base/tallenne-error.ts'
import { newId } from '../../base/uuid.ts'
import { type Pool, type Queryable, transactOn } from '../database.ts'
import { changeListedCalls } from './change-listed-calls.ts'
import { matchCalls } from './match-calls.ts'

/** A call as the platform lists it. */
export interface ListedCall {
  /** What the platform calls it, at most 255 characters. */
  readonly reference: string | null
  /** SIP Call-ID. */
  readonly callId: string | null
  readonly startedAtMs: number
  /** A local time that the clock showed twice, of which `startedAtMs` is the first. */
  readonly isAmbiguous: boolean
  readonly durationS: number | null
  /** Null where the list does not say. */
  readonly wasAnswered: boolean | null
  /** As listed; null where it was withheld or is not there. */
  readonly caller: string | null
  readonly callerE164: string | null
  readonly serviceNumber: string | null
  readonly serviceNumberE164: string | null
  readonly serviceLine: string
}

export interface TakenCalls {
  /** New ones. */
  readonly taken: number
  /** Those that an earlier import brought. */
  readonly known: number
  /** All of these calls whose contact is known now. */
  readonly matched: number
}

/** Of which import the calls are. */
export interface ImportParts {
  /** UUIDv7; the parts of one import have it in common. */
  readonly importId: string
  readonly list: string
  readonly importedBy: string
  readonly toleranceMs: number
  readonly nowMs: number
}

/**
 * Takes some calls of a list and looks for their contacts. Taking them again changes nothing, but that the later import
 * lists them too. At most a few thousand. Rejects with `import_withdrawn` and `list_busy`.
 */
export async function takeListedCalls(
  pool: Pool,
  calls: readonly ListedCall[],
  parts: ImportParts,
): Promise<TakenCalls> {
  const byFingerprint = new Map(calls.map((call) => [fingerprintOf(call), call]))
  if (byFingerprint.size === 0) return { taken: 0, known: 0, matched: 0 }
  return changeListedCalls(pool, async (connection) => {
    const fresh = await transactOn(connection, async () => {
      await beginImport(connection, parts)
      const known = await fingerprintsOf(connection, parts.list, byFingerprint)
      const missing = [...byFingerprint].filter(([fingerprint]) => !known.has(fingerprint))
      if (missing.length > 0) await insertCalls(connection, missing, parts)
      await connection.query(
        `INSERT IGNORE INTO platform_call_imports (import_id, platform_call_id)
         SELECT ?, id FROM platform_calls WHERE list = ? AND fingerprint IN (?)`,
        [parts.importId, parts.list, [...byFingerprint.keys()]],
      )
      return missing.length
    })
    const unmatched: { id: string }[] = await connection.query(
      'SELECT id FROM platform_calls WHERE list = ? AND fingerprint IN (?) AND contact_id IS NULL',
      [parts.list, [...byFingerprint.keys()]],
    )
    const found = await matchCalls(
      connection,
      unmatched.map(({ id }) => id),
    )
    return {
      taken: fresh,
      known: calls.length - fresh,
      matched: byFingerprint.size - unmatched.length + found,
    }
  })
}

/** Rejects with `import_withdrawn`. */
async function beginImport(database: Queryable, parts: ImportParts): Promise<void> {
  const { importId, list, importedBy, nowMs } = parts
  await database.query(
    `INSERT INTO platform_imports (id, list, imported_at, imported_by) VALUES (?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE id = platform_imports.id`,
    [importId, list, new Date(nowMs), importedBy],
  )
  const [row] = await database.query('SELECT withdrawn_at FROM platform_imports WHERE id = ?', [
    importId,
  ])
  if (row.withdrawn_at === null) return
  throw new TallenneError('import_withdrawn', `Import ${importId} has been withdrawn.`)
}

async function insertCalls(
  database: Queryable,
  calls: readonly (readonly [fingerprint: string, call: ListedCall])[],
  { list, toleranceMs, nowMs }: ImportParts,
): Promise<void> {
  await database.query(
    `INSERT INTO platform_calls (id, list, fingerprint, reference, call_id, started_at, is_ambiguous, tolerance_ms,
       duration_s, was_answered, caller, caller_e164, service_number, service_number_e164, service_line, imported_at)
     VALUES ${calls.map(() => '(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)').join(', ')}
     ON DUPLICATE KEY UPDATE id = platform_calls.id`,
    calls.flatMap(([fingerprint, call]) => [
      newId(),
      list,
      fingerprint,
      call.reference,
      call.callId,
      new Date(call.startedAtMs),
      call.isAmbiguous,
      toleranceMs,
      call.durationS,
      call.wasAnswered,
      call.caller,
      call.callerE164,
      call.serviceNumber,
      call.serviceNumberE164,
      call.serviceLine,
      new Date(nowMs),
    ]),
  )
}

async function fingerprintsOf(
  database: Queryable,
  list: string,
  wanted: ReadonlyMap<string, ListedCall>,
): Promise<ReadonlySet<string>> {
  const rows: { fingerprint: string }[] = await database.query(
    'SELECT fingerprint FROM platform_calls WHERE list = ? AND fingerprint IN (?)',
    [list, [...wanted.keys()]],
  )
  return new Set(rows.map(({ fingerprint }) => fingerprint))
}

/** Equal for one call, however often its list is imported. */
function fingerprintOf(call: ListedCall): string {
  const facts = [call.reference, call.callId, call.startedAtMs, call.caller, call.serviceNumber]
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex')
}
