import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { EngineReport } from '../recorder/engine-protocol.ts'
import type { RecordingOutcome } from '../recorder/recording-plan.ts'
import { DATABASE_FAULTS } from '../storage/database-fault.ts'
import type { JournalState } from '../storage/journal-state.ts'
import type { CallEvents } from './calls/call-events.ts'
import type { SipServerCounters } from './sip-server/counters.ts'
import { registerSipServerMetrics } from './sip-server-metrics.ts'

/** What is asked at each scrape. */
export interface GatewayGauges {
  liveCalls(): number
  engines(): { readonly running: number; readonly wanted: number }
  engineReports(): readonly EngineReport[]
  journal(): JournalState
  /** Entries that lie set aside now. */
  journalSetAside(): number
  sipConnections(): readonly { readonly server: string; readonly isConnected: boolean }[]
  /** Counters of the embedded SIP server; undefined with drachtio. */
  sipServer(): SipServerCounters | undefined
}

/** Buckets around the promise of 5 ms idle and 50 ms at rated load. */
const SETUP_BUCKETS_S = [0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 4]

/**
 * The gateway's metrics; docs/metrics.md describes each. Labels are words of ours: no number, address or id.
 */
export class GatewayMetrics implements CallEvents {
  readonly #arrived: Counter
  readonly #unrouted: Counter
  readonly #ended: Counter<'reason'>
  readonly #verdicts: Counter<'verdict'>
  readonly #reasons: Counter<'reason'>
  readonly #setup: Histogram
  readonly #recordedSeconds: Counter
  readonly #recordedBytes: Counter
  readonly #lostSeconds: Counter
  readonly #media: Counter<'counter'>
  readonly #engineDeaths: Counter
  /** The last report of each engine, to add only what is new; totals begin again when an engine is replaced. */
  readonly #seen = new Map<number, Readonly<Record<string, number>>>()

  constructor(registry: Registry, gauges: GatewayGauges) {
    const registers = [registry]
    this.#arrived = new Counter({
      name: 'tallenne_calls_total',
      help: 'INVITEs of recording sessions that were taken up',
      registers,
    })
    this.#unrouted = new Counter({
      name: 'tallenne_invites_unrouted_total',
      help: 'INVITEs that were for nobody and were answered 404',
      registers,
    })
    this.#ended = new Counter({
      name: 'tallenne_calls_ended_total',
      help: 'Recording sessions that ended, by end reason',
      labelNames: ['reason'],
      registers,
    })
    this.#verdicts = new Counter({
      name: 'tallenne_recordings_total',
      help: 'Recordings that ended, by verdict',
      labelNames: ['verdict'],
      registers,
    })
    this.#reasons = new Counter({
      name: 'tallenne_recording_reasons_total',
      help: 'Reason codes of verdicts',
      labelNames: ['reason'],
      registers,
    })
    this.#setup = new Histogram({
      name: 'tallenne_invite_to_200_seconds',
      help: 'Time from an INVITE to its 200',
      buckets: SETUP_BUCKETS_S,
      registers,
    })
    this.#recordedSeconds = new Counter({
      name: 'tallenne_recorded_seconds_total',
      help: 'Length of ended recordings',
      registers,
    })
    this.#recordedBytes = new Counter({
      name: 'tallenne_recorded_bytes_total',
      help: 'Bytes of ended recordings',
      registers,
    })
    this.#lostSeconds = new Counter({
      name: 'tallenne_lost_seconds_total',
      help: 'Audio that was sent and never came, in ended recordings',
      registers,
    })
    this.#media = new Counter({
      name: 'tallenne_media_total',
      help: 'Counts of the engines, as packets by fate',
      labelNames: ['counter'],
      registers,
    })
    this.#engineDeaths = new Counter({
      name: 'tallenne_engine_deaths_total',
      help: 'Engine threads that died and were replaced',
      registers,
    })
    registerGauges(registry, gauges)
  }

  arrived(): void {
    this.#arrived.inc()
  }

  unrouted(): void {
    this.#unrouted.inc()
  }

  answered(setupMs: number): void {
    this.#setup.observe(setupMs / 1000)
  }

  ended(endReason: string): void {
    this.#ended.inc({ reason: endReason })
  }

  judged(outcome: RecordingOutcome): void {
    this.#verdicts.inc({ verdict: outcome.verdict })
    for (const reason of outcome.reasons) this.#reasons.inc({ reason })
    this.#recordedSeconds.inc(outcome.durationMs / 1000)
    this.#recordedBytes.inc(outcome.bytes)
    this.#lostSeconds.inc(outcome.lostMs / 1000)
  }

  engineDied(): void {
    this.#engineDeaths.inc()
  }

  /** Adds what an engine counted since its last report. */
  reported(engineIndex: number, report: EngineReport): void {
    const seen = this.#seen.get(engineIndex) ?? {}
    for (const [counter, total] of Object.entries(report.counters)) {
      const before = seen[counter] ?? 0
      this.#media.inc({ counter }, total >= before ? total - before : total)
    }
    this.#seen.set(engineIndex, report.counters)
  }
}

