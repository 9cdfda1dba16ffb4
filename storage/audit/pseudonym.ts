import { createHmac, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createWhole } from '../../base/create-whole.ts'
import { e164Of } from '../../base/e164.ts'
import { makeFolder } from '../../base/make-folder.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'

const KEY_FILE = 'pseudonym.key'
const KEY = /^[A-Za-z0-9_-]{43}$/

/**
 * What stands in the trail for a number that was searched for, however it was written. Whoever has the key and the
 * number finds the searches; without the key, numbers are too few for a plain hash to hide any.
 */
export function pseudonymOf(
  number: string,
  { key, region }: { readonly key: Buffer; readonly region: string },
): string {
  const written = e164Of(number, region) ?? number
  const hashed = createHmac('sha256', key).update(written).digest()
  return `n-${hashed.subarray(0, 15).toString('base64url')}`
}

/** The key of the data folder, made where it is missing. Rejects with `audit_key_unusable`. */
export async function ensurePseudonymKey(auditPath: string): Promise<Buffer> {
  const path = join(auditPath, KEY_FILE)
  try {
    makeFolder(dirname(path), 0o700)
    await createWhole(path, `${randomBytes(32).toString('base64url')}\n`)
  } catch (error) {
    throw unusable(path, error)
  }
  return readPseudonymKey(auditPath)
}

/** Rejects with `audit_key_unusable`. */
export async function readPseudonymKey(auditPath: string): Promise<Buffer> {
  const path = join(auditPath, KEY_FILE)
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw unusable(path, error)
  })
  if (!KEY.test(text.trim())) throw unusable(path, new Error('it holds no key'))
  return Buffer.from(text.trim(), 'base64url')
}

function unusable(path: string, error: unknown): TallenneError {
  return new TallenneError(
    'audit_key_unusable',
    `The key for pseudonyms in the audit trail, ${path}, cannot be used (${messageOf(error)}): let this process read it, or copy it from the machine where the trail is written.`,
    { cause: error },
  )
}
