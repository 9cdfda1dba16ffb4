import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newId } from '../../base/uuid.ts'
import { migrate } from '../../storage/migrate.ts'
import type { JournalEntry, ServiceLine } from '../../storage/model.ts'
import { RecordingStore } from '../../storage/recording-store.ts'
import { syncServiceLines } from '../../storage/service-lines.ts'
import { storeFileOf } from '../../storage/store-file.ts'
import type { PrivateMariadb } from '../mariadb.ts'
import { applyEntries } from '../storage/apply.ts'
import { wholeCall } from '../storage/journal-entries.ts'

export const TIME_ZONE = 'Europe/Helsinki'

type Ended = Extract<JournalEntry, { kind: 'recording.ended' }>

/** A recorded call to be put into the archive. */
export interface ArchivedCall {
  readonly serviceLine?: string
  readonly endedAtMs: number
  readonly state?: Ended['state']
  /** False leaves the file out of the store, and the row without one. */
  readonly hasFile?: boolean
}

/** A database with service lines and a store with files, for tests of what is deleted when. */
export class Archive {
  readonly store: RecordingStore
  readonly storePath: string
  readonly #mariadb: PrivateMariadb

  private constructor(mariadb: PrivateMariadb, folder: string) {
    this.#mariadb = mariadb
    this.storePath = join(folder, 'store')
    this.store = new RecordingStore({ spoolPath: join(folder, 'spool'), storePath: this.storePath })
  }

  /** `folder` is empty. Lines: `asiakastuki` P2M, `puhelunvalitys` P6M, `tunnistamaton` for ever. */
  static async open(mariadb: PrivateMariadb, folder: string): Promise<Archive> {
    const archive = new Archive(mariadb, folder)
    await archive.store.prepare()
    await migrate(mariadb.pool())
    await archive.setPeriods({ asiakastuki: 'P2M', puhelunvalitys: 'P6M', tunnistamaton: null })
    return archive
  }

  async setPeriods(periods: Readonly<Record<string, string | null>>): Promise<void> {
    const lines = Object.entries(periods).map(
      ([name, period]): ServiceLine => ({
        name,
        period,
        numbers: [],
        timeZone: TIME_ZONE,
        isCatchAll: name === 'tunnistamaton',
      }),
    )
    await syncServiceLines(this.#mariadb.pool(), lines, { setBy: 'configuration', nowMs: 0 })
  }

  /** Tells the recordings' ids, in the order of the calls. */
  async add(calls: readonly ArchivedCall[]): Promise<readonly string[]> {
    const ids: string[] = []
    const entries: JournalEntry[] = []
    for (const {
      serviceLine = 'asiakastuki',
      endedAtMs,
      state = 'complete',
      hasFile = true,
    } of calls) {
      const recordingId = newId()
      if (hasFile) {
        writeFileSync(this.store.spoolPathOf(recordingId), 'OggS')
        await this.store.keep(recordingId)
      }
      const file = hasFile ? storeFileOf(recordingId) : null
      const fields = { serviceLine, startedAtMs: endedAtMs - 62_000 }
      entries.push(
        ...wholeCall(fields, { recordingId, state, file, bytes: hasFile ? 4 : 0 }).entries,
      )
      ids.push(recordingId)
    }
    await applyEntries(this.#mariadb.settings, entries)
    return ids
  }

  /** Paths of the recordings' files. */
  pathOf(recordingId: string): string {
    return join(this.storePath, storeFileOf(recordingId))
  }

  hasFile(recordingId: string): boolean {
    return existsSync(this.pathOf(recordingId))
  }

  async stateOf(recordingId: string): Promise<string | undefined> {
    return (await this.row(recordingId))?.['state']
  }

  async row(recordingId: string) {
    const [row] = await this.#mariadb
      .pool()
      .query('SELECT * FROM recordings WHERE id = ?', [recordingId])
    return row
  }
}
