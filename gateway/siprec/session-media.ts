import type { Log } from '../../base/log.ts'
import { TallenneError } from '../../base/tallenne-error.ts'
import type { Answer } from './answer-plan.ts'
import { withNewKeys } from './delayed-offer.ts'
import type { MediaNegotiation, OfferJudgement } from './media-negotiation.ts'
import type { RecordingRequest } from './recording-session-request.ts'
import type { SdpOffer } from './sdp-offer.ts'
import type { SessionCalls } from './session-calls.ts'
import type { OfferReply } from './session-dialog.ts'
import type { SessionStream } from './session-plane.ts'

export interface SessionMediaOptions {
  readonly negotiation: MediaNegotiation
  readonly calls: SessionCalls
  readonly log: Log
}

/** What is answered to the INVITE. */
export type FirstReply =
  | { readonly kind: 'answer'; readonly description: string }
  | {
      readonly kind: 'refused'
      readonly status: 400 | 488
      readonly reason: string
      /** For the contact, where there is more to say than the status. */
      readonly endReason?: string
    }

const NOT_ACCEPTABLE = { kind: 'refused', status: 488, reason: 'Not Acceptable Here' } as const

/** The offers and answers of one session, as they are agreed on, recorded and described. */
export class SessionMedia {
  readonly #options: SessionMediaOptions
  /** Whether the peer has said anything of its media, in an offer or an answer. */
  #isAgreed = false
  /** Where each stream is received. */
  readonly #streams = new Map<string, SessionStream>()

  constructor(options: SessionMediaOptions) {
    this.#options = options
  }

  /** The description in force; empty before the first. */
  get description(): string {
    return this.#options.negotiation.description
  }

  /** Whether every stream is on hold or stopped now. */
  get isHeld(): boolean {
    return !this.#options.negotiation.streams.some((stream) => stream.isReceiving)
  }

  /** Whether any line of any offer was refused because it cannot be decoded. */
  get hadUndecodableLine(): boolean {
    return this.#options.negotiation.hadUndecodableLine
  }

  /** Answers the INVITE's offer, or makes an offer where it has none. Rejects where the plane has no room. */
  async begin(message: RecordingRequest): Promise<FirstReply> {
    const { negotiation } = this.#options
    this.#isAgreed = message.hasSdp
    if (!message.hasSdp) return this.#open(negotiation.ownOffer())
    if (message.sdp === null) {
      this.#options.log.info({ problems: message.problems }, 'offer cannot be read')
      return { kind: 'refused', status: 400, reason: 'Unreadable Session Description' }
    }
    const judgement = negotiation.judge(message.sdp)
    if (judgement.kind === 'changed') return this.#open(judgement.plan)
    this.#log(judgement)
    return this.hadUndecodableLine
      ? { ...NOT_ACCEPTABLE, endReason: 'no_decodable_codec' }
      : NOT_ACCEPTABLE
  }

