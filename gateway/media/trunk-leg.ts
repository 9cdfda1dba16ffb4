import { randomInt } from 'node:crypto'
import type { SrtpPolicy } from '../../config/srtp-config.ts'
import type { MediaAddress, StreamPort } from '../../recorder/recording-plan.ts'
import type { Protection } from '../sdes/judge-protection.ts'
import type { SdpFormat } from '../siprec/sdp-offer.ts'
import { LegProtection, type WrittenProtection } from './leg-protection.ts'
import type { PartyDescription } from './party-description.ts'
import { type AudioLine, type Layout, writeDescription } from './write-description.ts'

/** Where our side of the next description stands: on m-lines of the peer's offer, or on lines of our own. */
type LayoutFrom = PartyDescription | 'kept'

const AUDIO_ALONE: Layout = {
  lines: [{ kind: 'audio', protocol: 'RTP/AVP', formatTokens: [] }],
  audioIndex: 0,
}

/** An audio line that its leg has yet to protect. */
export type UnprotectedLine = Omit<AudioLine, 'protocol' | 'crypto'>

/** One party's side of a trunk call's offers and answers: what it said last, and what it was told last. */
export class TrunkLeg {
  readonly protection: LegProtection
  #theirs: PartyDescription | undefined
  #remote: MediaAddress | undefined
  readonly #sessionId = String(randomInt(2 ** 47))
  #version = 0
  #layout: Layout | undefined
  #audio: AudioLine | undefined
  #text = ''

  /** `srtp` is the policy for what the party offers. */
  constructor(srtp: SrtpPolicy) {
    this.protection = new LegProtection(srtp)
  }

  /** The party's own description that is in force; undefined before the first. */
  get theirs(): PartyDescription | undefined {
    return this.#theirs
  }

  /** Where the party said last that it takes media; a hold by an unspecified address leaves it as it was. */
  get remote(): MediaAddress | undefined {
    return this.#remote
  }

  /** Whether the party said last that it sends or takes nothing: it holds the other, or is held. */
  get isHolding(): boolean {
    const audio = this.#theirs?.audio
    return audio !== undefined && (audio.isHeld || audio.direction !== 'sendrecv')
  }

  /** Takes the party's offer, whose protection was judged before. */
  hearOffer(description: PartyDescription, protection: Protection): void {
    this.protection.takeOffer(description.audio, protection)
    this.#hear(description)
  }

  /** Takes the party's answer to an offer of ours. Throws `unusable_answer` where it does not fit that. */
  hearAnswer(description: PartyDescription): void {
    this.protection.takeAnswer(description.audio)
    this.#hear(description)
  }

  #hear(description: PartyDescription): void {
    this.#theirs = description
    const { address, port, isHeld } = description.audio
    if (!isHeld) this.#remote = address === null ? undefined : { address, port }
  }

  /** Formats that the party may send: what it was told last, and what it says itself. */
  get formats(): readonly SdpFormat[] {
    return [...(this.#audio?.formats ?? []), ...(this.#theirs?.audio.formats ?? [])]
  }

  /** The answer along the party's offer's lines. */
  writeAnswer(audio: UnprotectedLine, port: StreamPort): string {
    return this.#write(audio, this.protection.answer(), { port, from: this.#theirs ?? 'kept' })
  }

  /** An offer along the lines of the party's dialog. */
  writeOffer(
    audio: UnprotectedLine,
    port: StreamPort,
    { hasFeedback }: { readonly hasFeedback: boolean },
  ): string {
    return this.#write(audio, this.protection.offerAgain(hasFeedback), { port, from: 'kept' })
  }

  /** An offer to a party of a new dialog mirrors the lines of whoever asks for the call. */
  writeFirst(
    audio: UnprotectedLine,
    port: StreamPort,
    as: {
      readonly mirrored: PartyDescription | undefined
      readonly protection: WrittenProtection
    },
  ): string {
    this.#layout = as.mirrored === undefined ? AUDIO_ALONE : layoutOf(as.mirrored)
    return this.#write(audio, as.protection, { port, from: 'kept' })
  }

  /** What the party was told last, as an offer, with another port and another key; undefined where that was nothing. */
  rewrite(port: StreamPort): string | undefined {
    const audio = this.#audio
    if (audio === undefined) return undefined
    return this.writeOffer(audio, port, { hasFeedback: /AVPF$/i.test(audio.protocol) })
  }

  #write(
    audio: UnprotectedLine,
    protection: WrittenProtection,
    { port, from }: { readonly port: StreamPort; readonly from: LayoutFrom },
  ): string {
    this.#layout = this.#layoutFor(from)
    this.#audio = { ...audio, ...protection }
    return this.#writeAt(port)
  }

  #layoutFor(from: LayoutFrom): Layout {
    if (from === 'kept') return this.#layout ?? AUDIO_ALONE
    return layoutOf(from)
  }

  #writeAt({ address, rtpPort }: StreamPort): string {
    const layout = this.#layout ?? AUDIO_ALONE
    const audio = this.#audio
    if (audio === undefined) return ''
    const place = { address, rtpPort, sessionId: this.#sessionId }
    const same = writeDescription(layout, audio, { ...place, version: this.#version })
    if (same === this.#text) return same
    this.#version++
    this.#text = writeDescription(layout, audio, { ...place, version: this.#version })
    return this.#text
  }
}

function layoutOf({ lines, audio }: PartyDescription): Layout {
  return { lines, audioIndex: audio.index }
}
