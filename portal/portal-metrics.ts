import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** Why a recording that should have been served was not, or not as it was recorded. */
export const AUDIO_FAILURES = [
  'file_missing',
  'file_unreadable',
  'file_damaged',
  'size_differs',
  'identity_missing',
  'identity_wrong',
] as const

export type AudioFailure = (typeof AUDIO_FAILURES)[number]

/** What the portal counts. No label holds anything of a request but its route. */
export class PortalMetrics {
  readonly requests: Counter<'route' | 'status_class'>
  readonly requestSeconds: Histogram<'route'>
  readonly sentBytes: Counter<'route'>
  readonly audioFailures: Counter<'reason'>
  readonly transcodes: Counter<'format' | 'outcome'>
  readonly transcodesRunning: Gauge

  constructor(registry: Registry) {
    const registers = [registry]
    this.requests = new Counter({
      name: 'tallenne_portal_requests_total',
      help: 'Requests answered, by route pattern and class of status.',
      labelNames: ['route', 'status_class'],
      registers,
    })
    this.requestSeconds = new Histogram({
      name: 'tallenne_portal_request_seconds',
      help: 'Time from a request to the end of its answer.',
      labelNames: ['route'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
      registers,
    })
    this.sentBytes = new Counter({
      name: 'tallenne_portal_sent_bytes_total',
      help: 'Bytes of answers handed to the network, headers included.',
      labelNames: ['route'],
      registers,
    })
    this.audioFailures = new Counter({
      name: 'tallenne_portal_audio_failures_total',
      help: 'Recordings that should have been served and could not be, or not as they were recorded.',
      labelNames: ['reason'],
      registers,
    })
    // An increase is seen only of what was there before.
    for (const reason of AUDIO_FAILURES) this.audioFailures.inc({ reason }, 0)
    this.transcodes = new Counter({
      name: 'tallenne_portal_transcodes_total',
      help: 'Recordings made into another format, by how that ended.',
      labelNames: ['format', 'outcome'],
      registers,
    })
    this.transcodesRunning = new Gauge({
      name: 'tallenne_portal_transcodes_running',
      help: 'Recordings being made into another format now.',
      registers,
    })
  }
}
