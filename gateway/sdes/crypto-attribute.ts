import { MOST_MEDIA_PACKETS } from '../../recorder/srtp/key-use.ts'
import type { SrtpKeying, SrtpMasterKey } from '../../recorder/srtp/srtp-plan.ts'
import { SRTP_SUITES, type SrtpSuite } from '../../recorder/srtp/srtp-suite.ts'

/** One value of `a=crypto` (RFC 4568 §4.1). */
export interface CryptoAttribute {
  /** Digits; the answer repeats them. */
  readonly tag: string
  /** As written, so that the answer names it likewise. */
  readonly suiteName: string
  readonly keying: SrtpKeying
}

/** `problem` is a sentence without keys. */
export type CryptoReading =
  | { readonly kind: 'usable'; readonly attribute: CryptoAttribute }
  | { readonly kind: 'unusable'; readonly problem: string }

const LONGEST_MKI_BYTES = 128
/** Names of drafts that some senders still use. */
const OLD_NAMES: Readonly<Record<string, keyof typeof SRTP_SUITES>> = {
  AES_CM_256_HMAC_SHA1_80: 'AES_256_CM_HMAC_SHA1_80',
  AES_CM_256_HMAC_SHA1_32: 'AES_256_CM_HMAC_SHA1_32',
}
/** Session parameters that change nothing for us: hints, and what concerns error correction, which is never agreed on. */
const WITHOUT_EFFECT = /^(?:-.*|KDR=0|WSH=\d+|FEC_ORDER=.*|FEC_KEY=.*)$/i
const PLAIN_RTCP = 'UNENCRYPTED_SRTCP'

/**
 * Reads the value of an `a=crypto` attribute: `tag suite inline:key[|lifetime][|MKI:length][;inline:…] [parameter …]`.
 *
 * A lifetime must be one that RFC 3711 §9.2 allows. An attribute with a mandatory parameter that is not supported
 * cannot be used (§6.3.7); among them are those that switch encryption or authentication of RTP off, and key derivation
 * anew.
 */
export function readCrypto(value: string): CryptoReading {
  const [tag = '', suiteName = '', keys = '', ...parameters] = value.trim().split(/[ \t]+/)
  if (!/^\d{1,9}$/.test(tag)) return unusable('without a tag')
  const suite = suiteOf(suiteName)
  if (suite === undefined) return unusable('of an unknown suite')
  const masters = keys.split(';').map((key) => readMasterKey(key, suite))
  const whole = masters.filter((master) => typeof master !== 'string')
  const [problem] = masters.filter((master) => typeof master === 'string')
  if (problem !== undefined) return unusable(problem)
  if (!areToldApart(whole)) return unusable('with keys that cannot be told apart')
  const mandatory = parameters.filter((parameter) => !WITHOUT_EFFECT.test(parameter))
  if (mandatory.some((parameter) => parameter.toUpperCase() !== PLAIN_RTCP)) {
    return unusable('with a session parameter that is not supported')
  }
  const keying = { suite: suite.name, keys: whole, hasPlainRtcp: mandatory.length > 0 }
  return { kind: 'usable', attribute: { tag, suiteName, keying } }
}

/** Writes the value of an `a=crypto` attribute whose keys are without identifiers. */
export function writeCrypto({ tag, suiteName, keying }: CryptoAttribute): string {
  const keys = keying.keys.map(({ keyAndSalt }) => `inline:${keyAndSalt}`).join(';')
  return [tag, suiteName, keys, ...(keying.hasPlainRtcp ? [PLAIN_RTCP] : [])].join(' ')
}

function unusable(how: string): CryptoReading {
  return { kind: 'unusable', problem: `a crypto attribute ${how}` }
}

function suiteOf(name: string): SrtpSuite | undefined {
  const upper = name.toUpperCase()
  return Object.values(SRTP_SUITES).find((suite) => suite.name === (OLD_NAMES[upper] ?? upper))
}

/** A text says what is wrong. */
function readMasterKey(parameter: string, suite: SrtpSuite): SrtpMasterKey | string {
  const [, info] = /^inline:(.*)$/i.exec(parameter) ?? []
  if (info === undefined) return 'without an inline key'
  const [encoded = '', ...options] = info.split('|')
  const keyAndSalt = Buffer.from(encoded, 'base64')
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(encoded)
  if (!isBase64 || keyAndSalt.length !== suite.keyBytes + suite.saltBytes) {
    return 'with a key of another length than its suite’s'
  }
  const last = options.at(-1) ?? ''
  const mki = last.includes(':') ? readMki(last) : ''
  const lifetimes = last.includes(':') ? options.slice(0, -1) : options
  if (mki === undefined) return 'with an unreadable key identifier'
  const [lifetime] = lifetimes.map(readLifetime)
  if (lifetimes.length > 1 || lifetime === 'unreadable') return 'with an unreadable lifetime'
  return { keyAndSalt: keyAndSalt.toString('base64'), mki, ...(lifetime && { lifetime }) }
}

/** `value:length`, as hexadecimal digits of so many bytes. */
function readMki(text: string): string | undefined {
  const [, value = '', length] = /^(\d{1,310}):(\d{1,3})$/.exec(text) ?? []
  const bytes = Number(length)
  if (!(bytes >= 1 && bytes <= LONGEST_MKI_BYTES)) return undefined
  const digits = BigInt(value).toString(16)
  return digits.length > bytes * 2 ? undefined : digits.padStart(bytes * 2, '0')
}

/** A number of packets, or a power of two. */
function readLifetime(text: string): number | 'unreadable' {
  const [, power, digits = ''] = /^(2\^)?(\d{1,15})$/.exec(text) ?? []
  const packets = power === undefined ? Number(digits) : 2 ** Number(digits)
  return packets > 0 && packets <= MOST_MEDIA_PACKETS ? packets : 'unreadable'
}

/** Several keys need identifiers, of one length and each its own. */
function areToldApart(keys: readonly SrtpMasterKey[]): boolean {
  const [first] = keys
  if (first === undefined) return false
  if (keys.length === 1) return true
  const identifiers = new Set(keys.map(({ mki }) => mki))
  return (
    first.mki !== '' &&
    identifiers.size === keys.length &&
    keys.every(({ mki }) => mki.length === first.mki.length)
  )
}
