import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { readIdentities } from '../../../storage/encryption/identities.ts'
import { readRecipients } from '../../../storage/encryption/recipients.ts'

/** A fresh identity in a file of its own, and whom to encrypt to for it. */
export async function makeKey(folder: string, name = 'identity.txt') {
  const identity = await generateX25519Identity()
  const recipient = await identityToRecipient(identity)
  const path = join(folder, name)
  writeFileSync(path, `# public key: ${recipient}\n${identity}\n`, { mode: 0o600 })
  return {
    identity,
    recipient,
    path,
    identities: await readIdentities(path),
    recipients: readRecipients({ recipients: [recipient] }),
  }
}

/** What the `age` program makes of a file. Throws with its complaint where it cannot open it. */
export function openWithAge(file: string, identityFile: string): Buffer {
  return execFileSync('age', ['--decrypt', '--identity', identityFile, file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  })
}

/** Encrypts a file with the `age` program. */
export function encryptWithAge(from: string, to: string, recipients: readonly string[]): void {
  const options = recipients.flatMap((recipient) => ['--recipient', recipient])
  execFileSync('age', ['--encrypt', ...options, '--output', to, from])
}

/** Bytes that differ everywhere. */
export function audioOf(bytes: number): Buffer {
  const audio = Buffer.alloc(bytes)
  let state = 2463534242
  for (let at = 0; at < bytes; at++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    audio[at] = state & 0xff
  }
  return audio
}
