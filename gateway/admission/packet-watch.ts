import type { Clock } from '../../base/clock.ts'
import type { EngineReport } from '../../recorder/engine-protocol.ts'

interface Totals {
  readonly received: number
  readonly dropped: number
}

const NOTHING: Totals = { received: 0, dropped: 0 }
/** So many of all packets of a second, and so many at least, say that engines do not read in time. */
const MOST_DROPPED = 0.002
const FEW = 10
/** For so long afterwards no call is added. */
const REST_MS = 10_000

/** Knows whether the kernel throws packets away, of all that the engines were sent. */
export class PacketWatch {
  readonly #clock: Clock
  /** By engine. */
  readonly #seen = new Map<number, Totals>()
  #droppedAtMs = Number.NEGATIVE_INFINITY
  #dropped = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Takes an engine's newest totals. */
  reported(engineIndex: number, { counters }: EngineReport): void {
    const totals = {
      received: counters['packets_placed'] ?? 0,
      dropped: counters['packets_dropped'] ?? 0,
    }
    const seen = this.#seen.get(engineIndex) ?? NOTHING
    // An engine that was replaced counts anew.
    const before = totals.received < seen.received ? NOTHING : seen
    this.#seen.set(engineIndex, totals)
    const dropped = totals.dropped - before.dropped
    const received = totals.received - before.received
    if (dropped < Math.max(FEW, MOST_DROPPED * (received + dropped))) return
    this.#droppedAtMs = this.#clock.monotonicMs()
    this.#dropped = dropped
  }

  get free(): number {
    const restedMs = this.#clock.monotonicMs() - this.#droppedAtMs
    return Math.min(1, restedMs / REST_MS)
  }

  get obstacle(): string | undefined {
    if (this.free >= 1) return undefined
    return `the kernel dropped ${this.#dropped} packets of an engine’s within a second`
  }
}
