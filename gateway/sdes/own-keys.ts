import { randomBytes } from 'node:crypto'
import type { SrtpKeying } from '../../recorder/srtp/srtp-plan.ts'
import { SRTP_SUITES, type SrtpSuiteName } from '../../recorder/srtp/srtp-suite.ts'
import { readCrypto, writeCrypto } from './crypto-attribute.ts'

/** What an offer of ours names, the best first: GCM costs several times as much for each packet (decision 012). */
const OFFERED: readonly SrtpSuiteName[] = [
  'AES_256_CM_HMAC_SHA1_80',
  'AES_CM_128_HMAC_SHA1_80',
  'AEAD_AES_256_GCM',
  'AEAD_AES_128_GCM',
  'AES_256_CM_HMAC_SHA1_32',
  'AES_CM_128_HMAC_SHA1_32',
]

/** A fresh key of our own, without an identifier. */
export function newKeying(suite: SrtpSuiteName, { hasPlainRtcp = false } = {}): SrtpKeying {
  const { keyBytes, saltBytes } = SRTP_SUITES[suite]
  const keyAndSalt = randomBytes(keyBytes + saltBytes).toString('base64')
  return { suite, keys: [{ keyAndSalt, mki: '' }], hasPlainRtcp }
}

/** Values of `a=crypto` for an offer of all suites, each with a fresh key (RFC 4568 §5.1.1). */
export function newOffer(): readonly string[] {
  return OFFERED.map((suite, index) =>
    writeCrypto({ tag: `${index + 1}`, suiteName: suite, keying: newKeying(suite) }),
  )
}

/** What we have written of a key, with another one of the same suite in its place. */
export function withKey(crypto: readonly string[], keying: SrtpKeying): readonly string[] {
  return crypto.flatMap((value) => {
    const reading = readCrypto(value)
    return reading.kind === 'usable' ? [writeCrypto({ ...reading.attribute, keying })] : []
  })
}
