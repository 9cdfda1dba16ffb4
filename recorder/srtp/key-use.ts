/** What a master key may protect at most, RTP and RTCP each for itself (RFC 3711 §9.2). */
export const MOST_MEDIA_PACKETS = 2 ** 48
export const MOST_CONTROL_PACKETS = 2 ** 31

/**
 * How much of its lifetime a master key has used: packets that it authenticated, of all sources. RTP and RTCP are
 * counted apart, and the first that goes beyond ends the key for both (RFC 4568 §6.1).
 *
 * What was sent before we listened, or got lost, is not in the count, so that no key ends too soon.
 */
export class KeyUse {
  #mostMedia = MOST_MEDIA_PACKETS
  #mostControl = MOST_CONTROL_PACKETS
  #media = 0
  #control = 0

  /** `lifetime` in packets is the one agreed on last; the longest there is where none was given. */
  agree(lifetime = MOST_MEDIA_PACKETS): void {
    this.#mostMedia = Math.min(lifetime, MOST_MEDIA_PACKETS)
    this.#mostControl = Math.min(lifetime, MOST_CONTROL_PACKETS)
  }

  countMedia(): void {
    this.#media++
  }

  countControl(): void {
    this.#control++
  }

  /** Whether more was counted than the key may protect. */
  get isBeyond(): boolean {
    return this.#media > this.#mostMedia || this.#control > this.#mostControl
  }
}
