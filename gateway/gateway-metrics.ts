import { Counter, Gauge, type Registry } from 'prom-client'
import type { Config } from '../config/config.ts'
import { serviceLinesOf } from '../config/service-lines.ts'
import type { EngineReport } from '../recorder/engine-protocol.ts'
import { CallMetrics, type KnownLabels } from './call-metrics.ts'
import { type JournalGauges, registerJournalMetrics } from './journal-metrics.ts'
import { MediaMetrics } from './media-metrics.ts'
import type { SipServerCounters } from './sip-server/counters.ts'
import { registerSipServerMetrics } from './sip-server-metrics.ts'
import { UNNAMED } from './siprec/peer-planes.ts'
import { sourceOf } from './trunk/call-source.ts'

/** What is asked at each scrape. */
export interface GatewayGauges extends JournalGauges {
  liveCalls(): { readonly siprec: number; readonly trunk: number }
  engines(): { readonly running: number; readonly wanted: number }
  engineReports(): readonly EngineReport[]
  sipConnections(): readonly { readonly server: string; readonly isConnected: boolean }[]
  /** Counters of the embedded SIP server; undefined with drachtio. */
  sipServer(): SipServerCounters | undefined
}

/**
 * The gateway's metrics; docs/metrics.md describes each. Labels are words of ours or of the configuration: no number,
 * address or id.
 */
export class GatewayMetrics {
  readonly calls: CallMetrics
  readonly media: MediaMetrics
  readonly #engineDeaths: Counter

  constructor(registry: Registry, gauges: GatewayGauges, known: KnownLabels) {
    this.calls = new CallMetrics(registry, known)
    this.media = new MediaMetrics(registry)
    this.#engineDeaths = new Counter({
      name: 'tallenne_engine_deaths_total',
      help: 'Engine threads that died and were replaced.',
      registers: [registry],
    })
    registerGauges(registry, gauges)
  }

  engineDied(): void {
    this.#engineDeaths.inc()
  }
}

/** The metrics of a gateway, which knows its peers and service lines by the configuration. */
export function createGatewayMetrics(
  registry: Registry,
  config: Pick<Config, 'siprec' | 'trunk' | 'serviceLines' | 'catchAll'>,
  gauges: GatewayGauges,
): GatewayMetrics {
  const { siprec, trunk } = config
  return new GatewayMetrics(registry, gauges, {
    sources: [
      UNNAMED,
      ...siprec.peers.map(({ name, media }) => ({ ...UNNAMED, peer: name, plane: media })),
      ...trunk.routes.map(sourceOf),
    ],
    serviceLines: serviceLinesOf(config).map(({ name }) => name),
  })
}

function registerGauges(registry: Registry, gauges: GatewayGauges): void {
  const registers = [registry]
  const simple: readonly (readonly [name: string, help: string, read: () => number])[] = [
    ['tallenne_engines', 'Engine threads that run.', () => gauges.engines().running],
    ['tallenne_engines_wanted', 'Engine threads that should run.', () => gauges.engines().wanted],
    ['tallenne_live_recordings', 'Open recordings.', () => sum(gauges, (r) => r.recordings)],
    [
      'tallenne_ports_free',
      'Pairs of ports (RTP and RTCP) that a call may have now.',
      () => sum(gauges, (r) => r.portsFree),
    ],
    [
      'tallenne_ports_in_use',
      'Pairs of ports (RTP and RTCP) that calls have now.',
      () => sum(gauges, (r) => r.portsInUse),
    ],
    [
      'tallenne_ports_resting',
      'Pairs of ports (RTP and RTCP) that no call may have yet, since another had them a moment ago.',
      () => sum(gauges, (r) => r.portsResting),
    ],
    [
      'tallenne_decoder_processes',
      'Processes of ffmpeg that decode a stream now.',
      () => sum(gauges, (r) => r.decoders),
    ],
    [
      'tallenne_engine_lag_seconds',
      'How late the slowest engine was at worst in its last second.',
      () => Math.max(0, ...gauges.engineReports().map((report) => report.lagMs)) / 1000,
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
    name: 'tallenne_live_calls',
    help: 'Recording sessions (siprec) and trunk calls that are up or being set up.',
    labelNames: ['capture'],
    registers,
    collect() {
      for (const [capture, count] of Object.entries(gauges.liveCalls())) {
        this.set({ capture }, count)
      }
    },
  })
  new Gauge({
    name: 'tallenne_sip_connected',
    help: '1 where the gateway is connected to the SIP server.',
    labelNames: ['server'],
    registers,
    collect() {
      const isEmbedded = gauges.sipServer() !== undefined
      for (const { server, isConnected } of gauges.sipConnections()) {
        // The embedded server's port is another one after each start.
        this.set({ server: isEmbedded ? 'embedded' : server }, isConnected ? 1 : 0)
      }
    },
  })
  registerJournalMetrics(registry, gauges)
  registerSipServerMetrics(registry, () => gauges.sipServer())
}

function sum(gauges: GatewayGauges, read: (report: EngineReport) => number): number {
  return gauges.engineReports().reduce((total, report) => total + read(report), 0)
}
