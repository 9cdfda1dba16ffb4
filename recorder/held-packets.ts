/** A packet that waits until its source is known to be the right one. Keeps the datagram, which nobody else uses. */
export interface HeldPacket {
  readonly datagram: Uint8Array
  readonly address: string
  readonly port: number
  readonly ssrc: number
  readonly arrivedAtMs: number
}

const MOST = 32

/** The last packets of sources on probation. */
export class HeldPackets {
  #packets: HeldPacket[] = []

  /** Returns how many were given up to make room: 0 or 1. */
  hold(packet: HeldPacket): number {
    this.#packets.push(packet)
    if (this.#packets.length <= MOST) return 0
    this.#packets.shift()
    return 1
  }

  /** Takes all; those of the flow are the caller's to use, the rest are strangers'. */
  release(flow: { readonly address: string; readonly port: number; readonly ssrc: number }): {
    readonly own: readonly HeldPacket[]
    readonly strangers: number
  } {
    const all = this.#packets
    if (all.length === 0) return { own: all, strangers: 0 }
    this.#packets = []
    const own = all.filter(
      ({ address, port, ssrc }) =>
        address === flow.address && port === flow.port && ssrc === flow.ssrc,
    )
    return { own, strangers: all.length - own.length }
  }

  /** Gives all up, and tells how many there were. */
  drop(): number {
    const count = this.#packets.length
    this.#packets = []
    return count
  }
}
