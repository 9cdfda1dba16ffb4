import type { StreamTally } from '../stream-tally.ts'
import { PacketOpener } from './packet-opener.ts'
import { PacketSealer } from './packet-sealer.ts'
import type { Refusal } from './received-sources.ts'
import type { SrtpPlan } from './srtp-plan.ts'

/** Where the packets that are kept out are counted. */
type RefusalTally = Pick<
  StreamTally,
  | 'notRtp'
  | 'unauthenticated'
  | 'replayed'
  | 'keyExpired'
  | 'keyOutlived'
  | 'longestUnauthenticatedRun'
>

/**
 * What lies between a stream's sockets and its packets: nothing, or SRTP by the keys that are agreed on now.
 *
 * Works in the packet's own memory, without exceptions or logs, and counts what it keeps out.
 */
export class StreamProtection {
  #tally: RefusalTally
  readonly #takesExpiredKeys: boolean
  readonly #opener = new PacketOpener()
  #sealer: PacketSealer | undefined
  #plan: SrtpPlan | undefined
  /** Packets of media in a row that did not fit. */
  #run = 0

  constructor(options: {
    readonly tally: RefusalTally
    readonly plan: SrtpPlan | undefined
    /** Packets of a key that is past its lifetime are opened all the same. */
    readonly takesExpiredKeys?: boolean | undefined
  }) {
    this.#tally = options.tally
    this.#takesExpiredKeys = options.takesExpiredKeys ?? false
    this.agree(options.plan)
  }

  /** Goes on for another stream on the same sockets, with all that is known of the peer and of our own numbers. */
  handOver(tally: RefusalTally, plan: SrtpPlan | undefined): void {
    this.#tally = tally
    this.#run = 0
    this.agree(plan)
  }

  /** Takes the keys of a description; undefined where packets go in the clear. */
  agree(plan: SrtpPlan | undefined): void {
    if (JSON.stringify(plan?.send) !== JSON.stringify(this.#plan?.send)) {
      this.#sealer = plan && new PacketSealer(plan.send)
    }
    this.#opener.agree(plan?.receive)
    this.#plan = plan
  }

  /** Whether what comes is protected by a key that has not been told yet. */
  get awaitsKey(): boolean {
    return this.#plan !== undefined && !this.#opener.hasKeys
  }

  /** The packet in the clear, in place; undefined where it is kept out. */
  openRtp(datagram: Uint8Array, nowMs: number): Uint8Array | undefined {
    if (this.#plan === undefined) return datagram
    const opened = this.#opener.openRtp(datagram, nowMs)
    if (typeof opened === 'string') {
      this.#refuse(opened)
      if (opened === 'unauthenticated' && this.#opener.hasKeys) this.#countRun()
      return undefined
    }
    this.#run = 0
    return this.#ofValidKey(opened)
  }

  openRtcp(datagram: Uint8Array): Uint8Array | undefined {
    if (this.#plan === undefined) return datagram
    const opened = this.#opener.openRtcp(datagram)
    if (typeof opened !== 'string') return this.#ofValidKey(opened)
    this.#refuse(opened)
    return undefined
  }

  /** What is sent for the packet; undefined where it must not go. */
  sealRtp(packet: Uint8Array): Uint8Array | undefined {
    return this.#sealer === undefined ? packet : this.#sealer.sealRtp(packet)
  }

  sealRtcp(packet: Uint8Array): Uint8Array | undefined {
    return this.#sealer === undefined ? packet : this.#sealer.sealRtcp(packet)
  }

  /** An opened packet, unless its key has protected more than it may. */
  #ofValidKey(opened: Uint8Array): Uint8Array | undefined {
    if (!this.#opener.isBeyondLifetime) return opened
    this.#tally[this.#takesExpiredKeys ? 'keyOutlived' : 'keyExpired']++
    return this.#takesExpiredKeys ? opened : undefined
  }

  #refuse(refusal: Refusal): void {
    this.#tally[refusal === 'malformed' ? 'notRtp' : refusal]++
  }

  #countRun(): void {
    this.#run++
    const tally = this.#tally
    if (this.#run > tally.longestUnauthenticatedRun) tally.longestUnauthenticatedRun = this.#run
  }
}
