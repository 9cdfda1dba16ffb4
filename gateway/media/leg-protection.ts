import { TallenneError } from '../../base/tallenne-error.ts'
import type { SrtpPolicy, TargetSrtp } from '../../config/srtp-config.ts'
import type { SrtpPlan } from '../../recorder/srtp/srtp-plan.ts'
import { readCrypto } from '../sdes/crypto-attribute.ts'
import {
  isSecureProtocol,
  judgeAnswered,
  judgeOffered,
  type ProtectedLine,
  type Protection,
} from '../sdes/judge-protection.ts'
import { newKeying, newOffer, withKey } from '../sdes/own-keys.ts'

/** The profile of a line and its keys, as a description of ours says them. */
export interface WrittenProtection {
  readonly protocol: string
  /** Values of `a=crypto`. */
  readonly crypto: readonly string[]
}

/** How one party's leg of a trunk call is protected, apart from how the other party's is. */
export class LegProtection {
  readonly #policy: SrtpPolicy
  #agreed: Extract<Protection, { readonly kind: 'secure' }> | undefined
  /** The last offer of ours that has no answer yet, or whose answer may come again. */
  #offered: WrittenProtection | undefined
  #isAwaiting = false
  /** Of the party's own last description. */
  #theirProtocol: string | undefined

  /** `policy` is for what the party offers. */
  constructor(policy: SrtpPolicy) {
    this.#policy = policy
  }

  /** For the engine: what is agreed now. Before the answer to an offer with keys nothing of the party can be read. */
  get srtp(): SrtpPlan | undefined {
    if (!this.#isAwaiting) return this.#agreed?.srtp
    const [first] = this.#offered?.crypto ?? []
    const own = first === undefined ? undefined : readCrypto(first)
    if (own?.kind !== 'usable') return undefined
    return { receive: this.#agreed?.srtp.receive, send: own.attribute.keying }
  }

  /** How the party says that its media is protected, as a target is offered it. */
  get mirrored(): Exclude<TargetSrtp, 'mirror'> {
    if (this.#agreed === undefined) return 'off'
    return isSecureProtocol(this.#theirProtocol ?? '') ? 'require' : 'offer'
  }

  /** Judges the party's offer without taking it. Throws `unusable_offer`. */
  judge(line: ProtectedLine): Protection {
    const own = this.#agreed?.srtp.send
    const protection = judgeOffered(line, { policy: this.#policy, own })
    if (protection.kind === 'refused') {
      throw new TallenneError('unusable_offer', protection.problem)
    }
    return protection
  }

  /** Takes the party's offer as it was judged. */
  takeOffer(line: ProtectedLine, protection: Protection): void {
    this.#take(line, protection)
    this.#offered = undefined
  }

  /** Takes the party's answer to the last offer of ours. Throws `unusable_answer`. */
  takeAnswer(line: ProtectedLine): void {
    const offered = this.#offered
    const protection = judgeAnswered(line, {
      offered: offered?.crypto ?? [],
      mustBe: isSecureProtocol(offered?.protocol ?? ''),
    })
    if (protection.kind === 'refused') {
      throw new TallenneError('unusable_answer', protection.problem)
    }
    this.#take(line, protection)
  }

  /** What the party's offer is answered with. */
  answer(): WrittenProtection {
    return { protocol: this.#theirProtocol ?? 'RTP/AVP', crypto: this.#agreed?.crypto ?? [] }
  }

  /** What the party is offered first, in the profile with feedback (AVPF) or without. */
  offerFirst(srtp: Exclude<TargetSrtp, 'mirror'>, hasFeedback: boolean): WrittenProtection {
    return this.#offer(srtp, { hasFeedback, crypto: srtp === 'off' ? [] : newOffer() })
  }

  /** What the party is offered in its dialog: its leg stays as it is, with the key that it has of us. */
  offerAgain(hasFeedback: boolean): WrittenProtection {
    if (this.#agreed !== undefined) {
      return this.#offer(this.mirrored, { hasFeedback, crypto: this.#agreed.crypto })
    }
    const isFirst = this.#policy === 'require'
    return this.#offer(isFirst ? 'require' : 'off', {
      hasFeedback,
      crypto: isFirst ? newOffer() : [],
    })
  }

  /** A key of ours that nothing was sent by: whoever goes on does not know how far the old one has come. */
  renewKey(): void {
    const agreed = this.#agreed
    if (agreed === undefined) return
    const { suite, hasPlainRtcp } = agreed.srtp.send
    const send = newKeying(suite, { hasPlainRtcp })
    this.#agreed = {
      kind: 'secure',
      srtp: { receive: agreed.srtp.receive, send },
      crypto: withKey(agreed.crypto, send),
    }
  }

  #offer(
    srtp: Exclude<TargetSrtp, 'mirror'>,
    { hasFeedback, crypto }: { readonly hasFeedback: boolean; readonly crypto: readonly string[] },
  ): WrittenProtection {
    const profile = `${srtp === 'require' ? 'S' : ''}AVP${hasFeedback ? 'F' : ''}`
    this.#offered = { protocol: `RTP/${profile}`, crypto }
    this.#isAwaiting = crypto.length > 0 && this.#agreed === undefined
    return this.#offered
  }

  #take({ protocol }: ProtectedLine, protection: Protection): void {
    this.#theirProtocol = protocol
    this.#agreed = protection.kind === 'secure' ? protection : undefined
    this.#isAwaiting = false
  }
}
