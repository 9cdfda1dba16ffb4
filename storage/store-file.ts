import { TallenneError } from '../base/tallenne-error.ts'
import { isId } from '../base/uuid.ts'

/**
 * What a recording's file is: the audio itself, an age file of it, or records sealed for the owners of the keys while
 * the call went on.
 */
export type FileForm = 'plain' | 'age' | 'sealed'

/** The best form of a recording first. */
export const FILE_FORMS: readonly FileForm[] = ['age', 'sealed', 'plain']

/** What the name of a recording's file says. */
export interface RecordingFileName {
  readonly recordingId: string
  readonly form: FileForm
  /** Counts the files that replaced each other, from 1. */
  readonly edition: number
}

const ENDINGS = { plain: '', age: '.age', sealed: '.sealed' } as const
// 48 bits reach the year 10889, which ISO writes with a sign and six digits.
const LAST_EPOCH_MS = Date.UTC(10_000, 0, 1) - 1
const PART = '.part'
const NAME = /^([0-9a-f-]{36})(?:\.([2-9]|[1-9]\d{1,5}))?\.opus(\.age|\.sealed)?$/

/** The name of a recording's file: `ID.opus`, `ID.opus.age`, `ID.opus.sealed`; a later edition is `ID.2.opus.age`. */
export function fileNameOf({ recordingId, form, edition }: RecordingFileName): string {
  return `${recordingId}${edition === 1 ? '' : `.${edition}`}.opus${ENDINGS[form]}`
}

/** Reads a file's name; undefined where it is no recording's. */
export function readFileName(name: string): RecordingFileName | undefined {
  const match = NAME.exec(name)
  if (!match) return undefined
  const [, recordingId = '', edition = '1', ending] = match
  if (!isRecordingId(recordingId)) return undefined
  const form = ending === '.age' ? 'age' : ending === '.sealed' ? 'sealed' : 'plain'
  return { recordingId, form, edition: Number(edition) }
}

/**
 * Where a recording stands in the store: `YYYY/MM/DD/ID.opus`, the UTC day being that of the id itself.
 * So a path holds nothing but what the id holds, and cannot lead out of the store.
 *
 * A UUIDv7 begins with 48 bits of epoch milliseconds (RFC 9562 §5.7). Throws `bad_id` for anything else.
 */
export function storeFileOf(recordingId: string, form: FileForm = 'plain', edition = 1): string {
  if (!isRecordingId(recordingId)) {
    throw new TallenneError('bad_id', `${JSON.stringify(recordingId)} is no recording id (UUIDv7).`)
  }
  const folder = new Date(epochMsOf(recordingId)).toISOString().slice(0, 10).replaceAll('-', '/')
  return `${folder}/${fileNameOf({ recordingId, form, edition })}`
}

/** The id that a file's name holds, or undefined where the file is no recording. */
export function recordingIdOf(fileName: string): string | undefined {
  return readFileName(fileName)?.recordingId
}

/** What a path of the store says. Throws `bad_file` for one that the store cannot have made. */
export function readStoreFile(file: string): RecordingFileName {
  const name = readFileName(file.slice(file.lastIndexOf('/') + 1))
  if (name === undefined || storeFileOf(name.recordingId, name.form, name.edition) !== file) {
    throw new TallenneError('bad_file', `${JSON.stringify(file)} is no path of the store.`)
  }
  return name
}

/** The name under which a file is written until it is whole. */
export function partOf(path: string): string {
  return `${path}${PART}`
}

/** The name that a file's part is on its way to; undefined for what is no part. */
export function wholeOfPart(name: string): string | undefined {
  return name.endsWith(PART) ? name.slice(0, -PART.length) : undefined
}

/** The file that takes the place of another when it is encrypted anew. */
export function replacementOf(file: string): string {
  const { recordingId, form, edition } = readStoreFile(file)
  return storeFileOf(recordingId, 'age', form === 'age' ? edition + 1 : 1)
}

/**
 * Every file that can hold audio of a recording, the one that its row knows and those that a crash left: earlier
 * editions, and the next. Without a row's file, those that a recording begins with.
 */
export function filesOf(recordingId: string, file: string | null): readonly string[] {
  const last = file === null ? 1 : readStoreFile(replacementOf(file)).edition
  const later = Array.from({ length: last - 1 }, (_, at) => storeFileOf(recordingId, 'age', at + 2))
  return [...FILE_FORMS.map((form) => storeFileOf(recordingId, form)), ...later]
}

function isRecordingId(text: string): boolean {
  return isId(text) && text[14] === '7' && epochMsOf(text) <= LAST_EPOCH_MS
}

/** When a recording's id was made. */
export function epochMsOf(recordingId: string): number {
  return Number.parseInt(recordingId.slice(0, 8) + recordingId.slice(9, 13), 16)
}
