import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'

/** Plaintext of every chunk but the last. */
export const AGE_CHUNK_BYTES = 65_536
export const TAG_BYTES = 16
/** Stands between an age file's header and its chunks. */
export const AGE_NONCE_BYTES = 16

const CIPHER = 'chacha20-poly1305'
const NONCE_BYTES = 12

/** Which piece of a stream is meant. */
export interface Place {
  /** Counts from 0; below 2^53. */
  readonly index: number
  readonly isLast: boolean
}

/** The key of an age file's chunks (age-encryption.org/v1, "Payload"). */
export function payloadKeyOf(fileKey: Uint8Array, nonce: Uint8Array): Uint8Array {
  return deriveKey(fileKey, nonce, 'payload')
}

export function deriveKey(fileKey: Uint8Array, salt: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', fileKey, salt, purpose, 32))
}

/** Encrypts one piece: the ciphertext, then the tag. `clear` is authenticated and not part of it. */
export function sealPiece(
  key: Uint8Array,
  place: Place,
  { plain, clear }: { readonly plain: Uint8Array; readonly clear?: Uint8Array },
): readonly [Uint8Array, Uint8Array] {
  const cipher = createCipheriv(CIPHER, key, nonceOf(place), { authTagLength: TAG_BYTES })
  if (clear) cipher.setAAD(clear, { plaintextLength: plain.length })
  const sealed = cipher.update(plain)
  cipher.final()
  return [sealed, cipher.getAuthTag()]
}

/** Decrypts one piece with its tag at the end; undefined where it is not what was encrypted, or not at this place. */
export function openPiece(
  key: Uint8Array,
  place: Place,
  { sealed, clear }: { readonly sealed: Uint8Array; readonly clear?: Uint8Array },
): Uint8Array | undefined {
  if (sealed.length < TAG_BYTES) return undefined
  const end = sealed.length - TAG_BYTES
  const decipher = createDecipheriv(CIPHER, key, nonceOf(place), { authTagLength: TAG_BYTES })
  if (clear) decipher.setAAD(clear, { plaintextLength: end })
  decipher.setAuthTag(sealed.subarray(end))
  const plain = decipher.update(sealed.subarray(0, end))
  try {
    decipher.final()
  } catch {
    return undefined
  }
  return plain
}

/** How much audio an age file's payload holds, its nonce not counted; undefined where none has this length. */
export function plainBytesOf(payloadBytes: number): number | undefined {
  const chunks = Math.max(1, Math.ceil(payloadBytes / (AGE_CHUNK_BYTES + TAG_BYTES)))
  const bytes = payloadBytes - chunks * TAG_BYTES
  const before = (chunks - 1) * AGE_CHUNK_BYTES
  // Only the chunk of an empty file is empty.
  return bytes < 0 || (chunks > 1 && bytes <= before) ? undefined : bytes
}

/**
 * STREAM's nonce: eleven bytes that count the pieces, big-endian, and one that is 1 for the last.
 *
 * One key never seals two pieces of one place: it belongs to one file, which is written once.
 */
function nonceOf({ index, isLast }: Place): Uint8Array {
  const nonce = Buffer.alloc(NONCE_BYTES)
  nonce.writeUIntBE(index, NONCE_BYTES - 7, 6)
  if (isLast) nonce[NONCE_BYTES - 1] = 1
  return nonce
}
