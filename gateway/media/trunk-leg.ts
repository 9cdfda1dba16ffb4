import { randomInt } from 'node:crypto'
import type { MediaAddress, StreamPort } from '../../recorder/recording-plan.ts'
import type { SdpFormat } from '../siprec/sdp-offer.ts'
import type { PartyDescription } from './party-description.ts'
import { type AudioLine, type Layout, writeDescription } from './write-description.ts'

/** Where our side of the next description stands: on m-lines of the peer's offer, or on lines of our own. */
type LayoutFrom = PartyDescription | 'kept'

const AUDIO_ALONE: Layout = {
  lines: [{ kind: 'audio', protocol: 'RTP/AVP', formatTokens: [] }],
  audioIndex: 0,
}

/** One party's side of a trunk call's offers and answers: what it said last, and what it was told last. */
export class TrunkLeg {
  #theirs: PartyDescription | undefined
  #remote: MediaAddress | undefined
  readonly #sessionId = String(randomInt(2 ** 47))
  #version = 0
  #layout: Layout | undefined
  #audio: AudioLine | undefined
  #text = ''

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

  hear(description: PartyDescription): void {
    this.#theirs = description
    const { address, port, isHeld } = description.audio
    if (!isHeld) this.#remote = address === null ? undefined : { address, port }
  }

  /** Formats that the party may send: what it was told last, and what it says itself. */
  get formats(): readonly SdpFormat[] {
    return [...(this.#audio?.formats ?? []), ...(this.#theirs?.audio.formats ?? [])]
  }

  /** What the party is told: an answer along its offer's lines, or an offer along the lines of its dialog. */
  write(audio: AudioLine, port: StreamPort, from: LayoutFrom): string {
    this.#layout = this.#layoutFor(from)
    this.#audio = audio
    return this.#writeAt(port)
  }

  /** An offer to a party of a new dialog mirrors the lines of whoever asks for the call. */
  writeFirst(audio: AudioLine, port: StreamPort, mirrored: PartyDescription | undefined): string {
    this.#layout = mirrored === undefined ? AUDIO_ALONE : layoutOf(mirrored)
    this.#audio = audio
    return this.#writeAt(port)
  }

  /** What the party was told last, with another port; undefined where it was told nothing. */
  rewrite(port: StreamPort): string | undefined {
    return this.#audio === undefined ? undefined : this.#writeAt(port)
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
