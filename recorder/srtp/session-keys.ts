import { createCipheriv } from 'node:crypto'
import type { SrtpSuite } from './srtp-suite.ts'

/** Keys for packets of one kind, derived from a master key. */
export interface SessionKeys {
  readonly key: Uint8Array
  /** Empty where the cipher itself authenticates. */
  readonly authKey: Uint8Array
  readonly salt: Uint8Array
}

const AUTH_KEY_BYTES = 20
/** Labels of the derivation (RFC 3711 §4.3.2). */
const LABELS = { rtp: { key: 0, auth: 1, salt: 2 }, rtcp: { key: 3, auth: 4, salt: 5 } } as const

/** Derives session keys once and for all, the key derivation rate being zero (RFC 3711 §4.3). */
export function deriveSessionKeys(
  suite: SrtpSuite,
  keyAndSalt: Uint8Array,
  kind: 'rtp' | 'rtcp',
): SessionKeys {
  const labels = LABELS[kind]
  const derive = (label: number, length: number) => derived(suite, keyAndSalt, label, length)
  return {
    key: derive(labels.key, suite.keyBytes),
    authKey: derive(labels.auth, suite.mode === 'gcm' ? 0 : AUTH_KEY_BYTES),
    salt: derive(labels.salt, suite.saltBytes),
  }
}

/**
 * The pseudo-random function in counter mode: AES of the suite's key length under the master key, from the master
 * salt with the label in it. A salt of 96 bits is filled up with zeros at its end (RFC 7714 §11, erratum 4938).
 */
function derived(
  suite: SrtpSuite,
  keyAndSalt: Uint8Array,
  label: number,
  length: number,
): Uint8Array {
  const key = keyAndSalt.subarray(0, suite.keyBytes)
  const iv = Buffer.alloc(16)
  iv.set(keyAndSalt.subarray(suite.keyBytes, suite.keyBytes + suite.saltBytes))
  iv[7] = (iv[7] ?? 0) ^ label
  return createCipheriv(`aes-${suite.keyBytes * 8}-ctr`, key, iv).update(Buffer.alloc(length))
}
