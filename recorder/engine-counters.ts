import type { FilterCounters } from './decoding/filter-processes.ts'
import type { ForkCounters } from './fork-server.ts'
import type { StreamCounters } from './recording-plan.ts'

/** The stream counters that can be summed, and what they are called in reports. */
const STREAM_COUNTERS = {
  placed: 'packets_placed',
  late: 'packets_late',
  duplicate: 'packets_duplicate',
  events: 'packets_event',
  comfortNoise: 'packets_comfort_noise',
  keepAlive: 'packets_keep_alive',
  stun: 'packets_stun',
  zrtp: 'packets_zrtp',
  dtls: 'packets_dtls',
  rtcp: 'packets_rtcp',
  dropped: 'packets_dropped',
  droppedControl: 'packets_dropped_control',
  wrongSource: 'packets_wrong_source',
  wrongPayloadType: 'packets_wrong_payload_type',
  notRtp: 'packets_not_rtp',
  whileInactive: 'packets_while_inactive',
  unauthenticated: 'packets_unauthenticated',
  replayed: 'packets_replayed',
  keyExpired: 'packets_key_expired',
  keyOutlived: 'packets_key_outlived',
  unrecordable: 'packets_unrecordable',
  undecodable: 'packets_undecodable',
  repaired: 'packets_repaired',
  lostPackets: 'packets_lost',
  concealedMs: 'concealed_ms',
  ssrcChanges: 'ssrc_changes',
  reanchored: 'reanchored',
  relayed: 'packets_relayed',
  unrelayed: 'packets_unrelayed',
} as const satisfies Partial<Record<keyof StreamCounters, string>>

/** Totals since the engine's start: recordings that ended are added here, those that live are added when asked. */
export class EngineCounters {
  readonly #totals = new Map<string, number>()

  add(name: string, count = 1): void {
    this.#totals.set(name, (this.#totals.get(name) ?? 0) + count)
  }

  /** Adds the final counters of a recording's streams. */
  addStreams(streams: readonly StreamCounters[]): void {
    for (const [name, count] of sums(streams)) this.add(name, count)
  }

  /** All totals, with those of living streams. */
  totals(living: readonly StreamCounters[]): Readonly<Record<string, number>> {
    const all = new Map(this.#totals)
    for (const [name, count] of sums(living)) all.set(name, (all.get(name) ?? 0) + count)
    return Object.fromEntries(all)
  }
}

function sums(streams: readonly StreamCounters[]): readonly (readonly [string, number])[] {
  return keysOf(STREAM_COUNTERS).map((key) => [
    STREAM_COUNTERS[key],
    streams.reduce((sum, stream) => sum + stream[key], 0),
  ])
}

function keysOf<Key extends string>(record: Readonly<Record<Key, unknown>>): readonly Key[] {
  return Object.keys(record) as Key[]
}

/** What forks count, by its names in reports; nothing where the engine takes none. */
export function forkTotals(forks: ForkCounters | undefined): Readonly<Record<string, number>> {
  if (forks === undefined) return {}
  return {
    forks_accepted: forks.accepted,
    forks_refused: forks.refused,
    forks_slow: forks.slow,
    forks_crowded: forks.crowded,
    forks_oversize: forks.oversize,
    forks_malformed: forks.malformed,
    forks_idle: forks.idle,
    fork_texts: forks.text,
  }
}

/** What decoder processes count, by its names in reports. */
export function decoderTotals(decoders: FilterCounters): Readonly<Record<string, number>> {
  return {
    decoders_started: decoders.started,
    decoders_died: decoders.died,
    decoders_restarted: decoders.restarted,
    decoders_refused: decoders.refused,
  }
}
