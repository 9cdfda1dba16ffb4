import { open } from 'node:fs/promises'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { hasCode } from '../../base/has-code.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'

/**
 * Makes an identity in a file of its own, mode 0600, as age-keygen does, and tells its recipient. Rejects with
 * `identity_unwritable`, also where the file is there already: nothing opens what was encrypted to an identity that is
 * written over.
 */
export async function makeIdentity(path: string, createdAt: Date): Promise<string> {
  const identity = await generateX25519Identity()
  const recipient = await identityToRecipient(identity)
  const created = createdAt.toISOString().replace(/\.\d+Z$/, 'Z')
  try {
    const handle = await open(path, 'wx', 0o600)
    try {
      await handle.writeFile(`# created: ${created}\n# public key: ${recipient}\n${identity}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    return recipient
  } catch (error) {
    const isThere = hasCode(error, 'EEXIST')
    throw new TallenneError(
      'identity_unwritable',
      isThere
        ? `${path} is there already and is not written over: choose another file.`
        : `The identity cannot be written to ${path} (${messageOf(error)}): choose a folder that this user may write.`,
      { cause: error },
    )
  }
}
