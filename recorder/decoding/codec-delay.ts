import type { ReusedAudioPacket } from '../audio-packet.ts'

/**
 * Takes out of a leg's timing by how much codecs delay sound: what an encoder looks ahead, and what filters at either
 * end hold back. A packet's sound belongs so much before the place of its timestamp.
 *
 * At a change to a codec with more delay the first samples are left out, since what they say was heard from the codec
 * before; at a change to one with less there is a gap of the difference, which nobody sent.
 */
export class CodecDelay {
  /** Of the newest packet; undefined where there is none yet. */
  #newest: number | undefined

  /** The next packet comes from another source. */
  restart(): void {
    this.#newest = undefined
  }

  /** Moves a packet before it is placed. `delay` is that of its codec, samples at 8 kHz. */
  takeOut(packet: ReusedAudioPacket, delay: number): void {
    packet.timestamp -= delay
    packet.arrivedAt -= delay
    packet.delay = delay
    packet.gap = 0
    if (packet.missing < 0) return
    const { length, density, stride } = packet
    const more = delay - (this.#newest ?? delay)
    this.#newest = delay
    packet.gap = Math.max(0, -more)
    if (more <= 0) return
    const known = Math.min(more, length - 1)
    packet.timestamp += known
    packet.delay -= known
    packet.length -= known
    packet.offset += known * density * stride
  }
}
