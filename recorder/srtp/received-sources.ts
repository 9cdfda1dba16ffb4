import type { KeyContext } from './key-context.ts'
import { KeyUse, MOST_MEDIA_PACKETS } from './key-use.ts'
import { locateRtcp, locateRtp, newPlace, word } from './packet-layout.ts'
import { ReplayWindow } from './replay-window.ts'
import { estimateIndex, indexOf, likelyRollovers, rolloverOf } from './rollover.ts'

/** Why a packet stays closed: its tag does not fit, it came before, or its lengths make no sense. */
export type Refusal = 'unauthenticated' | 'replayed' | 'malformed'

/** SSRCs of which the indices are kept; the one that was first is given up first. */
const MOST_SOURCES = 16
/** After so long without a packet that fits, more is tried. */
const SILENT_MS = 2000
/** Rollovers that a known source may have gone through unheard: a lost stretch of almost three hours. */
const MOST_MISSED = 8
const SHORT_TAG_BYTES = 4

/**
 * Opens what comes under one master key, and knows how far each source has come.
 *
 * The work for a packet that does not fit is bounded: one or two tags while the key is in use, at most 14 otherwise.
 */
export class ReceivedSources {
  readonly context: KeyContext
  /** How much the key has protected. */
  readonly use = new KeyUse()
  readonly #place = newPlace()
  readonly #media = new Map<number, ReplayWindow>()
  readonly #control = new Map<number, ReplayWindow>()
  #keptRollover: number | undefined
  #heardAtMs = Number.NEGATIVE_INFINITY

  /** `keptRollover` is that of the source that was heard under the key before this one. */
  constructor(context: KeyContext, keptRollover: number | undefined) {
    this.context = context
    this.#keptRollover = keptRollover
  }

  /** The rollover counter of the source that was heard last. */
  get rollover(): number | undefined {
    return this.#keptRollover
  }

  /** Opens an RTP packet in place. */
  openRtp(packet: Uint8Array, nowMs: number): Uint8Array | Refusal {
    const place = this.#place
    if (!locateRtp(packet, this.context, place)) return 'malformed'
    const sequenceNumber = word(packet, 0) & 0xffff
    const source = this.#media.get(place.ssrc)
    const refusal =
      source === undefined
        ? this.#openNew(packet, sequenceNumber, nowMs)
        : this.#openKnown(packet, sequenceNumber, { source, nowMs })
    if (refusal !== undefined) return refusal
    this.use.countMedia()
    this.#keptRollover = rolloverOf(place.index)
    this.#heardAtMs = nowMs
    return packet.subarray(0, place.bodyEnd)
  }

  /** Opens an RTCP packet in place. Where the suite's tag is short, either length is taken. */
  openRtcp(packet: Uint8Array): Uint8Array | Refusal {
    const { suite, rtcp } = this.context
    const first = this.#openControl(packet, rtcp.tagBytes)
    if (first instanceof Uint8Array || suite.tagBytes !== SHORT_TAG_BYTES) return first
    const second = this.#openControl(packet, SHORT_TAG_BYTES)
    return second instanceof Uint8Array || first === 'malformed' ? second : first
  }

  #openKnown(
    packet: Uint8Array,
    sequenceNumber: number,
    { source, nowMs }: { readonly source: ReplayWindow; readonly nowMs: number },
  ): Refusal | undefined {
    const likely = estimateIndex(sequenceNumber, source.highest)
    const isFresh = source.isFresh(likely)
    if (isFresh && this.#fits(packet, likely, source)) return undefined
    const missed = nowMs - this.#heardAtMs < SILENT_MS ? 1 : MOST_MISSED
    for (let rollover = rolloverOf(likely) + 1, tries = 0; tries < missed; rollover++, tries++) {
      if (this.#fits(packet, indexOf(rollover, sequenceNumber), source)) return undefined
    }
    return isFresh ? 'unauthenticated' : 'replayed'
  }

  #openNew(packet: Uint8Array, sequenceNumber: number, nowMs: number): Refusal | undefined {
    const source = new ReplayWindow()
    const rollovers = likelyRollovers({
      sequenceNumber,
      kept: this.#keptRollover,
      isOpen: nowMs - this.#heardAtMs >= SILENT_MS,
    })
    const found = rollovers.some((rollover) =>
      this.#fits(packet, indexOf(rollover, sequenceNumber), source),
    )
    if (!found) return 'unauthenticated'
    remember(this.#media, this.#place.ssrc, source)
    return undefined
  }

  #fits(packet: Uint8Array, index: number, source: ReplayWindow): boolean {
    if (index >= MOST_MEDIA_PACKETS) return false
    this.#place.index = index
    if (!this.context.rtp.open(packet, this.#place)) return false
    source.add(index)
    return true
  }

  #openControl(packet: Uint8Array, tagBytes: number): Uint8Array | Refusal {
    const place = this.#place
    if (!locateRtcp(packet, this.context, { place, tagBytes })) return 'malformed'
    const known = this.#control.get(place.ssrc)
    if (known !== undefined && !known.isFresh(place.index)) return 'replayed'
    if (!this.context.rtcp.open(packet, place)) return 'unauthenticated'
    this.use.countControl()
    const source = known ?? new ReplayWindow()
    source.add(place.index)
    if (known === undefined) remember(this.#control, place.ssrc, source)
    return packet.subarray(0, place.bodyEnd)
  }
}

function remember(sources: Map<number, ReplayWindow>, ssrc: number, source: ReplayWindow): void {
  const [oldest] = sources.keys()
  if (sources.size >= MOST_SOURCES && oldest !== undefined) sources.delete(oldest)
  sources.set(ssrc, source)
}
