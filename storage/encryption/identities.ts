import { type FileHandle, open } from 'node:fs/promises'
import { Decrypter, identityToRecipient } from 'age-encryption'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'

const MAX_FILE_BYTES = 65_536
const IDENTITY = /^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/

/** The identities of a key file: what opens recordings. Shows nothing of itself in logs and messages. */
export class Identities {
  readonly #keys: readonly string[]
  /** Where they were read. */
  readonly path: string

  constructor(keys: readonly string[], path: string) {
    this.#keys = keys
    this.path = path
  }

  /** The recipients whose files they open. */
  recipients(): Promise<readonly string[]> {
    return Promise.all(this.#keys.map((key) => identityToRecipient(key)))
  }

  /**
   * The key of the file that has this age header. Rejects with `identity_wrong` where the file is encrypted to
   * others, and with `file_damaged` where the header is not as it was written.
   */
  async open(header: Uint8Array): Promise<Uint8Array> {
    const decrypter = new Decrypter()
    for (const key of this.#keys) decrypter.addIdentity(key)
    let hasMatch = true
    // Identities are asked in turn: where this one is, none of those before it opens the file.
    decrypter.addIdentity({
      unwrapFileKey: () => {
        hasMatch = false
        return null
      },
    })
    try {
      return await decrypter.decryptHeader(header)
    } catch (error) {
      if (hasMatch) {
        throw new TallenneError(
          'file_damaged',
          `The file's age header is damaged (${messageOf(error)}): it is not as it was written.`,
          { cause: error },
        )
      }
      throw new TallenneError(
        'identity_wrong',
        `No identity in ${this.path} opens this file, which was encrypted to other recipients: add the identity of one of those to ${this.path}.`,
      )
    }
  }
}

/**
 * Reads a file of identities, as age-keygen writes it: one a line, `#` begins a comment.
 *
 * Rejects with `identity_unreadable`, with `identity_exposed` where others than the owner may read the file, and with
 * `identity_malformed`; no message holds an identity.
 */
export async function readIdentities(path: string): Promise<Identities> {
  const { mode, text } = await readText(path)
  if ((mode & 0o077) !== 0) {
    throw new TallenneError(
      'identity_exposed',
      `The identity file ${path} can be read by others than its owner (mode ${modeText(mode)}): run chmod 600 on it. If others may have read it, its keys are no secret any more, and docs/encryption.md says how they are replaced.`,
    )
  }
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  const keys: string[] = []
  for (const [index, line] of lines.entries()) {
    if (line === '' || line.startsWith('#')) continue
    if (!IDENTITY.test(line) || !(await isIdentity(line))) {
      throw new TallenneError(
        'identity_malformed',
        `Line ${index + 1} of the identity file ${path} is no X25519 identity of age (AGE-SECRET-KEY-1 and 58 characters more): put one on each line, as age-keygen writes them.`,
      )
    }
    keys.push(line)
  }
  if (keys.length === 0) {
    throw new TallenneError(
      'identity_malformed',
      `The identity file ${path} holds no identity: make one with tallenne keys new or age-keygen.`,
    )
  }
  return new Identities(keys, path)
}

/** Whether its checksum is right. */
function isIdentity(line: string): Promise<boolean> {
  return identityToRecipient(line).then(
    () => true,
    () => false,
  )
}

async function readText(path: string): Promise<{ readonly mode: number; readonly text: string }> {
  let handle: FileHandle | undefined
  try {
    handle = await open(path, 'r')
    const { mode } = await handle.stat()
    const bytes = Buffer.alloc(MAX_FILE_BYTES + 1)
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0)
    if (bytesRead > MAX_FILE_BYTES) throw new Error(`it holds more than ${MAX_FILE_BYTES} bytes`)
    return { mode, text: bytes.toString('utf8', 0, bytesRead) }
  } catch (error) {
    throw new TallenneError(
      'identity_unreadable',
      `The identity file ${path} cannot be read (${messageOf(error)}): let this process read it, or set another encryption.identityFile.`,
      { cause: error },
    )
  } finally {
    await handle?.close()
  }
}

function modeText(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0')
}
