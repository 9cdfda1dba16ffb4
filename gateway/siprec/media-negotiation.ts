import type { StreamPlan } from '../../recorder/recording-plan.ts'
import { type Answer, planAnswer } from './answer-plan.ts'
import { planDelayedOffer, readDelayedAnswer } from './delayed-offer.ts'
import type { MediaCapabilities } from './media-capabilities.ts'
import type { SdpOffer } from './sdp-offer.ts'
import type { SessionStream } from './session-plane.ts'
import { hasUndecodableLine } from './undecodable-line.ts'
import { writeAnswer } from './write-answer.ts'

/** What an offer asks for. */
export type OfferJudgement =
  /** The media stays as it is: answer again what was answered (RFC 4028 §7.4). */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'changed'; readonly plan: Answer }
  | { readonly kind: 'unusable'; readonly problem: string }

export interface MediaNegotiationOptions {
  readonly capabilities: MediaCapabilities
  /** Decimal digits, ours for the whole dialog. */
  readonly sessionId: string
  /** Where the client's signalling comes from. */
  readonly clientAddress: string
}

/** The offers and answers of one recording session: what is agreed now, and the description that says so. */
export class MediaNegotiation {
  readonly #capabilities: MediaCapabilities
  readonly #sessionId: string
  readonly #clientAddress: string
  #plan: Answer | undefined
  #version = 1
  #description = ''
  #hadUndecodableLine = false

  constructor(options: MediaNegotiationOptions) {
    this.#capabilities = options.capabilities
    this.#sessionId = options.sessionId
    this.#clientAddress = options.clientAddress
  }

  /** The description in force; empty before the first `agree`. */
  get description(): string {
    return this.#description
  }

  get plan(): Answer | undefined {
    return this.#plan
  }

  /** The streams in force, in the order in which the recorder knows them. */
  get streams(): readonly StreamPlan[] {
    return this.#plan?.streams ?? []
  }

  /** Whether any offer so far had a line that cannot be decoded, and so is not recorded. */
  get hadUndecodableLine(): boolean {
    return this.#hadUndecodableLine
  }

  /** Judges an offer; nothing is agreed on before `agree`. */
  judge(offer: SdpOffer): OfferJudgement {
    this.#hadUndecodableLine ||= hasUndecodableLine(offer, this.#capabilities)
    const plan = planAnswer(offer, {
      capabilities: this.#capabilities,
      ...(this.#plan === undefined ? {} : { previous: this.#plan }),
    })
    if (plan.kind === 'not_acceptable') return { kind: 'unusable', problem: plan.problem }
    return isSame(plan, this.#plan) ? { kind: 'unchanged' } : { kind: 'changed', plan }
  }

  /** What we offer ourselves where the peer offers nothing. */
  ownOffer(): Answer {
    return planDelayedOffer(this.#capabilities, this.#clientAddress)
  }

  /** Judges the peer's answer to an offer of ours. */
  judgeAnswer(answer: SdpOffer): OfferJudgement {
    if (this.#plan === undefined) return { kind: 'unusable', problem: 'answer to no offer' }
    const plan = readDelayedAnswer(this.#plan, answer, this.#capabilities)
    return isSame(plan, this.#plan) ? { kind: 'unchanged' } : { kind: 'changed', plan }
  }

  /** Takes a plan into force and writes its description; its version grows only where the text differs. */
  agree(plan: Answer, ports: readonly SessionStream[]): string {
    this.#plan = plan
    const address = ports[0]?.address ?? '127.0.0.1'
    const write = () =>
      writeAnswer(plan, ports, { address, sessionId: this.#sessionId, version: this.#version })
    const isFirst = this.#description === ''
    const unchanged = write()
    if (!isFirst && unchanged !== this.#description) this.#version++
    this.#description = isFirst ? unchanged : write()
    return this.#description
  }
}

function isSame(plan: Answer, previous: Answer | undefined): boolean {
  return previous !== undefined && JSON.stringify(plan) === JSON.stringify(previous)
}
