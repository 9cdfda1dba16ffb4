import { CounterMode } from './counter-mode.ts'
import { GcmMode } from './gcm-mode.ts'
import { deriveSessionKeys } from './session-keys.ts'
import type { SrtpMasterKey } from './srtp-plan.ts'
import type { SrtpSuite } from './srtp-suite.ts'
import type { Transform } from './transform.ts'

/** One master key ready for use: what protects RTP and RTCP under it. */
export interface KeyContext {
  readonly suite: SrtpSuite
  readonly mki: Uint8Array
  readonly rtp: Transform
  readonly rtcp: Transform
  /** Whether it is of that key, whatever is said of its lifetime. */
  isOf(suite: SrtpSuite, master: SrtpMasterKey): boolean
}

/** RTCP keeps a tag of 80 bits also where RTP's is shorter (RFC 3711 §5.2). */
const RTCP_TAG_BYTES = 10

/** Derives the session keys of a master key whose lengths are those of the suite. */
export function createKeyContext(suite: SrtpSuite, master: SrtpMasterKey): KeyContext {
  const keyAndSalt = Buffer.from(master.keyAndSalt, 'base64')
  return {
    suite,
    mki: Buffer.from(master.mki, 'hex'),
    rtp: transformFor('rtp', suite.tagBytes),
    rtcp: transformFor('rtcp', RTCP_TAG_BYTES),
    isOf: (otherSuite, other) =>
      otherSuite === suite && other.mki === master.mki && other.keyAndSalt === master.keyAndSalt,
  }

  function transformFor(kind: 'rtp' | 'rtcp', tagBytes: number): Transform {
    const keys = deriveSessionKeys(suite, keyAndSalt, kind)
    return suite.mode === 'gcm'
      ? new GcmMode({ keys, kind })
      : new CounterMode({ keys, kind, tagBytes })
  }
}
