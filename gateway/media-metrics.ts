import { Counter, type Registry } from 'prom-client'
import type { EngineReport } from '../recorder/engine-protocol.ts'

type Tally = Readonly<Record<string, number>>

const FATE = /^packets_(.+)$/

/**
 * What the engines count; docs/metrics.md describes each. Their names of counters are words of ours, so they may be
 * labels.
 */
export class MediaMetrics {
  readonly #packets: Counter<'fate'>
  readonly #lost: Counter
  readonly #repaired: Counter
  readonly #relayed: Counter<'outcome'>
  readonly #concealed: Counter
  readonly #events: Counter<'event'>
  /** Counters that have a metric of their own. */
  readonly #own: Readonly<Record<string, (count: number) => void>>
  /** The last report of each engine, to add only what is new; totals begin again when an engine is replaced. */
  readonly #seen = new Map<number, Tally>()

  constructor(registry: Registry) {
    const registers = [registry]
    this.#packets = new Counter({
      name: 'tallenne_rtp_packets_total',
      help: 'Packets that reached the engines’ sockets, each by what became of it.',
      labelNames: ['fate'],
      registers,
    })
    this.#lost = new Counter({
      name: 'tallenne_rtp_lost_packets_total',
      help: 'Packets of RTP that were sent, by their numbers, and never came.',
      registers,
    })
    this.#repaired = new Counter({
      name: 'tallenne_rtp_repaired_packets_total',
      help: 'Lost packets whose audio came once more in another (RFC 2198).',
      registers,
    })
    this.#relayed = new Counter({
      name: 'tallenne_rtp_relayed_packets_total',
      help: 'Packets of calls that pass through: sent on to the other party, or not for want of an address.',
      labelNames: ['outcome'],
      registers,
    })
    this.#concealed = new Counter({
      name: 'tallenne_concealed_seconds_total',
      help: 'Silence that stands for packets which did not come, summed over legs.',
      registers,
    })
    this.#events = new Counter({
      name: 'tallenne_engine_events_total',
      help: 'What else the engines count: changes of SSRC, jumps of timestamps, wants of decoders and their like.',
      labelNames: ['event'],
      registers,
    })
    this.#own = {
      packets_lost: (count) => this.#lost.inc(count),
      packets_repaired: (count) => this.#repaired.inc(count),
      packets_relayed: (count) => this.#relayed.inc({ outcome: 'sent' }, count),
      packets_unrelayed: (count) => this.#relayed.inc({ outcome: 'unsent' }, count),
      packets_key_outlived: (count) => this.#events.inc({ event: 'packets_key_outlived' }, count),
      concealed_ms: (count) => this.#concealed.inc(count / 1000),
    }
  }

  /** Adds what an engine counted since its last report. */
  reported(engineIndex: number, { counters }: Pick<EngineReport, 'counters'>): void {
    const seen = this.#seen.get(engineIndex) ?? {}
    for (const [counter, total] of Object.entries(counters)) {
      const before = seen[counter] ?? 0
      this.#add(counter, total >= before ? total - before : total)
    }
    this.#seen.set(engineIndex, counters)
  }

  #add(counter: string, count: number): void {
    const own = this.#own[counter]
    const fate = FATE.exec(counter)?.[1]
    if (own !== undefined) own(count)
    else if (fate !== undefined) this.#packets.inc({ fate }, count)
    else this.#events.inc({ event: counter }, count)
  }
}
