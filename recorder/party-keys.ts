import { type PauseCode, PauseCodeReader } from './pause-codes.ts'
import type { PauseCodes } from './recording-plan.ts'
import type { RtpPacket } from './rtp-packet.ts'
import { KeyPresses } from './telephone-event.ts'

/** The keys of a party, out of its telephone-events: read where they may be a code, and told to nobody. */
export class PartyKeys {
  readonly #presses = new KeyPresses()
  readonly #codes = new PauseCodeReader()
  /** SSRC of the last key. */
  #ssrc = 0

  /** The code that is complete with this packet, which arrived then (monotonic milliseconds). */
  hear(
    packet: RtpPacket,
    { codes, atMs }: { readonly codes: PauseCodes | undefined; readonly atMs: number },
  ): PauseCode | undefined {
    if (codes === undefined) return undefined
    if (packet.ssrc !== this.#ssrc) this.#presses.restart()
    this.#ssrc = packet.ssrc
    const { datagram, payloadOffset, payloadLength } = packet
    const payload = datagram.subarray(payloadOffset, payloadOffset + payloadLength)
    const key = this.#presses.hear(packet.timestamp, payload)
    return key === undefined ? undefined : this.#codes.press(key, { atMs, codes })
  }
}
