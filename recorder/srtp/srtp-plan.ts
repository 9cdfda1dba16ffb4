import type { SrtpSuiteName } from './srtp-suite.ts'

/**
 * How a stream's packets are protected (RFC 3711), as its description agreed on (RFC 4568).
 *
 * Holds keys: goes to the engine and nowhere else, into no log, row, journal or answer of an API.
 */
export interface SrtpPlan {
  /** What the peer sends by; undefined where it has not told it yet, and nothing of it can be read. */
  readonly receive: SrtpKeying | undefined
  readonly send: SrtpKeying
}

/** The keys of one direction. */
export interface SrtpKeying {
  readonly suite: SrtpSuiteName
  /** At least one; several are told apart by their identifiers. */
  readonly keys: readonly SrtpMasterKey[]
  /** RTCP is authenticated and not encrypted (UNENCRYPTED_SRTCP). */
  readonly hasPlainRtcp: boolean
}

export interface SrtpMasterKey {
  /** Master key and master salt, one after the other, in base64. */
  readonly keyAndSalt: string
  /** The identifier that each packet carries (MKI), as hexadecimal digits; empty where packets carry none. */
  readonly mki: string
  /** So many packets of RTP, or of RTCP, it may protect (RFC 4568 §6.1); as many as there may be where absent. */
  readonly lifetime?: number
}
