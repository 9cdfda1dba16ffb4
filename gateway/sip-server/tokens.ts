import { randomBytes, randomUUID } from 'node:crypto'
import { BRANCH_COOKIE } from './via.ts'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** A tag that nobody guesses: 13 characters, 76 bits (RFC 3261 §19.3 asks for 32). */
export function newTag(): string {
  return randomText(13)
}

export function newBranch(): string {
  return BRANCH_COOKIE + randomText(13)
}

export function newCallId(): string {
  return randomUUID()
}

/** Below 2^31 with room to count up (RFC 3261 §8.1.1.5). */
export function newSequenceNumber(): number {
  return randomBytes(4).readUInt32BE() % 500_000_000
}

/** Id of a transaction or a frame, as drachtio's. */
export function newUuid(): string {
  return randomUUID()
}

function randomText(length: number): string {
  let text = ''
  for (const byte of randomBytes(length)) text += ALPHABET[byte % ALPHABET.length]
  return text
}
