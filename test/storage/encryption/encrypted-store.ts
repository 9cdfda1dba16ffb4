import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { newId } from '../../../base/uuid.ts'
import { DirectDisk } from '../../../storage/disk/direct-disk.ts'
import { writeAgeFile } from '../../../storage/encryption/age-file.ts'
import { wrapNewKey } from '../../../storage/encryption/age-header.ts'
import type { Recipients } from '../../../storage/encryption/recipients.ts'
import { NO_ID } from '../../../storage/in-batches.ts'
import { migrate } from '../../../storage/migrate.ts'
import { RecordingStore } from '../../../storage/recording-store.ts'
import { storeFileOf } from '../../../storage/store-file.ts'
import { findStoredFiles, type StoredFile } from '../../../storage/stored-files.ts'
import { startMariadb } from '../../mariadb.ts'
import { sha256 } from '../../sha256.ts'
import { applyEntries } from '../apply.ts'
import { wholeCall } from '../journal-entries.ts'

type RecordingFields = NonNullable<Parameters<typeof wholeCall>[1]>

/** A store with its database, and recordings in it. */
export async function startEncryptedStore(folder: string) {
  const mariadb = await startMariadb()
  const pool = mariadb.pool()
  await migrate(pool)
  const store = new RecordingStore({
    spoolPath: join(folder, 'spool'),
    storePath: join(folder, 'store'),
  })
  await store.prepare()
  const disk = new DirectDisk()

  const addRow = async (recordingId: string, fields: RecordingFields) => {
    await applyEntries(mariadb.settings, wholeCall({}, { recordingId, ...fields }).entries)
    return recordingId
  }
  return {
    pool,
    store,
    disk,
    addRow,
    async addPlain(audio: Uint8Array): Promise<string> {
      const recordingId = newId()
      const file = storeFileOf(recordingId)
      mkdirSync(dirname(store.pathOf(file)), { recursive: true })
      writeFileSync(store.pathOf(file), audio)
      return addRow(recordingId, { file, bytes: audio.length, sha256: sha256(audio) })
    },
    async addAge(audio: Uint8Array, { list, keySet }: Recipients): Promise<string> {
      const recordingId = newId()
      const file = storeFileOf(recordingId, 'age')
      mkdirSync(dirname(store.pathOf(file)), { recursive: true })
      async function* once() {
        yield audio
      }
      const wrapped = await wrapNewKey(list)
      const facts = await writeAgeFile(store.pathOf(file), { disk, wrapped, audio: once() })
      const { bytes, sha256, audioBytes, audioSha256 } = facts
      const encryption = { form: 'age', keySet, audioBytes, audioSha256 } as const
      return addRow(recordingId, { file, bytes, sha256, encryption })
    },
    async row(id: string): Promise<StoredFile> {
      const [row] = await findStoredFiles(pool, { ids: [id] }, { afterId: NO_ID, limit: 1 })
      if (!row) throw new Error(`no row ${id}`)
      return row
    },
    async close() {
      await mariadb.close()
    },
  }
}
