import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { Encrypter } from 'age-encryption'
import { readBounded } from '../../base/read-bounded.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'

/** Whom recordings are encrypted to. */
export interface Recipients {
  /** `age1…`, each once, in alphabetical order; one at least. */
  readonly list: readonly string[]
  /** Names this set, in 16 hexadecimal digits: the same for the same recipients. */
  readonly keySet: string
}

export interface RecipientSettings {
  readonly recipients: readonly string[]
  /** A file as `age -R` takes it: one a line, `#` begins a comment. */
  readonly recipientsFile?: string | undefined
}

const X25519 = /^age1[02-9ac-hj-np-z]{58}$/
/** Some hundred lines of recipients and comments; what is larger is something else. */
const MAX_FILE_BYTES = 65_536
/** Each costs every recording an exchange of keys. */
export const MAX_RECIPIENTS = 20

/** Whether recordings are to be encrypted at all. */
export function isEncrypted({ recipients, recipientsFile }: RecipientSettings): boolean {
  return recipients.length > 0 || recipientsFile !== undefined
}

/** Whether the text is an X25519 recipient with a right checksum. */
export function isRecipient(text: string): boolean {
  if (!X25519.test(text)) return false
  try {
    new Encrypter().addRecipient(text)
    return true
  } catch {
    return false
  }
}

/**
 * All recipients of the settings. Throws `recipients_unreadable`, `recipient_malformed` with the line, and
 * `recipients_missing` where there are none.
 */
export function readRecipients({ recipients, recipientsFile }: RecipientSettings): Recipients {
  const wrong = recipients.find((recipient) => !isRecipient(recipient))
  if (wrong !== undefined) {
    throw new TallenneError(
      'recipient_malformed',
      `encryption.recipients holds ${wrong}, whose checksum is wrong: copy the whole recipient once more.`,
    )
  }
  const lines = recipientsFile === undefined ? [] : linesOf(recipientsFile)
  const list = [...new Set([...recipients, ...lines])].sort()
  if (list.length === 0) {
    throw new TallenneError(
      'recipients_missing',
      recipientsFile === undefined
        ? 'No recipients are configured: set encryption.recipients or encryption.recipientsFile.'
        : `${recipientsFile} holds no recipient: add one with tallenne keys add.`,
    )
  }
  if (list.length > MAX_RECIPIENTS) {
    throw new TallenneError(
      'recipients_many',
      `There are ${list.length} recipients, and at most ${MAX_RECIPIENTS} are possible: retire some with tallenne keys retire.`,
    )
  }
  const keySet = createHash('sha256').update(list.join('\n')).digest('hex').slice(0, 16)
  return { list, keySet }
}

function linesOf(path: string): readonly string[] {
  let bytes: Buffer
  try {
    bytes = readBounded(path, MAX_FILE_BYTES + 1)
  } catch (error) {
    throw new TallenneError(
      'recipients_unreadable',
      `The recipients in ${path} cannot be read (${messageOf(error)}): let this process read the file, or set another encryption.recipientsFile.`,
      { cause: error },
    )
  }
  if (bytes.length > MAX_FILE_BYTES) {
    throw new TallenneError(
      'recipients_unreadable',
      `${path} holds more than ${MAX_FILE_BYTES} bytes, which is no file of recipients: set another encryption.recipientsFile, or delete the comments of recipients that have retired.`,
    )
  }
  return bytes
    .toString('utf8')
    .split(/\r?\n/)
    .flatMap((line, index) => {
      const recipient = line.trim()
      if (recipient === '' || recipient.startsWith('#')) return []
      if (isRecipient(recipient)) return recipient
      throw new TallenneError(
        'recipient_malformed',
        `Line ${index + 1} of ${path} is no X25519 recipient of age (age1 and 58 characters more): mend or delete it.`,
      )
    })
}

export interface RecipientWatchOptions {
  readonly settings: RecipientSettings
  /** What holds until the file is read, and where it cannot be. */
  readonly atStart: Recipients
  /** Told once for each state of the file that cannot be taken. */
  readonly onProblem: (reason: string) => void
}

/**
 * The recipients as they are now: the file is read again whenever it has changed, so that a key is added or retired
 * while calls go on. A file that cannot be taken changes nothing, and no recording is written in the clear because of
 * it.
 */
export class RecipientWatch {
  readonly #options: RecipientWatchOptions
  #version: string | undefined
  #recipients: Recipients

  constructor(options: RecipientWatchOptions) {
    this.#options = options
    this.#recipients = options.atStart
  }

  get current(): Recipients {
    const { settings, onProblem } = this.#options
    if (settings.recipientsFile === undefined) return this.#recipients
    const version = versionOf(settings.recipientsFile)
    if (version === this.#version) return this.#recipients
    this.#version = version
    try {
      this.#recipients = readRecipients(settings)
    } catch (error) {
      onProblem(messageOf(error))
    }
    return this.#recipients
  }
}

function versionOf(path: string): string {
  try {
    const { ino, size, mtimeMs } = statSync(path)
    return `${ino} ${size} ${mtimeMs}`
  } catch {
    return 'unreadable'
  }
}
