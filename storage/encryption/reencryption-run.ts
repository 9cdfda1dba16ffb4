import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import { Turns } from '../../base/turns.ts'
import type { Pool } from '../database.ts'
import { inBatches } from '../in-batches.ts'
import { withNamedLock } from '../named-lock.ts'
import {
  countStoredFiles,
  findStoredFiles,
  type StoredFile,
  type StoredFileFilter,
} from '../stored-files.ts'
import { type ReencryptOptions, reencrypt } from './reencrypt.ts'

export interface ReencryptionRunOptions extends Omit<ReencryptOptions, 'database'> {
  readonly pool: Pool
  /** Whose files are meant; those that are encrypted as they should be are left out of themselves. */
  readonly filter: Omit<StoredFileFilter, 'unlessKeySet'>
  readonly onProgress: (progress: ReencryptionProgress) => void
  /** Ends the run after the files that are being worked on. */
  readonly signal?: AbortSignal
}

export interface ReencryptionProgress {
  /** Files of which the run knew at its beginning. */
  readonly total: number
  readonly reencrypted: number
  /** Deleted meanwhile, or replaced by another. */
  readonly gone: number
  readonly failed: readonly FailedFile[]
}

export interface FailedFile {
  readonly recordingId: string
  /** `identity_wrong`, `file_damaged`, `file_missing`, …, or the system's own. */
  readonly code: string
  readonly message: string
}

const BATCH = 100
const AT_ONCE = 2

/**
 * Encrypts everything that is not encrypted to the present recipients: files in the clear, files for other recipients,
 * and what crashes left sealed. May be ended at any moment and run again: it goes on with what is left. A file that
 * cannot be taken is told of and stands as it is. `busy` where another such run is going on.
 */
export async function runReencryption(
  options: ReencryptionRunOptions,
): Promise<
  { readonly kind: 'done'; readonly result: ReencryptionProgress } | { readonly kind: 'busy' }
> {
  return withNamedLock(options.pool, { name: 'tallenne.reencrypt', waitS: 0 }, () => run(options))
}

async function run(options: ReencryptionRunOptions): Promise<ReencryptionProgress> {
  const { pool, recipients, onProgress, signal } = options
  const filter = { ...options.filter, unlessKeySet: recipients.keySet }
  const total = await countStoredFiles(pool, filter)
  const counts = { reencrypted: 0, gone: 0 }
  const failed: FailedFile[] = []
  const progress = () => ({ total, ...counts, failed })
  const turns = new Turns(AT_ONCE)
  const work = async (file: StoredFile) => {
    if (signal?.aborted) return
    try {
      counts[await reencrypt(file, { ...options, database: pool })]++
    } catch (error) {
      const code = error instanceof TallenneError ? error.code : 'file_unreadable'
      failed.push({ recordingId: file.id, code, message: messageOf(error) })
    }
    onProgress(progress())
  }
  onProgress(progress())
  for await (const batch of inBatches(BATCH, (place) => findStoredFiles(pool, filter, place))) {
    if (signal?.aborted) break
    await Promise.all(batch.map((file) => turns.take(() => work(file))))
  }
  return progress()
}
