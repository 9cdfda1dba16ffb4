import { constants } from 'node:fs'
import {
  access,
  copyFile,
  type FileHandle,
  mkdir,
  open,
  opendir,
  readdir,
  rename,
  rm,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeFolder } from '../base/make-folder.ts'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import {
  type FileForm,
  readFileName,
  readStoreFile,
  recordingIdOf,
  storeFileOf,
} from './store-file.ts'

export interface StorePaths {
  /** Folder of open recordings, on this machine. */
  readonly spoolPath: string
  /** Folder of ended recordings. */
  readonly storePath: string
}

/** An ended recording opened for reading; whoever opened it closes it. */
export interface StoredRecording {
  readonly bytes: number
  readonly handle: FileHandle
}

/** A file of the store, as a sweep for orphans meets it. */
export interface StoreEntry {
  readonly recordingId: string
  readonly file: string
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

  constructor({ spoolPath, storePath }: StorePaths) {
    this.#spoolPath = spoolPath
    this.#storePath = storePath
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
   * Moves an ended recording into the store and tells its path there, relative to the store. Moving one
   * that is there already changes nothing.
   */
  async keep(recordingId: string): Promise<string> {
    const form = await this.#formOf(recordingId)
    const file = storeFileOf(recordingId, form)
    const from = this.spoolPathOf(recordingId, form)
    const to = join(this.#storePath, file)
    await mkdir(dirname(to), { recursive: true, mode: 0o700 })
    try {
      await rename(from, to)
    } catch (error) {
      if (hasCode(error, 'EXDEV')) await moveAcrossDisks(from, to)
      else if (!hasCode(error, 'ENOENT') || !(await exists(to))) throw error
    }
    await syncFolder(dirname(to))
    // The records that an age file was made of are needed no more.
    if (form === 'age') await rm(this.spoolPathOf(recordingId, 'sealed'), { force: true })
    return file
  }

  /** The best form in which the spool has a recording, else the store. */
  async #formOf(recordingId: string): Promise<FileForm> {
    for (const pathOf of [
      (form: FileForm) => this.spoolPathOf(recordingId, form),
      (form: FileForm) => join(this.#storePath, storeFileOf(recordingId, form)),
    ]) {
      for (const form of ['age', 'sealed', 'plain'] as const) {
        if (await exists(pathOf(form))) return form
      }
    }
    return 'plain'
  }

  /** Rejects with `file_missing` where the store does not hold it. */
  async open(file: string): Promise<StoredRecording> {
    try {
      const handle = await open(this.#pathOf(file), 'r')
      const { size } = await handle.stat()
      return { bytes: size, handle }
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error
      throw new TallenneError('file_missing', `The store holds no ${file}.`, { cause: error })
    }
  }

  /** Removes a recording for good. `gone` says that it was not there. */
  async erase(file: string): Promise<'erased' | 'gone'> {
    try {
      await unlink(this.#pathOf(file))
      return 'erased'
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return 'gone'
      throw error
    }
  }

  /** Bytes of a stored recording and when it was last written, or undefined where it is not there. */
  async facts(file: string): Promise<{ bytes: number; modifiedAtMs: number } | undefined> {
    try {
      const { size, mtimeMs } = await stat(this.#pathOf(file))
      return { bytes: size, modifiedAtMs: mtimeMs }
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined
      throw error
    }
  }

  /** Ids of the recordings that lie in the spool, open ones included, oldest first. */
  async spooled(): Promise<readonly string[]> {
    const names = await readdir(this.#spoolPath)
    return [...new Set(names.flatMap((name) => recordingIdOf(name) ?? []))].sort()
  }

  /** Every recording of the store, one at a time. Files that are not recordings are passed over. */
  async *entries(): AsyncGenerator<StoreEntry> {
    const folder = await opendir(this.#storePath, { recursive: true })
    for await (const entry of folder) {
      const name = entry.isFile() ? readFileName(entry.name) : undefined
      if (name === undefined) continue
      const { recordingId } = name
      const file = storeFileOf(recordingId, name.form, name.edition)
      if (join(this.#storePath, file) !== join(entry.parentPath, entry.name)) continue
      yield { recordingId, file }
    }
  }

  /** Throws `bad_file` for what is no path of the store. */
  #pathOf(file: string): string {
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

/** The file appears under its name only when it is whole on the new disk, and leaves the old one only then. */
async function moveAcrossDisks(from: string, to: string): Promise<void> {
  const part = `${to}.part`
  await copyFile(from, part)
  const handle = await open(part, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(part, to)
  await syncFolder(dirname(to))
  await rm(from, { force: true })
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
