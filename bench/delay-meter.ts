import { percentile } from './machine-noise.ts'
import type { PacketIndex } from './packet-index.ts'

/** What became of packets on their way from party to party, in both directions. */
export interface DelayFigures {
  /** Packets that can be told apart; no others count. */
  readonly sent: number
  readonly lost: number
  /** From just before the send to the event that tells of the packet, milliseconds. */
  readonly delayMs: { readonly p50: number; readonly p99: number; readonly max: number }
}

/** Gathers what the meters of all directions see. */
export class DelayTally {
  /** While it is open packets that are sent count; those on their way at its end are awaited. */
  isOpen = true
  readonly #delaysMs: number[] = []
  #sent = 0

  sent(): void {
    this.#sent++
  }

  received(delayMs: number): void {
    this.#delaysMs.push(delayMs)
  }

  get figures(): DelayFigures {
    const delays = this.#delaysMs
    return {
      sent: this.#sent,
      lost: this.#sent - delays.length,
      delayMs: {
        p50: percentile(delays, 0.5),
        p99: percentile(delays, 0.99),
        max: percentile(delays, 1),
      },
    }
  }
}

/** One direction of one call: remembers when each packet went, until it has come. */
export class DelayMeter {
  readonly #index: PacketIndex
  readonly #tally: DelayTally
  readonly #sentAtMs = new Map<number, number>()

  constructor(index: PacketIndex, tally: DelayTally) {
    this.#index = index
    this.#tally = tally
  }

  /** `place` is the packet's in the audio, counted in packets. */
  sent(place: number, atMs: number): void {
    if (!this.#tally.isOpen || !this.#index.has(place)) return
    this.#sentAtMs.set(place, atMs)
    this.#tally.sent()
  }

  received(datagram: Uint8Array, atMs: number): void {
    const place = this.#index.placeOf(datagram)
    if (place === undefined) return
    const sentAtMs = this.#sentAtMs.get(place)
    // Heard twice, or sent before the count began.
    if (sentAtMs === undefined) return
    this.#sentAtMs.delete(place)
    this.#tally.received(atMs - sentAtMs)
  }
}
