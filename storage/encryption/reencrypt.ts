import { open, rm } from 'node:fs/promises'
import { TallenneError } from '../../base/tallenne-error.ts'
import type { Queryable } from '../database.ts'
import { digestOf } from '../digest-of.ts'
import type { Disk } from '../disk/disk.ts'
import type { RecordingStore } from '../recording-store.ts'
import { partOf, replacementOf } from '../store-file.ts'
import { hasStoredFile, replaceStoredFile, type StoredFile } from '../stored-files.ts'
import { type AgeFileFacts, writeAgeFile } from './age-file.ts'
import { type WrappedKey, wrapNewKey } from './age-header.ts'
import { endedPages } from './ended-pages.ts'
import { type KeyOpener, openAudio, openStored, wholeOf } from './opened-audio.ts'
import type { Recipients } from './recipients.ts'

export interface ReencryptOptions {
  readonly database: Queryable
  readonly store: RecordingStore
  readonly disk: Disk
  readonly recipients: Recipients
  /** What opens the files as they are; undefined where only files in the clear are to be taken. */
  readonly identities: KeyOpener | undefined
  /** Marks the last page of a recording as such, in place: one that a crash ended has none that is. */
  readonly endPage: (page: Uint8Array) => void
}

/**
 * Encrypts a recording's file anew, with a new key, to the recipients.
 *
 * The new file is written under a name of its own, put on the disk for good, and read back; then the row changes over
 * to it in one step, and the old file is removed. Whatever ends the program in between, the row has a whole file, and
 * what is left over is written anew by the next run or removed by the daily comparison of files with rows.
 *
 * `gone` says that the recording was deleted or replaced meanwhile. Rejects as `openStored` does; with `file_missing`;
 * with `file_damaged` where the audio is not what was recorded, and then nothing has changed; and as the disk does.
 */
export async function reencrypt(
  old: StoredFile,
  options: ReencryptOptions,
): Promise<'reencrypted' | 'gone'> {
  const { database, store, disk, recipients } = options
  const file = replacementOf(old.file)
  const path = store.pathOf(file)
  const part = partOf(path)
  await rm(part, { force: true })
  const wrapped = await wrapNewKey(recipients.list)
  try {
    const facts = await writeFrom(old, part, { ...options, wrapped })
    await proveWritten(part, facts, wrapped)
    await disk.run<'move'>({ kind: 'move', choices: [{ from: part, to: path }] })
    const replacement = { ...facts, file, keySet: recipients.keySet }
    const isReplaced = await replaceStoredFile(database, old, replacement)
    await store.erase(isReplaced ? old.file : file)
    return isReplaced ? 'reencrypted' : 'gone'
  } catch (error) {
    await rm(part, { force: true })
    // Whoever deletes a recording takes away what is being written of it.
    if (!(await hasStoredFile(database, old))) return 'gone'
    throw error
  } finally {
    wrapped.fileKey.fill(0)
  }
}

async function writeFrom(
  old: StoredFile,
  part: string,
  { store, disk, identities, endPage, wrapped }: ReencryptOptions & { wrapped: WrappedKey },
): Promise<AgeFileFacts> {
  const audio = await openStored(store, old.file, identities)
  try {
    const pieces = audio.form === 'sealed' ? endedPages(wholeOf(audio), endPage) : wholeOf(audio)
    const facts = await writeAgeFile(part, { disk, wrapped, audio: pieces })
    const expected = audio.form === 'plain' ? old.sha256 : old.audioSha256
    if (expected === null || facts.audioSha256 === expected) return facts
    throw new TallenneError(
      'file_damaged',
      'The audio in the file is not what was recorded: its SHA-256 differs from the row’s.',
    )
  } finally {
    await audio.close()
  }
}

/** Reads the new file once more from its beginning to its end. */
async function proveWritten(
  path: string,
  facts: AgeFileFacts,
  { header, fileKey }: WrappedKey,
): Promise<void> {
  const opener: KeyOpener = {
    open: async (found) => {
      if (Buffer.compare(found, header) === 0) return fileKey.slice()
      throw new TallenneError('write_failed', `${path} does not begin as it was written.`)
    },
  }
  const audio = await openAudio(await open(path, 'r'), opener)
  try {
    if ((await digestOf(wholeOf(audio))).sha256 === facts.audioSha256) return
    throw new TallenneError('write_failed', `${path} does not read back as it was written.`)
  } finally {
    await audio.close()
  }
}
