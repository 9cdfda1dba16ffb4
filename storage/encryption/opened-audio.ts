import type { FileHandle } from 'node:fs/promises'
import { TallenneError } from '../../base/tallenne-error.ts'
import type { RecordingStore } from '../recording-store.ts'
import { type FileForm, readStoreFile } from '../store-file.ts'
import { headerEndOf, isAgeFile, MAX_HEADER_BYTES } from './age-header.ts'
import {
  AGE_CHUNK_BYTES,
  AGE_NONCE_BYTES,
  openPiece,
  payloadKeyOf,
  plainBytesOf,
  TAG_BYTES,
} from './age-stream.ts'
import { type ReadAt, readerOf, readWhole } from './read-at.ts'
import { openRecord, recordKeyOf } from './sealed-record.ts'
import { isSealed, readBeginning, readRecords } from './sealed-scan.ts'

/** A recording's audio, opened for reading whatever its file is. Whoever opened it closes it. */
export interface OpenedAudio {
  readonly form: FileForm
  /** Of the audio. */
  readonly bytes: number
  /** Of the file. */
  readonly storedBytes: number
  /** When the file was last written. */
  readonly modifiedAtMs: number
  /**
   * The audio's bytes from `first` to `last`, both included, in pieces, decrypting no more than they need. Throws
   * `file_damaged` where they are not as they were written, and `file_short` where the file ends before them.
   */
  read(first: number, last: number): AsyncGenerator<Uint8Array>
  close(): Promise<void>
}

/** The audio from its beginning to its end. */
export function wholeOf(audio: OpenedAudio): AsyncGenerator<Uint8Array> {
  return audio.read(0, audio.bytes - 1)
}

/** Tells the key of a file by its age header. Rejects where it does not have it. */
export interface KeyOpener {
  open(header: Uint8Array): Promise<Uint8Array>
}

const PIECE_BYTES = 65_536

/**
 * Opens the audio of a file of the store, which its name tells the form of: one that was put in the place of an
 * encrypted one is damage, and so is one whose first bytes were changed. Rejects as `openAudio` and the store do.
 */
export async function openStored(
  store: Pick<RecordingStore, 'open'>,
  file: string,
  identities: KeyOpener | undefined,
): Promise<OpenedAudio> {
  return openAudio(await store.open(file), identities, readStoreFile(file))
}

/**
 * Opens a recording's file, which it owns from now on. Without an expected form the file's beginning tells it. Rejects
 * with `identity_missing` where the file is encrypted and there are no identities, with `identity_wrong`, and with
 * `file_damaged`; the file is closed then.
 */
