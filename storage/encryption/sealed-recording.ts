import { randomBytes } from 'node:crypto'
import { messageOf } from '../../base/tallenne-error.ts'
import type { Turns } from '../../base/turns.ts'
import type { Disk } from '../disk/disk.ts'
import { RecordingFile, type RecordingFileFailure } from '../recording-file.ts'
import { partOf } from '../store-file.ts'
import { writeAgeFile } from './age-file.ts'
import { type WrappedKey, wrapNewKey } from './age-header.ts'
import type { ReadAt } from './read-at.ts'
import type { Recipients } from './recipients.ts'
import { openRecord, recordKeyOf, SALT_BYTES, sealRecord } from './sealed-record.ts'
import { repairSealed } from './sealed-repair.ts'
import { readBeginning, readRecords, writeBeginning } from './sealed-scan.ts'

/** What an encrypted recording's file holds when nothing more comes. */
export interface SealedFacts {
  /** Of the file. */
  readonly bytes: number
  readonly sha256: string
  readonly encryption: {
    /** `sealed` where no age file could be made of the records. */
    readonly form: 'age' | 'sealed'
    readonly keySet: string
    /** Null where the disk no longer tells. */
    readonly audioBytes: number | null
    /** Null where nobody who has the key has read it whole. */
    readonly audioSha256: string | null
  }
}

export interface SealedRecordingOptions {
  readonly recipients: Recipients
  /** The file of the records. */
  readonly sealedPath: string
  /** Where the age file is made of them in the end. */
  readonly agePath: string
  /** How far the audio goes with a page. */
  readonly positionOf: (page: Uint8Array) => number
  /** Where the records are written. */
  readonly disk: Disk
  /** Age files are made a few at a time. */
  readonly turns: Turns
  /** Told why the recording stays in its records. */
  readonly onStayedSealed: (reason: string) => void
}

/**
 * An open recording whose pages are sealed as they come, each on its own, so that a crash costs no more than without
 * encryption. In the end the process, which still has the key, makes an age file of the records and forgets the key;
 * the records stay beside it until the file is moved to the store. Where that fails the recording stays in its
 * records, which the owners of the identities can open as well.
 */
export class SealedRecording {
  readonly #options: SealedRecordingOptions
  readonly #file: RecordingFile
  readonly #salt = randomBytes(SALT_BYTES)
  readonly #begun: Promise<void>
  /** Pages that came before the key was made. */
  #waiting: Uint8Array[] | undefined = []
  #waitingBytes = 0
  #wrapped: WrappedKey | undefined
  #key: Uint8Array | undefined
  #failure: RecordingFileFailure | undefined
  #index = 0
  #position = 0
  #audioBytes = 0
  /** Lengths of the newest pages, those that are not written yet among them. */
  readonly #newest: number[] = []
  #facts: Promise<SealedFacts> | undefined

  constructor(options: SealedRecordingOptions) {
    this.#options = options
    this.#file = new RecordingFile(options.sealedPath, options)
    this.#begun = this.#begin()
  }

  get failure(): RecordingFileFailure | undefined {
    return this.#failure ?? this.#file.failure
  }

  get pendingBytes(): number {
    return this.#waitingBytes + this.#file.pendingBytes
  }

