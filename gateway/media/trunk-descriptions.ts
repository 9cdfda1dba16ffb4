import { TallenneError } from '../../base/tallenne-error.ts'

import type { SrtpPolicy, TargetSrtp } from '../../config/srtp-config.ts'
import type { PayloadFormat, PlayedFormat, StreamPort } from '../../recorder/recording-plan.ts'
import type { Protection } from '../sdes/judge-protection.ts'
import {
  type MediaCapabilities,
  offeredCodecs,
  usableFormats,
} from '../siprec/media-capabilities.ts'

import type { SdpFormat } from '../siprec/sdp-offer.ts'
import {
  choosePassedFormats,
  type PartyDescription,
  readPartyDescription,
} from './party-description.ts'
import { TrunkLeg, type UnprotectedLine } from './trunk-leg.ts'
import { otherOf, type Party } from './trunk-media.ts'

export interface TrunkDescriptionsOptions {
  readonly capabilities: MediaCapabilities
  readonly isRecorded: boolean
  /** Offers that cannot be recorded are refused instead of passed on. */
  readonly isRecordingRequired: boolean
  /** What becomes of callers' offers with regard to SRTP. */
  readonly srtp: SrtpPolicy
  /** Where a party is to send to. */
  readonly portOf: (party: Party) => StreamPort
}

const TELEPHONE_EVENT: SdpFormat = {
  payloadType: 101,
  encoding: 'telephone-event',
  clockRate: 8000,
  channels: 1,
  fmtp: '0-15',
}

/**
 * The offers and answers of one trunk call. What a party is told is what the other one said, with our addresses in
 * it; so codecs, hold and packet times are agreed between the parties themselves.
 *
 * A description that cannot pass throws a `TallenneError`: `unusable_offer` or `unusable_answer`.
 */
export class TrunkDescriptions {
  readonly #options: TrunkDescriptionsOptions
  readonly #legs: Record<Party, TrunkLeg>
  /** The platform party that the call was offered to last, until it answers: the one before stays in force. */
  #candidate = new TrunkLeg('allow')
  /** A party's new offer, until the other one has answered it. */
  #offered: { readonly description: PartyDescription; readonly protection: Protection } | undefined
  #answered: { readonly from: string; readonly text: string } | undefined

  constructor(options: TrunkDescriptionsOptions) {
    this.#options = options
    this.#legs = { caller: new TrunkLeg(options.srtp), platform: this.#candidate }
  }

  get legs(): Readonly<Record<Party, TrunkLeg>> {
    return this.#legs
  }

  /** Whether what the parties agreed on is beyond the recorder; the platform's word counts before the caller's. */
  get isUnrecordable(): boolean {
    const agreed = this.#legs.platform.theirs ?? this.#legs.caller.theirs
    return agreed !== undefined && !this.#formatsOf(agreed).isRecordable
  }

  /** The offer in the caller's INVITE. */
  takeCallerOffer(sdp: string): void {
    const { caller } = this.#legs
    const offer = this.#readOffer(sdp)
    caller.hearOffer(offer, caller.protection.judge(offer.audio))
  }

