import type { SrtpPolicy } from '../../config/srtp-config.ts'
import type { SrtpKeying, SrtpPlan } from '../../recorder/srtp/srtp-plan.ts'
import type { SdpMedia } from '../siprec/sdp-offer.ts'
import { type CryptoAttribute, readCrypto, writeCrypto } from './crypto-attribute.ts'
import { newKeying } from './own-keys.ts'

/** What is agreed of a line: how it is protected, and the values of `a=crypto` that we write for it. */
export type Protection =
  | { readonly kind: 'plain' }
  | { readonly kind: 'secure'; readonly srtp: SrtpPlan; readonly crypto: readonly string[] }
  | { readonly kind: 'refused'; readonly problem: string }

/** The part of a line that keys are agreed on by. */
export type ProtectedLine = Pick<SdpMedia, 'protocol' | 'crypto'>

const PLAIN: Protection = { kind: 'plain' }

/** Whether a line's protocol is the secure profile, whose packets must be protected. */
export function isSecureProtocol(protocol: string): boolean {
  return /\/SAVPF?$/i.test(protocol)
}

/**
 * Judges an offered line: the first of its attributes that can be used counts (RFC 4568 §5.1.2), and the answer
 * repeats its tag with a key of our own. `own` is the key that the peer has of us, which is kept where it fits.
 *
 * A line of the plain profile with keys is an offer to protect it all the same, and is answered in the clear where
 * nothing can come of that.
 */
export function judgeOffered(
  line: ProtectedLine,
  { policy, own }: { readonly policy: SrtpPolicy; readonly own: SrtpKeying | undefined },
): Protection {
  const mustBe = isSecureProtocol(line.protocol)
  if (policy === 'refuse') return mustBe ? refused('SRTP is refused here') : PLAIN
  const readings = line.crypto.map(readCrypto)
  const usable = readings.find((reading) => reading.kind === 'usable')
  if (usable !== undefined) return secured(usable.attribute, own)
  if (!mustBe && policy !== 'require') return PLAIN
  const [first] = readings
  const problem = first?.kind === 'unusable' ? first.problem : 'no crypto attribute'
  return refused(mustBe ? problem : `SRTP is required here: ${problem}`)
}

/**
 * Judges the answer to an offer of ours: it must repeat one of our tags with its suite. Without any it is in the
 * clear, where the offer left that open.
 */
export function judgeAnswered(
  line: ProtectedLine,
  { offered, mustBe }: { readonly offered: readonly string[]; readonly mustBe: boolean },
): Protection {
  const ours = offered.map(readCrypto)
  for (const value of line.crypto) {
    const theirs = readCrypto(value)
    if (theirs.kind !== 'usable') continue
    const { tag, keying } = theirs.attribute
    for (const own of ours) {
      if (own.kind !== 'usable' || own.attribute.tag !== tag) continue
      if (own.attribute.keying.suite !== keying.suite) continue
      const send = { ...own.attribute.keying, hasPlainRtcp: keying.hasPlainRtcp }
      return {
        kind: 'secure',
        srtp: { receive: keying, send },
        crypto: [writeCrypto({ ...own.attribute, keying: send })],
      }
    }
  }
  return mustBe || isSecureProtocol(line.protocol)
    ? refused('the answer takes none of the offered keys')
    : PLAIN
}

function secured(theirs: CryptoAttribute, own: SrtpKeying | undefined): Protection {
  const { suite, hasPlainRtcp } = theirs.keying
  const isKept = own?.suite === suite && own.hasPlainRtcp === hasPlainRtcp
  const send = isKept ? own : newKeying(suite, { hasPlainRtcp })
  return {
    kind: 'secure',
    srtp: { receive: theirs.keying, send },
    crypto: [writeCrypto({ ...theirs, keying: send })],
  }
}

function refused(problem: string): Protection {
  return { kind: 'refused', problem }
}
