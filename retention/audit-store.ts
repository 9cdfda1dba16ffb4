import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import {
  keepDiscrepancies,
  MOST_DISCREPANCIES,
  tellDiscrepancies,
} from '../storage/completeness/discrepancies.ts'
import type { Pool } from '../storage/database.ts'
import type { FileFacts } from '../storage/disk/disk.ts'
import { inBatches } from '../storage/in-batches.ts'
import type { RecordingStore, StoreEntry } from '../storage/recording-store.ts'
import {
  adoptFile,
  countUnruled,
  fileClaims,
  fileOwners,
  markMissing,
} from '../storage/store-audit.ts'
import { inParallel } from './in-parallel.ts'

export interface StoreAuditOptions {
  /** Of this daemon, for what belongs to no row and so to no node. */
  readonly nodeId: string
  readonly pool: Pool
  readonly store: Pick<
    RecordingStore,
    'check' | 'entries' | 'facts' | 'partFacts' | 'erase' | 'erasePart'
  >
  readonly clock: Clock
  readonly log: Log
  readonly signal?: AbortSignal
}

/** How rows and files agree. Each file and each row is in at most one count. */
export interface StoreAudit {
  /** Files older than a day that no row knows. Kept as discrepancies, never erased: nobody knows whose they are. */
  readonly filesWithoutRow: number
  /** Files of recordings that were deleted already, and those that were replaced by others: erased now. */
  readonly filesErased: number
  /** Files that a crash left half written: erased now. */
  readonly partsErased: number
  /** Files that a crash had left without their row's knowledge: the row knows now, so they expire. */
  readonly filesAdopted: number
  /** Rows that say they have a file, and none is there: marked. */
  readonly rowsWithoutFile: number
  /** Ended recordings of lines that no policy rules, by line. */
  readonly unruled: ReadonlyMap<string, number>
}

const BATCH_SIZE = 500
const AT_ONCE = 16
/** A younger file may be on its way: its row is written when the journal has been applied. */
const SETTLED_MS = 86_400_000
/** Ids that a log line names; the counts tell the rest. */
const MAX_NAMED = 20

/**
 * Compares the store with the database, both ways. Reads every file name and every row once, in batches.
 * Rejects with `store_missing` where the store is not there.
 */
export async function auditStore(options: StoreAuditOptions): Promise<StoreAudit> {
  await options.store.check()
  const files = await auditFiles(options)
  const rowsWithoutFile = await auditRows(options)
  return { ...files, rowsWithoutFile, unruled: await countUnruled(options.pool) }
}

async function auditFiles(options: StoreAuditOptions) {
  const { store, log, signal } = options
  const unknown: string[] = []
  const erased: string[] = []
  const parts: string[] = []
  const adopted: string[] = []
  const found = { unknown, erased, parts, adopted }
  let batch: StoreEntry[] = []
  for await (const entry of store.entries()) {
    if (signal?.aborted) break
    batch.push(entry)
    if (batch.length < BATCH_SIZE) continue
    await auditBatch(batch, found, options)
    batch = []
  }
  await auditBatch(batch, found, options)
  report(log, unknown, 'files in the store belong to no row')
  if (!signal?.aborted) await keepUnknown(unknown, options)
  report(
    log,
    erased,
    'files of deleted recordings, or in the place of which are others, were still there and are erased',
  )
  report(log, parts, 'files in the store were left half written by a crash and are erased')
  report(log, adopted, 'files in the store were unknown to their rows')
  return {
    filesWithoutRow: unknown.length,
    filesErased: erased.length,
    partsErased: parts.length,
    filesAdopted: adopted.length,
  }
}

type Found = Readonly<Record<'unknown' | 'erased' | 'parts' | 'adopted', string[]>>

async function auditBatch(
  batch: readonly StoreEntry[],
  found: Found,
  { pool, store, clock }: StoreAuditOptions,
): Promise<void> {
  const owners = await fileOwners(
    pool,
    batch.map(({ recordingId }) => recordingId),
  )
  const isSettled = (facts: FileFacts) => clock.epochMs() - facts.modifiedAtMs >= SETTLED_MS
  await inParallel(batch, AT_ONCE, async ({ recordingId, file, isPart }) => {
    const owner = owners.get(recordingId)
    if (isPart) {
      const facts = await store.partFacts(file)
      if (!facts || (owner?.state !== 'deleted' && !isSettled(facts))) return
      await store.erasePart(file)
      found.parts.push(recordingId)
      return
    }
    if (owner?.state === 'deleted') {
      await store.erase(file)
      found.erased.push(recordingId)
      return
    }
    if (owner?.file === file || owner?.state === 'deleting' || owner?.state === 'recording') return
    const facts = await store.facts(file)
    if (!facts || !isSettled(facts)) return
    if (owner && owner.file !== null) {
      // Left over where a file was encrypted anew, and worth something as long as the other one is not there.
      if ((await store.facts(owner.file)) === undefined) return
      await store.erase(file)
      found.erased.push(recordingId)
      return
    }
    if (!owner) {
      found.unknown.push(recordingId)
      return
    }
    await adoptFile(pool, { id: recordingId, file, bytes: facts.bytes })
    found.adopted.push(recordingId)
  })
}

/** The reconciler clears them as soon as they have a row or are gone. */
async function keepUnknown(
  recordingIds: readonly string[],
  { pool, nodeId, clock, log }: StoreAuditOptions,
): Promise<void> {
  const unknown = [...new Set(recordingIds)].slice(0, MOST_DISCREPANCIES)
  const change = await keepDiscrepancies(
    pool,
    unknown.map((subject) => ({ kind: 'file_without_row', subject, nodeId })),
    { kinds: ['file_without_row'], nowMs: clock.epochMs() },
  )
  tellDiscrepancies(change, log)
}

async function auditRows({ pool, store, clock, log, signal }: StoreAuditOptions): Promise<number> {
  const missing: string[] = []
  for await (const claims of inBatches(BATCH_SIZE, (place) => fileClaims(pool, place))) {
    const lost: string[] = []
    const back: string[] = []
    await inParallel(claims, AT_ONCE, async ({ id, file, isMissing }) => {
      const isThere = (await store.facts(file)) !== undefined
      if (!isThere) missing.push(id)
      if (!isThere && !isMissing) lost.push(id)
      if (isThere && isMissing) back.push(id)
    })
    await markMissing(pool, lost, clock.epochMs())
    await markMissing(pool, back, null)
    if (signal?.aborted) break
  }
  report(log, missing, 'recordings have no file in the store')
  return missing.length
}

function report(log: Log, ids: readonly string[], message: string): void {
  if (ids.length === 0) return
  log.error({ count: ids.length, recordingIds: ids.slice(0, MAX_NAMED) }, message)
}
