import { Counter, Gauge, type Registry } from 'prom-client'
import type { ForkEvents } from './endpoint-fork.ts'
import type { FreeswitchPool } from './freeswitch-pool.ts'

const FORK_FAILURES = ['fork_refused', 'fork_failed', 'media_timeout', 'fork_lost', 'fork_overrun']

/** Metrics of the FreeSWITCH servers and their forks; docs/metrics.md describes each. */
export class FreeswitchMetrics implements ForkEvents {
  readonly #failures: Counter<'code'>
  readonly #retries: Counter

  constructor(registry: Registry, servers: () => FreeswitchPool['servers']) {
    const registers = [registry]
    this.#failures = new Counter({
      name: 'tallenne_fork_failures_total',
      help: 'Forks of FreeSWITCH that did not come, ended by themselves or lost audio, by code.',
      labelNames: ['code'],
      registers,
    })
    this.#retries = new Counter({
      name: 'tallenne_fork_retries_total',
      help: 'Forks of FreeSWITCH that were made anew after they had ended by themselves.',
      registers,
    })
    // An increase is seen only of what was there before.
    for (const code of FORK_FAILURES) this.#failures.inc({ code }, 0)
    new Gauge({
      name: 'tallenne_freeswitch_up',
      help: '1 where the FreeSWITCH server is connected and answers.',
      labelNames: ['server'],
      registers,
      collect() {
        for (const { address, state } of servers()) {
          this.set({ server: address.name }, state === 'up' ? 1 : 0)
        }
      },
    })
    new Gauge({
      name: 'tallenne_freeswitch_draining',
      help: '1 where the FreeSWITCH server takes no new calls, since it was told so.',
      labelNames: ['server'],
      registers,
      collect() {
        for (const { address, isDraining } of servers()) {
          this.set({ server: address.name }, isDraining ? 1 : 0)
        }
      },
    })
    new Gauge({
      name: 'tallenne_freeswitch_endpoints',
      help: 'Endpoints of this node on the FreeSWITCH server, two for a call.',
      labelNames: ['server'],
      registers,
      collect() {
        for (const { address, endpoints } of servers()) {
          this.set({ server: address.name }, endpoints)
        }
      },
    })
  }

  forkFailed(code: string): void {
    this.#failures.inc({ code })
  }

  forkRetried(): void {
    this.#retries.inc()
  }
}
