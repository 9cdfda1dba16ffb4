const SAMPLES = 160
const RTP_HEADER_BYTES = 12

/**
 * Tells packets of one party's audio apart by their sound, which a relay leaves as it is while it may number
 * and stamp the packets anew. Packets that sound like another one have no place.
 */
export class PacketIndex {
  readonly #placeOf = new Map<number, number>()
  readonly #places: ReadonlySet<number>

  /** `audio` is µ-law at 8 kHz. */
  constructor(audio: Uint8Array) {
    const ambiguous = new Set<number>()
    for (let place = 0; (place + 1) * SAMPLES <= audio.length; place++) {
      const print = fingerprint(audio, place * SAMPLES)
      if (this.#placeOf.has(print)) ambiguous.add(print)
      this.#placeOf.set(print, place)
    }
    for (const print of ambiguous) this.#placeOf.delete(print)
    this.#places = new Set(this.#placeOf.values())
  }

  /** Whether the packet at this place, counted in packets, can be told from all others. */
  has(place: number): boolean {
    return this.#places.has(place)
  }

  /** Place of an RTP packet of 20 ms, counted in packets; undefined where it has none. */
  placeOf(datagram: Uint8Array): number | undefined {
    if (datagram.length !== RTP_HEADER_BYTES + SAMPLES) return undefined
    return this.#placeOf.get(fingerprint(datagram, RTP_HEADER_BYTES))
  }
}

/** FNV-1a of a packet's samples. The two codes of µ-law for zero are one, since decoding makes them so. */
function fingerprint(bytes: Uint8Array, from: number): number {
  let hash = 0x811c9dc5
  for (let at = from; at < from + SAMPLES; at++) {
    const code = bytes[at] ?? 0
    hash = Math.imul(hash ^ (code === 0x7f ? 0xff : code), 0x01000193)
  }
  return hash
}