function registerGauges(registry: Registry, gauges: GatewayGauges): void {
  const registers = [registry]
  const simple: readonly (readonly [name: string, help: string, read: () => number])[] = [
    ['tallenne_live_calls', 'Recording sessions that are up', () => gauges.liveCalls()],
    ['tallenne_engines', 'Engine threads that run', () => gauges.engines().running],
    ['tallenne_engines_wanted', 'Engine threads that should run', () => gauges.engines().wanted],
    ['tallenne_live_recordings', 'Open recordings', () => sum(gauges, (r) => r.recordings)],
    ['tallenne_ports_free', 'RTP ports that are free', () => sum(gauges, (r) => r.portsFree)],
    [
      'tallenne_decoder_processes',
      'Decoder processes that run',
      () => sum(gauges, (r) => r.decoders),
    ],
    ['tallenne_ports_in_use', 'RTP ports in use', () => sum(gauges, (r) => r.portsInUse)],
    [
      'tallenne_engine_lag_seconds',
      'How late the slowest engine was at worst in its last second',
      () => Math.max(0, ...gauges.engineReports().map((report) => report.lagMs)) / 1000,
    ],
    [
      'tallenne_journal_entries',
      'State changes that wait for the database',
      () => gauges.journal().depth,
    ],
    [
      'tallenne_journal_age_seconds',
      'Age of the oldest state change that waits for the database',
      () => gauges.journal().oldestAgeMs / 1000,
    ],
    [
      'tallenne_journal_unwritten',
      'State changes that the disk does not take',
      () => gauges.journal().unwritten,
    ],
    [
      'tallenne_journal_rejected',
      'State changes that were set aside as bad since the start',
      () => gauges.journal().rejected,
    ],
    [
      'tallenne_journal_set_aside',
      'State changes that lie set aside, those of earlier starts included',
      () => gauges.journalSetAside(),
    ],
    [
      'tallenne_journal_refused',
      'State changes lost since the start: no disk, no database, and no more memory for them',
      () => gauges.journal().refused,
    ],
    [
      'tallenne_journal_damaged_segments',
      'Journal files found torn or unreadable since the start',
      () => gauges.journal().torn + gauges.journal().unreadable,
    ],
  ]
  for (const [name, help, read] of simple) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }
  new Gauge({
    name: 'tallenne_sip_connected',
    help: '1 where the gateway is connected to the SIP server',
    labelNames: ['server'],
    registers,
    collect() {
      for (const { server, isConnected } of gauges.sipConnections()) {
        this.set({ server }, isConnected ? 1 : 0)
      }
    },
  })
  new Gauge({
    name: 'tallenne_journal_blocked',
    help: '1 where the journal waits for the database, by what is wrong with it',
    labelNames: ['fault'],
    registers,
    collect() {
      const now = gauges.journal().fault?.fault
      for (const fault of DATABASE_FAULTS) this.set({ fault }, fault === now ? 1 : 0)
    },
  })
  registerSipServerMetrics(registry, () => gauges.sipServer())
}

function sum(gauges: GatewayGauges, read: (report: EngineReport) => number): number {
  return gauges.engineReports().reduce((total, report) => total + read(report), 0)
}
