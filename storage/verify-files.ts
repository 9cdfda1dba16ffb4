import { createHash } from 'node:crypto'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import type { Pool } from './database.ts'
import { type KeyOpener, openAudio } from './encryption/opened-audio.ts'
import type { RecordingStore } from './recording-store.ts'
import {
  countStoredFiles,
  findStoredFiles,
  NO_ID,
  type StoredFile,
  type StoredFileFilter,
} from './stored-files.ts'

export interface VerifyOptions {
  readonly pool: Pool
  readonly store: RecordingStore
  readonly filter: StoredFileFilter
  /** Opens encrypted files, so that their audio is verified too; undefined where the files alone are. */
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
  /** `file_missing`, `file_changed`, `file_damaged`, `identity_wrong` or `file_unreadable`. */
  readonly code: string
  readonly message: string
}

const BATCH = 200

/**
 * Compares each file with the SHA-256 and the length that its row has of it; with identities, also the audio within.
 * Reads every byte, in order of the recordings' ids, and changes nothing.
 */
export async function verifyFiles(options: VerifyOptions): Promise<VerifiedFiles> {
  const { pool, filter, onProgress, signal } = options
  const total = await countStoredFiles(pool, filter)
  const counts = { checked: 0, whole: 0, unproven: 0 }
  const faults: FileFault[] = []
  onProgress(0, total)
  let afterId = NO_ID
  for (;;) {
    const batch = await findStoredFiles(pool, filter, { afterId, limit: BATCH })
    if (batch.length === 0) return { ...counts, faults, isComplete: true }
    for (const stored of batch) {
      if (signal?.aborted) return { ...counts, faults, isComplete: false }
      const fault = await faultOf(stored, options)
      counts.checked++
      if (fault !== undefined) faults.push({ recordingId: stored.id, file: stored.file, ...fault })
      else if (stored.sha256 === null) counts.unproven++
      else counts.whole++
      onProgress(counts.checked, total)
      afterId = stored.id
    }
  }
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
  const hash = createHash('sha256')
  let found = 0
  for await (const piece of handle.createReadStream({ highWaterMark: 262_144 })) {
    hash.update(piece)
    found += piece.length
  }
  if (bytes !== null && found !== bytes) {
    return { code: 'file_changed', message: `It has ${found} bytes instead of ${bytes}.` }
  }
  if (sha256 === null || hash.digest('hex') === sha256) return undefined
  return { code: 'file_changed', message: 'Its SHA-256 is not the one of its row.' }
}

async function faultOfAudio(
  { file, encryption, audioSha256 }: StoredFile,
  { store, identities }: VerifyOptions,
): Promise<Fault | undefined> {
  if (identities === undefined || encryption === 'none') return undefined
  const audio = await openAudio(await store.open(file), identities)
  try {
    const hash = createHash('sha256')
    for await (const piece of audio.read(0, audio.bytes - 1)) hash.update(piece)
    if (audioSha256 === null || hash.digest('hex') === audioSha256) return undefined
    return { code: 'file_changed', message: 'Its audio is not the one of its row.' }
  } finally {
    await audio.close()
  }
}
