import { constants } from 'node:fs'
import {
  access,
  type FileHandle,
  open,
  opendir,
  readdir,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from '../base/has-code.ts'
import { makeFolder } from '../base/make-folder.ts'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import { DirectDisk } from './disk/direct-disk.ts'
import type { Disk } from './disk/disk.ts'
import {
  FILE_FORMS,
  type FileForm,
  partOf,
  readFileName,
  readStoreFile,
  recordingIdOf,
  storeFileOf,
  wholeOfPart,
} from './store-file.ts'

export interface StorePaths {
  /** Folder of open recordings, on this machine. */
  readonly spoolPath: string
  /** Folder of ended recordings, perhaps on another disk. */
  readonly storePath: string
}

export interface RecordingStoreOptions extends StorePaths {
  /** Who moves recordings into the store; by default the caller's own thread. */
  readonly disk?: Disk
  /** A recording was moved whose bytes are not what was written. */
  readonly onChanged?: (recordingId: string) => void
}

/** What is known of an ended recording's file. */
export interface EndedFile {
  readonly bytes: number
  readonly sha256: string
}

/** How a file lies on the disk. */
export interface FileFacts {
  readonly bytes: number
  readonly modifiedAtMs: number
}

/** A file of the store, as a sweep for orphans meets it. */
export interface StoreEntry {
  readonly recordingId: string
  readonly file: string
  /** What a crash left of the file while it was written, or what is being written now. */
  readonly isPart: boolean
}

const MARKER = '.tallenne-store'

/**
 * Moves recordings from the spool to the store, reads and erases them.
 *
 * The store's folder carries a marker file. Without it the folder is some other folder, for example the
 * empty mount point of a disk that is not there, and no file missing from it proves anything.
 */
export class RecordingStore {
  readonly #spoolPath: string
  readonly #storePath: string
  readonly #disk: Disk
  readonly #onChanged: (recordingId: string) => void

  constructor({ spoolPath, storePath, disk, onChanged }: RecordingStoreOptions) {
    this.#spoolPath = spoolPath
    this.#storePath = storePath
    this.#disk = disk ?? new DirectDisk()
    this.#onChanged = onChanged ?? (() => {})
  }

  /** Makes the folders, mode 0700, and the marker. For the process that writes recordings. Rejects with `store_unwritable`. */
  async prepare(): Promise<void> {
    try {
      makeFolder(this.#spoolPath, 0o700)
      makeFolder(this.#storePath, 0o700)
      await writeFile(join(this.#storePath, MARKER), 'Ended recordings of Tallenne.\n', {
        mode: 0o600,
      })
    } catch (error) {
      throw new TallenneError(
        'store_unwritable',
        `Recordings cannot be written to ${this.#spoolPath} and ${this.#storePath} (${messageOf(error)}): let this process write there, or set another dataPath.`,
        { cause: error },
      )
    }
  }

  /** Rejects with `store_missing` where the store's folder is not there or is not a store. */
  async check(): Promise<void> {
    try {
      await access(join(this.#storePath, MARKER), constants.R_OK)
    } catch (error) {
      throw new TallenneError(
        'store_missing',
        `There is no recording store in ${this.#storePath} (no readable ${MARKER}): check that its disk is mounted and that dataPath is right.`,
        { cause: error },
      )
    }
  }

  /** Where an open recording is written. */
  spoolPathOf(recordingId: string, form: FileForm = 'plain'): string {
    return spoolPathOf(this.#spoolPath, recordingId, form)
  }

  /**
   * Moves an ended recording into the store and tells its path there, relative to the store. Moving one that is there
   * already changes nothing. Rejects as the disk does; the file then stays in the spool.
   */
  async keep(recordingId: string, ended?: EndedFile): Promise<string> {
    const choices = FILE_FORMS.map((form) => {
      const file = storeFileOf(recordingId, form)
      // The records that an age file was made of are needed no more.
      const leftover = form === 'age' ? this.spoolPathOf(recordingId, 'sealed') : undefined
      const from = this.spoolPathOf(recordingId, form)
      return { file, from, to: join(this.#storePath, file), ...(leftover && { leftover }) }
    })
    const order = { kind: 'move', choices, ...ended } as const
    const { movedTo, isChanged } = await this.#disk.run<'move'>(order)
    if (isChanged) this.#onChanged(recordingId)
    return choices.find(({ to }) => to === movedTo)?.file ?? storeFileOf(recordingId)
  }

  /** Opens a recording for whoever closes it. Rejects with `file_missing` where the store does not hold it. */
  async open(file: string): Promise<FileHandle> {
    try {
      return await open(this.pathOf(file), 'r')
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error
      throw new TallenneError('file_missing', `The store holds no ${file}.`, { cause: error })
    }
  }

  /** Removes a file for good, and what a crash left of it half written. `gone` says that the file was not there. */
  async erase(file: string): Promise<'erased' | 'gone'> {
    await this.erasePart(file)
    return remove(this.pathOf(file))
  }

  /** Removes what a crash left of a file half written. */
  erasePart(file: string): Promise<'erased' | 'gone'> {
    return remove(partOf(this.pathOf(file)))
  }

  /** Bytes of a stored recording and when it was last written, or undefined where it is not there. */
  facts(file: string): Promise<FileFacts | undefined> {
    return factsOf(this.pathOf(file))
  }

  /** As `facts`, of a file that is half written. */
  partFacts(file: string): Promise<FileFacts | undefined> {
    return factsOf(partOf(this.pathOf(file)))
  }

  /** Ids of the recordings that lie in the spool, open ones included, oldest first. */
  async spooled(): Promise<readonly string[]> {
    const names = await readdir(this.#spoolPath)
    return [...new Set(names.flatMap((name) => recordingIdOf(name) ?? []))].sort()
  }

  /** Every file of the store, half written ones included, one at a time. What is no recording's is passed over. */
  async *entries(): AsyncGenerator<StoreEntry> {
    const folder = await opendir(this.#storePath, { recursive: true })
    for await (const entry of folder) {
      const whole = wholeOfPart(entry.name)
      const name = entry.isFile() ? readFileName(whole ?? entry.name) : undefined
      if (name === undefined) continue
      const { recordingId } = name
      const file = storeFileOf(recordingId, name.form, name.edition)
      if (join(this.#storePath, file) !== join(entry.parentPath, whole ?? entry.name)) continue
      yield { recordingId, file, isPart: whole !== undefined }
    }
  }

  /** Where a file of the store stands. Throws `bad_file` for what is no path of the store. */
  pathOf(file: string): string {
    readStoreFile(file)
    return join(this.#storePath, file)
  }
}

/** Where an open recording is written, for those who have the folder alone. */
export function spoolPathOf(
  spoolPath: string,
  recordingId: string,
  form: FileForm = 'plain',
): string {
  return join(spoolPath, storeFileOf(recordingId, form).slice('YYYY/MM/DD/'.length))
}

async function remove(path: string): Promise<'erased' | 'gone'> {
  try {
    await unlink(path)
    return 'erased'
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 'gone'
    throw error
  }
}

async function factsOf(path: string): Promise<FileFacts | undefined> {
  try {
    const { size, mtimeMs } = await stat(path)
    return { bytes: size, modifiedAtMs: mtimeMs }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}
