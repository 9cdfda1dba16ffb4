import { Counter, Gauge, type Registry } from 'prom-client'
import type { SipServerCounters } from './sip-server/counters.ts'

/** What the embedded SIP server counts of its connections over TCP and TLS, and of its certificates. */
export function registerConnectionMetrics(
  registry: Registry,
  read: () => SipServerCounters | undefined,
): void {
  const registers = [registry]
  new Counter({
    name: 'tallenne_sip_connections_total',
    help: 'Connections of the embedded SIP server, by transport and who opened them.',
    labelNames: ['transport', 'direction'],
    registers,
    collect() {
      this.reset()
      for (const [transport, tally] of Object.entries(read()?.connectionsOpened ?? {})) {
        for (const [direction, count] of Object.entries(tally)) {
          this.inc({ transport, direction }, count)
        }
      }
    },
  })
  new Counter({
    name: 'tallenne_sip_connections_cut_total',
    help: 'Connections that the embedded SIP server ended or did not let in, by transport and reason.',
    labelNames: ['transport', 'reason'],
    registers,
    collect() {
      this.reset()
      for (const [transport, tally] of Object.entries(read()?.connectionsCut ?? {})) {
        for (const [reason, count] of Object.entries(tally)) this.inc({ transport, reason }, count)
      }
    },
  })
  new Gauge({
    name: 'tallenne_sip_certificate_expiry_timestamp_seconds',
    help: 'When the certificate of each TLS address expires, seconds since 1970.',
    labelNames: ['address'],
    registers,
    collect() {
      for (const [index, { expiresAtMs }] of (read()?.certificates ?? []).entries()) {
        if (expiresAtMs !== undefined) this.set({ address: String(index) }, expiresAtMs / 1000)
      }
    },
  })
  new Counter({
    name: 'tallenne_sip_certificate_reloads_total',
    help: 'Changed TLS files that were taken into use, or made no whole.',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset()
      for (const { reloads, failedReloads } of read()?.certificates ?? []) {
        this.inc({ result: 'done' }, reloads)
        this.inc({ result: 'failed' }, failedReloads)
      }
    },
  })
}
