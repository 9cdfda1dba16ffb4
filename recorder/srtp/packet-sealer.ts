import { createKeyContext, type KeyContext } from './key-context.ts'
import { MOST_CONTROL_PACKETS, MOST_MEDIA_PACKETS } from './key-use.ts'
import { layOutRtcp, newPlace, RTCP_HEAD_BYTES, rtpHeadBytes, word } from './packet-layout.ts'
import { ReplayWindow } from './replay-window.ts'
import { estimateIndex } from './rollover.ts'
import type { SrtpKeying } from './srtp-plan.ts'
import { SRTP_SUITES } from './srtp-suite.ts'

/** Streams of which the indices are kept; the one that was first is given up first. */
const MOST_SOURCES = 64

/**
 * Protects what goes to a peer, by our own key. Rollover counters begin at 0 (RFC 4568 §6.4), the indices of RTCP
 * too, and the key carries no identifier.
 */
export class PacketSealer {
  readonly #context: KeyContext | undefined
  readonly #hasPlainRtcp: boolean
  readonly #place = newPlace()
  readonly #sources = new Map<number, ReplayWindow>()
  #controlIndex = 0

  constructor(keying: SrtpKeying) {
    const [key] = keying.keys
    this.#context = key && createKeyContext(SRTP_SUITES[keying.suite], key)
    this.#hasPlainRtcp = keying.hasPlainRtcp
  }

  /**
   * A protected copy; undefined where the packet is none, or its index was used before: the same key stream for other
   * bytes would tell both (RFC 3711 §9.1).
   */
  sealRtp(packet: Uint8Array): Uint8Array | undefined {
    const context = this.#context
    const place = this.#place
    place.bodyEnd = packet.length
    place.headBytes = rtpHeadBytes(packet, packet.length)
    if (context === undefined || place.headBytes < 0) return undefined
    const { tagBytes } = context.rtp
    place.ssrc = word(packet, 8)
    const source = this.#sourceOf(place.ssrc)
    const sequenceNumber = word(packet, 0) & 0xffff
    place.index =
      source.highest < 0 ? sequenceNumber : estimateIndex(sequenceNumber, source.highest)
    if (place.index >= MOST_MEDIA_PACKETS || !source.isFresh(place.index)) return undefined
    source.add(place.index)
    place.tagAt = place.bodyEnd
    place.tagBytes = tagBytes
    place.isEncrypted = true
    const sealed = Buffer.allocUnsafe(packet.length + tagBytes)
    sealed.set(packet)
    context.rtp.seal(sealed, place)
    return sealed
  }

  /** A protected copy; undefined where the packet is none, or the key has no index left for it. */
  sealRtcp(packet: Uint8Array): Uint8Array | undefined {
    const context = this.#context
    if (context === undefined || packet.length < RTCP_HEAD_BYTES) return undefined
    if (this.#controlIndex >= MOST_CONTROL_PACKETS) return undefined
    const place = this.#place
    place.index = this.#controlIndex++
    place.isEncrypted = !this.#hasPlainRtcp
    const sealed = layOutRtcp(packet, context, place)
    context.rtcp.seal(sealed, place)
    return sealed
  }

  #sourceOf(ssrc: number): ReplayWindow {
    const known = this.#sources.get(ssrc)
    if (known !== undefined) return known
    const [oldest] = this.#sources.keys()
    if (this.#sources.size >= MOST_SOURCES && oldest !== undefined) this.#sources.delete(oldest)
    const source = new ReplayWindow()
    this.#sources.set(ssrc, source)
    return source
  }
}