  offerForPlatform(srtp: TargetSrtp): string {
    const { caller, platform } = this.#legs
    const { theirs } = caller
    const candidate = new TrunkLeg(srtp === 'require' ? 'require' : 'allow')
    this.#candidate = candidate
    this.#answered = undefined
    const audio = theirs === undefined ? this.#ownAudio() : this.#audioFrom(theirs)
    const text = candidate.writeFirst(audio, this.#options.portOf('platform'), {
      mirrored: theirs,
      protection: candidate.protection.offerFirst(
        srtp === 'mirror' ? caller.protection.mirrored : srtp,
        theirs !== undefined && hasFeedback(theirs),
      ),
    })
    // Media may come before the answer that announces it (RFC 3264 §5.1).
    if (platform.theirs === undefined) this.#legs.platform = candidate
    return text
  }

  /** The same answer for the same description. */
  answerFromPlatform(sdp: string): string {
    if (this.#answered?.from === sdp) return this.#answered.text
    const answer = readPartyDescription(sdp, 'unusable_answer')
    const { caller } = this.#legs
    this.#candidate.hearAnswer(answer)
    this.#legs.platform = this.#candidate
    const audio = this.#audioFrom(answer)
    const port = this.#options.portOf('caller')
    const text =
      caller.theirs === undefined
        ? caller.writeOffer(audio, port, { hasFeedback: hasFeedback(answer) })
        : caller.writeAnswer(audio, port)
    this.#answered = { from: sdp, text }
    return text
  }

  takeAnswer(party: Party, sdp: string): void {
    this.#legs[party].hearAnswer(readPartyDescription(sdp, 'unusable_answer'))
  }

  /** Gives the offer for the other party. */
  reofferFrom(party: Party, sdp: string): string {
    const description = this.#readOffer(sdp)
    const protection = this.#legs[party].protection.judge(description.audio)
    this.#offered = { description, protection }
    const other = otherOf(party)
    return this.#legs[other].writeOffer(this.#audioFrom(description), this.#options.portOf(other), {
      hasFeedback: hasFeedback(description),
    })
  }

  /** Takes the other party's answer and gives the answer for the party that offered. */
  reanswerTo(party: Party, sdp: string): string {
    const answer = readPartyDescription(sdp, 'unusable_answer')
    const leg = this.#legs[party]
    const offered = this.#offered
    if (offered !== undefined) leg.hearOffer(offered.description, offered.protection)
    this.#offered = undefined
    this.#legs[otherOf(party)].hearAnswer(answer)
    return leg.writeAnswer(this.#audioFrom(answer), this.#options.portOf(party))
  }

  /** What the caller needs to hear us, and the format to play in. Throws `no_announcement`. */
  announceToCaller(): { readonly sdp: string; readonly format: PlayedFormat } {
    const { caller } = this.#legs
    const { theirs } = caller
    const usable = usableFormats(theirs?.audio.formats ?? [], this.#options.capabilities)
    const format = usable.formats.find(isPlayed)
    if (theirs === undefined || format === undefined) {
      throw new TallenneError('no_announcement', 'the caller offers no codec to play it in')
    }
    const audio = { ...this.#audioFrom(theirs), direction: 'sendrecv' as const }
    return { sdp: caller.writeAnswer(audio, this.#options.portOf('caller')), format }
  }

  /** The media goes on elsewhere, where nobody knows how far our keys have come. */
  renewKeys(): void {
    for (const { protection } of Object.values(this.#legs)) protection.renewKey()
  }

  /** What both parties were told last, with the ports of now; empty for a party that was told nothing. */
  rewrite(): Readonly<Record<Party, string>> {
    const textFor = (party: Party) => this.#legs[party].rewrite(this.#options.portOf(party)) ?? ''
    return { caller: textFor('caller'), platform: textFor('platform') }
  }

  #readOffer(sdp: string): PartyDescription {
    const offer = readPartyDescription(sdp, 'unusable_offer')
    if (this.#options.isRecordingRequired && !this.#formatsOf(offer).isRecordable) {
      throw new TallenneError('unusable_offer', 'no codec of the offer can be recorded')
    }
    return offer
  }

  #formatsOf(description: PartyDescription) {
    return choosePassedFormats(description, this.#options)
  }

  #audioFrom(description: PartyDescription): UnprotectedLine {
    const { audio, attributes } = description
    return {
      formats: this.#formatsOf(description).formats,
      ptimeMs: audio.ptimeMs,
      direction: audio.direction,
      isHeld: audio.isHeld,
      attributes,
    }
  }

  /** What is offered where the caller offers nothing. */
  #ownAudio(): UnprotectedLine {
    const codecs = offeredCodecs(this.#options.capabilities)
    return {
      formats: [...codecs, TELEPHONE_EVENT],
      ptimeMs: null,
      direction: 'sendrecv',
      isHeld: false,
      attributes: [],
    }
  }
}

function isPlayed(format: PayloadFormat): format is PlayedFormat {
  return format.codec === 'PCMU' || format.codec === 'PCMA'
}

/** The profile with feedback (RFC 4585), which the other party is offered too. */
function hasFeedback({ audio }: PartyDescription): boolean {
  return /AVPF$/i.test(audio.protocol)
}
