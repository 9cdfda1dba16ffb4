import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from '../base/has-code.ts'
import { makeFolder } from '../base/make-folder.ts'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import { DirectDisk } from './disk/direct-disk.ts'
import type { Disk, FileFacts } from './disk/disk.ts'
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
  /** Who works on the store; by default the caller's own thread. */
  readonly disk?: Disk
  /** A recording was moved whose bytes are not what was written. */
  readonly onChanged?: (recordingId: string) => void
}

/** What is known of an ended recording's file. */
export interface EndedFile {
  readonly bytes: number
  readonly sha256: string
}

/** A file of the store, as a sweep for orphans meets it. */
export interface StoreEntry {
  readonly recordingId: string
  readonly file: string
  /** What a crash left of the file while it was written, or what is being written now. */
  readonly isPart: boolean
}

/** Folders are of years, months and days. */
const DEPTH = 3
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
  #checking: Promise<void> | undefined

  constructor({ spoolPath, storePath, disk, onChanged }: RecordingStoreOptions) {
    this.#spoolPath = spoolPath
    this.#storePath = storePath
    this.#disk = disk ?? new DirectDisk()
    this.#onChanged = onChanged ?? (() => {})
  }

  /**
   * Makes the folders, mode 0700, and the marker. For the process that writes recordings. Rejects with
   * `store_unwritable`, and with `store_hung` where the store does not answer; it may be made all the same when it does.
   */
  async prepare(): Promise<void> {
    const path = join(this.#storePath, MARKER)
    try {
      makeFolder(this.#spoolPath, 0o700)
      await this.#disk.run({ kind: 'place', path, content: 'Ended recordings of Tallenne.\n' })
    } catch (error) {
      throw (
        this.#hung(error) ??
        new TallenneError(
          'store_unwritable',
          `Recordings cannot be written to ${this.#spoolPath} and ${this.#storePath} (${messageOf(error)}): let this process write there, or set another dataPath.`,
          { cause: error },
        )
      )
    }
  }

  /**
   * Rejects with `store_missing` where the store's folder is not there or is not a store, and with `store_hung` where it
   * does not answer. However many ask at once, the disk is asked once.
   */
  check(): Promise<void> {
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined
    })
    return this.#checking
  }

  async #check(): Promise<void> {
    const path = join(this.#storePath, MARKER)
    try {
      await this.#disk.run({ kind: 'read', path, position: 0, bytes: 1 })
    } catch (error) {
      throw (
        this.#hung(error) ??
        new TallenneError(
          'store_missing',
          `There is no recording store in ${this.#storePath} (no readable ${MARKER}): check that its disk is mounted and that dataPath is right.`,
          { cause: error },
        )
      )
    }
  }

  #hung(error: unknown): TallenneError | undefined {
    if (!(error instanceof TallenneError) || error.code !== 'disk_hung') return undefined
    return new TallenneError(
      'store_hung',
      `The recording store in ${this.#storePath} does not answer (${error.message}): check its disk, and the network to it.`,
      { cause: error },
    )
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

  /**
   * Opens a recording for whoever closes it. Rejects with `file_missing` where the store does not hold it, and as
   * `check` does.
   */
  async open(file: string): Promise<FileHandle> {
    const path = this.pathOf(file)
    // A call of Node's own that hangs would take one of the few threads that all share.
    await this.check()
    try {
      return await open(path, 'r')
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error
      throw new TallenneError('file_missing', `The store holds no ${file}.`, { cause: error })
    }
  }

  /** As `eraseAll`, of one file. Rejects where it cannot be removed. */
  async erase(file: string): Promise<'erased' | 'gone'> {
    const [outcome = 'gone'] = await this.eraseAll([file])
    if (outcome instanceof TallenneError) throw outcome
    return outcome
  }

  /**
   * Removes files for good, and what a crash left of them half written: tells what came of each, in their order. `gone`
   * says that the file was not there, an error that it cannot be removed.
   */
  async eraseAll(
    files: readonly string[],
  ): Promise<readonly ('erased' | 'gone' | TallenneError)[]> {
    const paths = files.map((file) => this.pathOf(file))
    const erased = await this.#erase(paths.flatMap((path) => [partOf(path), path]))
    return files.map((_, at) => {
      const [part = 'gone', whole = 'gone'] = erased.slice(2 * at)
      return part instanceof TallenneError ? part : whole
    })
  }

  /** Removes what a crash left of a file half written. */
  async erasePart(file: string): Promise<void> {
    const [outcome] = await this.#erase([partOf(this.pathOf(file))])
    if (outcome instanceof TallenneError) throw outcome
  }

  async #erase(paths: readonly string[]): Promise<readonly ('erased' | 'gone' | TallenneError)[]> {
    const erased = await this.#disk.run<'erase'>({ kind: 'erase', paths })
    return erased.map((one) =>
      typeof one === 'string' ? one : new TallenneError(one.code, one.message),
    )
  }

  /** How a file lies in the store; undefined where it is not there. */
  async facts(file: string): Promise<FileFacts | undefined> {
    return this.#disk.run<'facts'>({ kind: 'facts', path: this.pathOf(file) })
  }

  /** As `facts`, of a file that is half written. */
  async partFacts(file: string): Promise<FileFacts | undefined> {
    return this.#disk.run<'facts'>({ kind: 'facts', path: partOf(this.pathOf(file)) })
  }

  /** Ids of the recordings that lie in the spool, open ones included, oldest first. */
  async spooled(): Promise<readonly string[]> {
    const names = await readdir(this.#spoolPath)
    return [...new Set(names.flatMap((name) => recordingIdOf(name) ?? []))].sort()
  }

  /** Every file of the store, half written ones included, one at a time. What is no recording's is passed over. */
  async *entries(): AsyncGenerator<StoreEntry> {
    for await (const { folder, name } of this.#names('', DEPTH)) {
      const whole = wholeOfPart(name)
      const read = readFileName(whole ?? name)
      if (read === undefined) continue
      const { recordingId, form, edition } = read
      const file = storeFileOf(recordingId, form, edition)
      if (file !== `${folder}${whole ?? name}`) continue
      yield { recordingId, file, isPart: whole !== undefined }
    }
  }

  /** The files of a folder of the store, and of those in it, so deep down; a folder's name ends with a slash. */
  async *#names(
    folder: string,
    depth: number,
  ): AsyncGenerator<{ readonly folder: string; readonly name: string }> {
    const names = await this.#disk.run<'list'>({
      kind: 'list',
      folder: join(this.#storePath, folder),
    })
    for (const name of names.files) yield { folder, name }
    if (depth === 0) return
    for (const name of names.folders) yield* this.#names(`${folder}${name}/`, depth - 1)
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
