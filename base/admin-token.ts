import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createWhole } from './create-whole.ts'
import { makeFolder } from './make-folder.ts'
import { messageOf, TallenneError } from './tallenne-error.ts'

const TOKEN_BYTES = 32
// 32 bytes in base64url are 43 characters; an operator's own token may be longer.
const TOKEN = /^[A-Za-z0-9_-]{43,512}$/
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i

/**
 * The administrator's bearer token in the file at `path`, which is made where it is missing: mode 0600, 256
 * random bits. Processes that start at once agree on one token, whoever comes first.
 *
 * Rejects as `readAdminToken` does, and with `token_unwritable`.
 */
export async function ensureAdminToken(path: string): Promise<string> {
  try {
    makeFolder(dirname(path), 0o700)
    await createWhole(path, `${randomBytes(TOKEN_BYTES).toString('base64url')}\n`)
  } catch (error) {
    throw new TallenneError(
      'token_unwritable',
      `The admin token cannot be written to ${path} (${messageOf(error)}): let this process write there, or put dataPath elsewhere.`,
      { cause: error },
    )
  }
  return readAdminToken(path)
}

/**
 * Reads the token. Rejects with `token_missing`, with `token_exposed` where others than the owner may read
 * the file, and with `token_malformed`; no message holds the token.
 */
export async function readAdminToken(path: string): Promise<string> {
  const { mode, text } = await readText(path)
  if ((mode & 0o077) !== 0) {
    throw new TallenneError(
      'token_exposed',
      `The admin token ${path} can be read by others (mode ${modeText(mode)}): delete the file, so that a new token is made at the next start, or run chmod 600 on it if nobody else has been here.`,
    )
  }
  const token = text.trim()
  if (!TOKEN.test(token)) {
    throw new TallenneError(
      'token_malformed',
      `The admin token ${path} does not hold one token of 43 to 512 letters, digits, hyphens and underscores: delete the file, and a new one is made at the next start.`,
    )
  }
  return token
}

/** The token of an `Authorization: Bearer …` header (RFC 6750 §2.1); undefined where it holds none. */
export function shownToken(authorization: string | undefined): string | undefined {
  return BEARER.exec(authorization ?? '')?.[1]
}

/** Compares digests, so that neither content nor length shows in the time it takes. */
export function isSameToken(shown: string, token: string): boolean {
  return timingSafeEqual(digestOf(shown), digestOf(token))
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

async function readText(path: string): Promise<{ mode: number; text: string }> {
  try {
    const handle = await open(path, 'r')
    try {
      const { mode } = await handle.stat()
      return { mode, text: await handle.readFile('utf8') }
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw new TallenneError(
      'token_missing',
      `The admin token ${path} cannot be read (${messageOf(error)}): start Tallenne once as its own user, and the token is made.`,
      { cause: error },
    )
  }
}

function modeText(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0')
}