  /** Takes a page. Dropped after a failure and after `finish`. */
  write(page: Uint8Array): void {
    if (this.failure || this.#facts !== undefined) return
    if (this.#waiting === undefined) {
      this.#seal(page)
      return
    }
    this.#waiting.push(page)
    this.#waitingBytes += page.length
  }

  /** Seals and writes what waits, makes the age file, and tells what was made. Idempotent. */
  finish(): Promise<SealedFacts> {
    this.#facts ??= this.#end()
    return this.#facts
  }

  async #begin(): Promise<void> {
    try {
      const wrapped = await wrapNewKey(this.#options.recipients.list)
      this.#wrapped = wrapped
      this.#key = recordKeyOf(wrapped.fileKey, this.#salt)
      const { keySet } = this.#options.recipients
      this.#file.write(writeBeginning({ keySet, header: wrapped.header, salt: this.#salt }))
      for (const page of this.#waiting ?? []) this.#seal(page)
    } catch (error) {
      this.#failure = {
        code: 'write_failed',
        message: `${this.#options.sealedPath}: no key could be made (${messageOf(error)})`,
      }
    } finally {
      this.#waiting = undefined
      this.#waitingBytes = 0
    }
  }

  #seal(page: Uint8Array): void {
    if (this.#key === undefined) return
    this.#position = Math.max(this.#position, this.#options.positionOf(page))
    this.#audioBytes += page.length
    this.#put(page, false)
  }

  #put(plain: Uint8Array, isEnd: boolean): void {
    if (this.#key === undefined) return
    const facts = { index: this.#index++, position: this.#position, isEnd }
    this.#newest.push(plain.length)
    while (this.#newest.length > Math.max(1, this.#unwrittenPages)) this.#newest.shift()
    this.#file.write(sealRecord(this.#key, facts, plain))
  }

  async #end(): Promise<SealedFacts> {
    await this.#begun
    this.#put(new Uint8Array(0), true)
    const written = await this.#file.finish()
    try {
      return await this.#conclude(written)
    } finally {
      this.#wrapped?.fileKey.fill(0)
      this.#key?.fill(0)
    }
  }

  async #conclude(written: { readonly bytes: number; readonly sha256: string }) {
    const { sealedPath, turns, onStayedSealed, recipients } = this.#options
    const stay = ({ bytes, sha256 }: typeof written, audioBytes: number | null): SealedFacts => ({
      bytes,
      sha256,
      encryption: { form: 'sealed', keySet: recipients.keySet, audioBytes, audioSha256: null },
    })
    if (this.failure !== undefined) {
      if (written.bytes === 0) return stay(written, 0)
      // A disk that hangs must not be touched here.
      if (this.#file.isHung) return stay(written, this.#writtenAudioBytes)
      const repaired = await repairSealed(sealedPath).catch(() => undefined)
      return repaired ? stay(repaired, repaired.audioBytes) : stay(written, null)
    }
    try {
      return await turns.take(() => this.#convert())
    } catch (error) {
      onStayedSealed(messageOf(error))
      return stay(written, this.#audioBytes)
    }
  }

  /** Records that are not written yet; the file begins with one that holds no page. */
  get #unwrittenPages(): number {
    return this.#index + 1 - this.#file.writtenPages
  }

  get #writtenAudioBytes(): number {
    const unwritten = this.#newest.slice(Math.max(0, this.#newest.length - this.#unwrittenPages))
    return this.#audioBytes - unwritten.reduce((sum, length) => sum + length, 0)
  }

  async #convert(): Promise<SealedFacts> {
    const { sealedPath, agePath, recipients, disk } = this.#options
    const [wrapped, key] = [this.#wrapped, this.#key]
    if (wrapped === undefined || key === undefined) throw new Error('there is no key')
    const readAt: ReadAt = (position, bytes) =>
      disk.run<'read'>({ kind: 'read', path: sealedPath, position, bytes })
    const part = partOf(agePath)
    const facts = await writeAgeFile(part, { disk, wrapped, audio: readBack(readAt, key) })
    await disk.run<'move'>({ kind: 'move', choices: [{ from: part, to: agePath }] })
    const { bytes, sha256, audioBytes, audioSha256 } = facts
    return {
      bytes,
      sha256,
      encryption: { form: 'age', keySet: recipients.keySet, audioBytes, audioSha256 },
    }
  }
}

/** The pages of a file whose key is known still. */
async function* readBack(readAt: ReadAt, key: Uint8Array): AsyncGenerator<Uint8Array> {
  for await (const { index, isEnd, bytes } of readRecords(readAt, await readBeginning(readAt))) {
    const page = openRecord(key, bytes, { index, isEnd })
    if (page === undefined) throw new Error(`record ${index + 1} was not read back as written`)
    if (isEnd) return
    yield page
  }
  throw new Error('the records were not read back whole')
}
