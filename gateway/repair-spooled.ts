import { createReadStream, existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { TallenneError } from '../base/tallenne-error.ts'
import { durationMsAt } from '../recorder/audio-length.ts'
import { repairOggOpus } from '../recorder/ogg-repair.ts'
import { digestOf } from '../storage/digest-of.ts'
import { type RepairedSealed, repairSealed } from '../storage/encryption/sealed-repair.ts'
import { spoolPathOf } from '../storage/recording-store.ts'
import { partOf } from '../storage/store-file.ts'
import type { SalvagedFile } from './crash-recovery.ts'

/**
 * Cuts what a dead process or engine left of a recording to its last whole page or record; undefined where nothing in
 * it can be played. An encrypted one is not read: its records tell how long it is.
 */
export async function repairSpooled(
  spoolPath: string,
  recordingId: string,
): Promise<SalvagedFile | undefined> {
  const sealedPath = spoolPathOf(spoolPath, recordingId, 'sealed')
  if (!existsSync(sealedPath)) return repairOggOpus(spoolPathOf(spoolPath, recordingId))
  const agePath = spoolPathOf(spoolPath, recordingId, 'age')
  await rm(partOf(agePath), { force: true })
  const sealed = await repairSealedFile(sealedPath)
  // An age file appears under its name only when it is whole.
  if (sealed?.encryption === undefined || !existsSync(agePath)) return sealed
  return {
    ...sealed,
    ...(await digestOf(createReadStream(agePath))),
    encryption: { ...sealed.encryption, form: 'age' },
  }
}

/** The same for records that were sealed while the call went on. */
export async function repairSealedFile(path: string): Promise<SalvagedFile | undefined> {
  const sealed = await repairOrUndefined(path)
  const durationMs = durationMsAt(sealed?.position ?? 0)
  if (sealed === undefined || durationMs === 0) return undefined
  const { keySet, audioBytes, bytes, sha256 } = sealed
  return {
    durationMs,
    bytes,
    sha256,
    encryption: { form: 'sealed', keySet, audioBytes, audioSha256: null },
  }
}

async function repairOrUndefined(path: string): Promise<RepairedSealed | undefined> {
  try {
    return await repairSealed(path)
  } catch (error) {
    // The crash came before the first page was written.
    if (error instanceof TallenneError && error.code === 'file_damaged') return undefined
    throw error
  }
}
