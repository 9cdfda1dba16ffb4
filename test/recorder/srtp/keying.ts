import type { SrtpKeying } from '../../../recorder/srtp/srtp-plan.ts'
import { SRTP_SUITES, type SrtpSuiteName } from '../../../recorder/srtp/srtp-suite.ts'

export const SUITE_NAMES = Object.keys(SRTP_SUITES) as readonly SrtpSuiteName[]

/** Keys of one direction, of which every byte is `fill`. */
export function keying(suite: SrtpSuiteName, fill = 7, mki = ''): SrtpKeying {
  const { keyBytes, saltBytes } = SRTP_SUITES[suite]
  const keyAndSalt = Buffer.alloc(keyBytes + saltBytes, fill).toString('base64')
  return { suite, keys: [{ keyAndSalt, mki }], hasPlainRtcp: false }
}
