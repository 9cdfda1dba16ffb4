/** Crypto suites (RFC 4568 §6.2, RFC 6188 §5, RFC 7714 §14.1), the first of which we offer first. */
export type SrtpSuiteName =
  | 'AEAD_AES_256_GCM'
  | 'AEAD_AES_128_GCM'
  | 'AES_256_CM_HMAC_SHA1_80'
  | 'AES_256_CM_HMAC_SHA1_32'
  | 'AES_CM_128_HMAC_SHA1_80'
  | 'AES_CM_128_HMAC_SHA1_32'

/** What a suite's name stands for. */
export interface SrtpSuite {
  readonly name: SrtpSuiteName
  readonly mode: 'counter' | 'gcm'
  readonly keyBytes: 16 | 32
  readonly saltBytes: 14 | 12
  /** Of an RTP packet; RTCP of the counter mode has 10 (RFC 3711 §5.2), whatever stands here. */
  readonly tagBytes: 4 | 10 | 16
}

const counter = (name: SrtpSuiteName, keyBytes: 16 | 32, tagBytes: 4 | 10): SrtpSuite => ({
  name,
  mode: 'counter',
  keyBytes,
  saltBytes: 14,
  tagBytes,
})

const gcm = (name: SrtpSuiteName, keyBytes: 16 | 32): SrtpSuite => ({
  name,
  mode: 'gcm',
  keyBytes,
  saltBytes: 12,
  tagBytes: 16,
})

/** All that there are here, by name. */
export const SRTP_SUITES: Readonly<Record<SrtpSuiteName, SrtpSuite>> = {
  AEAD_AES_256_GCM: gcm('AEAD_AES_256_GCM', 32),
  AEAD_AES_128_GCM: gcm('AEAD_AES_128_GCM', 16),
  AES_256_CM_HMAC_SHA1_80: counter('AES_256_CM_HMAC_SHA1_80', 32, 10),
  AES_256_CM_HMAC_SHA1_32: counter('AES_256_CM_HMAC_SHA1_32', 32, 4),
  AES_CM_128_HMAC_SHA1_80: counter('AES_CM_128_HMAC_SHA1_80', 16, 10),
  AES_CM_128_HMAC_SHA1_32: counter('AES_CM_128_HMAC_SHA1_32', 16, 4),
}
