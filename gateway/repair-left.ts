import { createReadStream, existsSync } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import type { DataPaths } from '../config/data-paths.ts'
import { repairOggOpus } from '../recorder/ogg-repair.ts'
import { digestOf } from '../storage/digest-of.ts'
import { headerEndOf, MAX_HEADER_BYTES } from '../storage/encryption/age-header.ts'
import { AGE_NONCE_BYTES, plainBytesOf } from '../storage/encryption/age-stream.ts'
import { type RecordingStore, spoolPathOf } from '../storage/recording-store.ts'
import { epochMsOf, FILE_FORMS, type FileForm, storeFileOf } from '../storage/store-file.ts'
import type { SalvagedFile } from './crash-recovery.ts'
import { repairSealedFile, repairSpooled } from './repair-spooled.ts'

export interface LeftBehind extends Pick<DataPaths, 'spool'> {
  /** Looks into the store, which may hang. */
  readonly files: Pick<RecordingStore, 'facts' | 'pathOf'>
  /** The key set that the node encrypts to; undefined where it does not. */
  readonly keySet: string | undefined
}

/**
 * What a dead process or engine left of a recording: repaired, where it lies in the spool; as it is, where it had been
 * moved to the store and had not got its verdict yet. Undefined where nothing is there that can be played. Rejects with
 * `disk_hung` where it is not in the spool, and the store does not answer.
 */
export async function repairLeft(
  { spool, files, keySet }: LeftBehind,
  recordingId: string,
): Promise<SalvagedFile | undefined> {
  if (FILE_FORMS.some((form) => existsSync(spoolPathOf(spool, recordingId, form)))) {
    return repairSpooled(spool, recordingId)
  }
  const pathOf = (form: FileForm) => files.pathOf(storeFileOf(recordingId, form))
  const form = await storedForm(files, recordingId)
  switch (form) {
    case undefined:
      return undefined
    case 'plain':
      return repairOggOpus(pathOf(form))
    case 'sealed':
      return repairSealedFile(pathOf(form))
    case 'age':
      return readAge(pathOf(form), { recordingId, keySet })
  }
}

async function storedForm(
  files: Pick<RecordingStore, 'facts'>,
  recordingId: string,
): Promise<FileForm | undefined> {
  for (const form of FILE_FORMS) {
    if ((await files.facts(storeFileOf(recordingId, form))) !== undefined) return form
  }
  return undefined
}

/** Nobody here can read an age file, so its length is what the clock says: it was written to its end with the call. */
async function readAge(
  path: string,
  { recordingId, keySet }: { readonly recordingId: string; readonly keySet: string | undefined },
): Promise<SalvagedFile | undefined> {
  const file = await open(path, 'r')
  const begin = Buffer.alloc(MAX_HEADER_BYTES)
  try {
    await file.read(begin, 0, begin.length, 0)
  } finally {
    await file.close()
  }
  const { size, mtimeMs } = await stat(path)
  const audioBytes = plainBytesOf(size - (headerEndOf(begin) ?? size) - AGE_NONCE_BYTES)
  if (audioBytes === undefined) return undefined
  return {
    ...(await digestOf(createReadStream(path))),
    durationMs: Math.max(0, mtimeMs - epochMsOf(recordingId)),
    encryption: { form: 'age', keySet: keySet ?? 'unknown', audioBytes, audioSha256: null },
  }
}