  /** Answers an offer within the dialog; null where it cannot be read. Rejects where the plane fails. */
  async takeOffer(offer: SdpOffer | null): Promise<OfferReply> {
    const { negotiation, calls } = this.#options
    if (offer === null) return NOT_ACCEPTABLE
    const judgement = negotiation.judge(offer)
    if (judgement.kind !== 'unusable') calls.heedPause(offer, this.isHeld)
    switch (judgement.kind) {
      case 'unusable':
        this.#log(judgement)
        return NOT_ACCEPTABLE
      case 'unchanged':
        return this.#unlessUnusable(async () => {
          await this.takeMetadata()
          return { kind: 'answer', description: negotiation.description }
        })
      case 'changed':
        return this.#unlessUnusable(async () => {
          await this.#apply(judgement.plan)
          return { kind: 'answer', description: negotiation.description }
        })
    }
  }

  /**
   * Takes the answer to our own offer; false where it is none and nothing was agreed before, which else goes on: the
   * recording is worth more than a re-INVITE done right. Rejects where the plane fails.
   */
  async takeAnswer(answer: SdpOffer | null): Promise<boolean> {
    const judgement: OfferJudgement =
      answer === null
        ? { kind: 'unusable', problem: 'no answer to our offer' }
        : this.#options.negotiation.judgeAnswer(answer)
    if (judgement.kind === 'changed') await this.#apply(judgement.plan)
    if (judgement.kind === 'unusable') this.#log(judgement)
    else this.#isAgreed = true
    return this.#isAgreed
  }

  /**
   * Metadata may tell after a stream was opened whose voice it carries, and of which call. Tells whether the peer must
   * hear of it, since the media has moved. Rejects where the plane fails.
   */
  async takeMetadata(): Promise<'in_place' | 'moved'> {
    const { negotiation, calls } = this.#options
    const { plan, description } = negotiation
    if (plan === undefined) return 'in_place'
    const { streams } = calls.assignRoles(plan)
    const isNews = JSON.stringify(streams) !== JSON.stringify(plan.streams)
    if (isNews || calls.areStale(plan)) await this.#apply(plan)
    return negotiation.description === description ? 'in_place' : 'moved'
  }

  /** The recording of one of the calls was stopped: nothing more is wanted of its streams. Rejects where the plane fails. */
  async stop(): Promise<void> {
    const { plan } = this.#options.negotiation
    if (plan !== undefined) await this.#apply(plan)
  }

  /**
   * What held the recording is gone: it goes on elsewhere. Tells whether the peer must hear of it, since the media
   * has moved. Rejects where there is no room.
   */
  async goOn(lostRecordingId: string): Promise<'in_place' | 'moved'> {
    const { negotiation, calls } = this.#options
    const { plan, description } = negotiation
    if (plan === undefined) throw new TallenneError('engine_failed', 'there is no media to go on')
    const renewed = withNewKeys(plan)
    const moved = await calls.goOn(lostRecordingId, renewed)
    // The keys of other calls' streams are new as well.
    const others = calls.live.length > 1 ? await calls.hold(renewed) : []
    const now = this.#agree(renewed, [...others, ...moved])
    return now === description ? 'in_place' : 'moved'
  }

  async #open(plan: Answer): Promise<FirstReply> {
    return this.#unlessUnusable(async () => {
      await this.#apply(plan)
      return { kind: 'answer', description: this.description }
    })
  }

  async #apply(plan: Answer): Promise<void> {
    const { calls } = this.#options
    const assigned = calls.assignRoles(withoutStopped(plan, calls))
    this.#agree(assigned, await calls.hold(assigned))
  }

  #agree(plan: Answer, streams: readonly SessionStream[]): string {
    for (const stream of streams) this.#streams.set(stream.streamId, stream)
    const all = plan.streams.flatMap(({ streamId }) => this.#streams.get(streamId) ?? [])
    return this.#options.negotiation.agree(plan, all)
  }

  async #unlessUnusable<Reply>(work: () => Promise<Reply>): Promise<Reply | typeof NOT_ACCEPTABLE> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof TallenneError) || error.code !== 'unusable_offer') throw error
      this.#log({ kind: 'unusable', problem: error.message })
      return NOT_ACCEPTABLE
    }
  }

  #log(judgement: OfferJudgement): void {
    const problem = judgement.kind === 'unusable' ? judgement.problem : 'nothing new'
    this.#options.log.info({ problem }, 'description cannot be taken')
  }
}

/** The plan with nothing to be received of calls whose recordings were stopped. */
function withoutStopped(plan: Answer, calls: SessionCalls): Answer {
  const isStopped = calls.stoppedStreams(plan)
  if (isStopped.size === 0) return plan
  return {
    ...plan,
    lines: plan.lines.map((line) =>
      line.kind === 'accepted' && isStopped.has(line.streamId)
        ? { ...line, direction: 'inactive' }
        : line,
    ),
    streams: plan.streams.map((stream) =>
      isStopped.has(stream.streamId) ? { ...stream, isReceiving: false } : stream,
    ),
  }
}
