import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import type { Pool } from './database.ts'
import { digestOf } from './digest-of.ts'
import { type KeyOpener, openStored, wholeOf } from './encryption/opened-audio.ts'
import { inBatches } from './in-batches.ts'
import type { RecordingStore } from './recording-store.ts'
import {
  countStoredFiles,
  findStoredFiles,
  type StoredFile,
  type StoredFileFilter,
} from './stored-files.ts'

export interface VerifyOptions {
  readonly pool: Pool
  readonly store: RecordingStore
  readonly filter: StoredFileFilter
  /** Whether encrypted files are opened, so that their audio is verified too. */
  readonly opensAudio: boolean
  /** What opens them; where it is undefined, each of them is a fault. */
  readonly identities: KeyOpener | undefined
  readonly onProgress: (checked: number, total: number) => void
  readonly signal?: AbortSignal
}

export interface VerifiedFiles {
  readonly checked: number
  readonly whole: number
  /** Files of which no SHA-256 is known, as those that were found after a crash. */
  readonly unproven: number
  readonly faults: readonly FileFault[]
  /** False where the run was ended before the last file. */
  readonly isComplete: boolean
}

export interface FileFault {
  readonly recordingId: string
  readonly file: string
  /** `file_missing`, `file_changed`, `file_damaged`, `identity_missing`, `identity_wrong` or `file_unreadable`. */
  readonly code: string
  readonly message: string
}

const BATCH = 200

/**
 * Compares each file with the SHA-256 and the length that its row has of it, and if wanted also the audio within.
 * Reads every byte, in order of the recordings' ids, and changes nothing.
 */
export async function verifyFiles(options: VerifyOptions): Promise<VerifiedFiles> {
  const { pool, filter, onProgress, signal } = options
  const total = await countStoredFiles(pool, filter)
  const counts = { checked: 0, whole: 0, unproven: 0 }
  const faults: FileFault[] = []
  onProgress(0, total)
  for await (const batch of inBatches(BATCH, (place) => findStoredFiles(pool, filter, place))) {
    for (const stored of batch) {
      if (signal?.aborted) return { ...counts, faults, isComplete: false }
      const fault = await faultOf(stored, options)
      counts.checked++
      if (fault !== undefined) faults.push({ recordingId: stored.id, file: stored.file, ...fault })
      else if (stored.sha256 === null) counts.unproven++
      else counts.whole++
      onProgress(counts.checked, total)
    }
  }
  return { ...counts, faults, isComplete: true }
}

type Fault = Pick<FileFault, 'code' | 'message'>

async function faultOf(stored: StoredFile, options: VerifyOptions): Promise<Fault | undefined> {
  try {
    const fault = await faultOfFile(stored, options)
    return fault ?? (await faultOfAudio(stored, options))
  } catch (error) {
    const code = error instanceof TallenneError ? error.code : 'file_unreadable'
    return { code, message: messageOf(error) }
  }
}

async function faultOfFile(
  { file, bytes, sha256 }: StoredFile,
  { store }: VerifyOptions,
): Promise<Fault | undefined> {
  const handle = await store.open(file)
  const found = await digestOf(handle.createReadStream({ highWaterMark: 262_144 }))
  if (bytes !== null && found.bytes !== bytes) {
    return { code: 'file_changed', message: `It has ${found.bytes} bytes instead of ${bytes}.` }
  }
  if (sha256 === null || found.sha256 === sha256) return undefined
  return { code: 'file_changed', message: 'Its SHA-256 is not the one of its row.' }
}

async function faultOfAudio(
  { file, encryption, audioSha256 }: StoredFile,
  { store, identities, opensAudio }: VerifyOptions,
): Promise<Fault | undefined> {
  if (!opensAudio || encryption === 'none') return undefined
  const audio = await openStored(store, file, identities)
  try {
    const { sha256 } = await digestOf(wholeOf(audio))
    if (audioSha256 === null || sha256 === audioSha256) return undefined
    return { code: 'file_changed', message: 'Its audio is not the one of its row.' }
  } finally {
    await audio.close()
  }
}