export async function openAudio(
  file: FileHandle,
  identities: KeyOpener | undefined,
  expected: { readonly form?: FileForm } = {},
): Promise<OpenedAudio> {
  try {
    const { size, mtimeMs } = await file.stat()
    const from = { size, identities, expected: expected.form }
    const { form, ...content } = await openContent(readerOf(file), from)
    return {
      form,
      ...content,
      storedBytes: size,
      modifiedAtMs: mtimeMs,
      close: () => file.close(),
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

type Content = Pick<OpenedAudio, 'form' | 'bytes' | 'read'>

async function openContent(
  readAt: ReadAt,
  {
    size,
    identities,
    expected,
  }: {
    readonly size: number
    readonly identities: KeyOpener | undefined
    readonly expected: FileForm | undefined
  },
): Promise<Content> {
  const begin = await readAt(0, MAX_HEADER_BYTES)
  const form = formOf(begin)
  if (expected !== undefined && form !== expected) {
    throw damaged(`it does not begin as ${BEGINNINGS[expected]} does`)
  }
  switch (form) {
    case 'age':
      return openAge(readAt, { begin, size, identities: needed(identities) })
    case 'sealed':
      return openSealed(readAt, { size, identities: needed(identities) })
    case 'plain':
      return { form, bytes: size, read: (first, last) => readPlain(readAt, first, last) }
  }
}

const BEGINNINGS: Readonly<Record<FileForm, string>> = {
  age: 'an age file',
  sealed: 'a sealed recording',
  plain: 'a recording in the clear',
}

function formOf(begin: Uint8Array): FileForm {
  if (isAgeFile(begin)) return 'age'
  return isSealed(begin) ? 'sealed' : 'plain'
}

function needed(identities: KeyOpener | undefined): KeyOpener {
  if (identities) return identities
  throw new TallenneError(
    'identity_missing',
    'This file is encrypted, and there is no identity to open it with: set encryption.identityFile.',
  )
}

async function openAge(
  readAt: ReadAt,
  {
    begin,
    size,
    identities,
  }: { readonly begin: Uint8Array; readonly size: number; readonly identities: KeyOpener },
): Promise<Content> {
  const headerBytes = headerEndOf(begin)
  if (headerBytes === undefined) throw damaged('its age header does not end')
  const chunksAt = headerBytes + AGE_NONCE_BYTES
  const bytes = plainBytesOf(size - chunksAt)
  if (bytes === undefined) throw damaged(`${size} bytes are no length that an age file can have`)
  const fileKey = await identities.open(begin.subarray(0, headerBytes))
  const nonce = await readWhole(readAt, headerBytes, AGE_NONCE_BYTES)
  const key = payloadKeyOf(fileKey, nonce)
  fileKey.fill(0)
  const lastIndex = Math.max(0, Math.ceil(bytes / AGE_CHUNK_BYTES) - 1)

  const readChunk = async (index: number) => {
    const isLast = index === lastIndex
    const plainBytes = isLast ? bytes - index * AGE_CHUNK_BYTES : AGE_CHUNK_BYTES
    const chunkAt = chunksAt + index * (AGE_CHUNK_BYTES + TAG_BYTES)
    const sealed = await readWhole(readAt, chunkAt, plainBytes + TAG_BYTES)
    const plain = openPiece(key, { index, isLast }, { sealed })
    if (plain) return plain
    throw damaged(`chunk ${index + 1} of ${lastIndex + 1} is not as it was written`)
  }
  async function* read(first: number, last: number) {
    for (let at = first; at <= last; ) {
      const index = Math.floor(at / AGE_CHUNK_BYTES)
      const from = index * AGE_CHUNK_BYTES
      const chunk = await readChunk(index)
      yield chunk.subarray(at - from, last + 1 - from)
      at = from + AGE_CHUNK_BYTES
    }
  }
  // The last chunk alone tells that the file was not cut short.
  await readChunk(lastIndex)
  return { form: 'age', bytes, read }
}

/** A record of a sealed recording, in the file and in the audio. */
interface PlacedRecord {
  readonly at: number
  readonly recordBytes: number
  readonly audioAt: number
}

async function openSealed(
  readAt: ReadAt,
  { size, identities }: { readonly size: number; readonly identities: KeyOpener },
): Promise<Content> {
  const beginning = await readBeginning(readAt)
  const fileKey = await identities.open(beginning.header)
  const key = recordKeyOf(fileKey, beginning.salt)
  fileKey.fill(0)

  const records: PlacedRecord[] = []
  let bytes = 0
  let endAt = beginning.recordsAt
  for await (const { at, recordBytes, plainBytes } of readRecords(readAt, beginning)) {
    records.push({ at, recordBytes, audioAt: bytes })
    bytes += plainBytes
    endAt = at + recordBytes
  }
  if (endAt < size) throw damaged(`record ${records.length + 1} is not as it was written`)

  async function* read(first: number, last: number) {
    for (let index = indexAt(records, first); index < records.length; index++) {
      const record = records[index]
      if (record === undefined || record.audioAt > last) return
      const { at, recordBytes, audioAt } = record
      const sealed = await readWhole(readAt, at, recordBytes)
      const plain = openRecord(key, sealed, { index, isEnd: false })
      if (!plain) throw damaged(`record ${index + 1} is not as it was written`)
      yield plain.subarray(Math.max(0, first - audioAt), last + 1 - audioAt)
    }
  }
  return { form: 'sealed', bytes, read }
}

/** The record that holds a byte of the audio. */
function indexAt(records: readonly PlacedRecord[], audioAt: number): number {
  let low = 0
  let high = records.length
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if ((records[middle]?.audioAt ?? 0) <= audioAt) low = middle
    else high = middle
  }
  return low
}

async function* readPlain(readAt: ReadAt, first: number, last: number) {
  for (let at = first; at <= last; at += PIECE_BYTES) {
    yield await readWhole(readAt, at, Math.min(PIECE_BYTES, last + 1 - at))
  }
}

function damaged(how: string): TallenneError {
  return new TallenneError('file_damaged', `The file is damaged: ${how}.`)
}
