import type { RemoteInfo, Socket } from 'node:dgram'

/** A datagram whose key is not known yet, where it came in, and when (monotonic milliseconds). */
export interface EarlyPacket {
  readonly datagram: Buffer
  readonly from: RemoteInfo
  readonly socket: Socket
  readonly arrivedAtMs: number
}

const MOST = 50
/** What is older has no use: its place on the timeline is written, and a party that hears it hears an echo of the past. */
const OLDEST_MS = 500

/** Packets that outran the description with the key that they are protected by. */
export class EarlyPackets {
  #packets: EarlyPacket[] = []

  get count(): number {
    return this.#packets.length
  }

  /** Returns how many were given up to make room: 0 or 1. */
  keep(packet: EarlyPacket): number {
    this.#packets.push(packet)
    if (this.#packets.length <= MOST) return 0
    this.#packets.shift()
    return 1
  }

  /** Gives all out in their order, and tells how many are too old to be of use. */
  take(nowMs: number): { readonly packets: readonly EarlyPacket[]; readonly tooOld: number } {
    const all = this.#packets
    if (all.length === 0) return { packets: all, tooOld: 0 }
    this.#packets = []
    const packets = all.filter(({ arrivedAtMs }) => nowMs - arrivedAtMs <= OLDEST_MS)
    return { packets, tooOld: all.length - packets.length }
  }
}
