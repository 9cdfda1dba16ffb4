import { Counter, type Registry } from 'prom-client'
import type { PauseCause } from '../../recorder/recording-plan.ts'
import type { ControlEvents } from './call-control.ts'

/** Metrics of what is ordered of recordings; docs/metrics.md describes each. */
export class ControlMetrics implements ControlEvents {
  readonly #paused: Counter<'by'>
  readonly #overdue: Counter
  readonly #stopped: Counter

  constructor(registry: Registry) {
    const registers = [registry]
    this.#paused = new Counter({
      name: 'tallenne_pauses_total',
      help: 'Pauses of recordings, by what began them.',
      labelNames: ['by'],
      registers,
    })
    this.#overdue = new Counter({
      name: 'tallenne_pauses_overdue_total',
      help: 'Pauses that lasted longer than their service line lets one: perhaps forgotten, and the call is hidden.',
      registers,
    })
    this.#stopped = new Counter({
      name: 'tallenne_recordings_stopped_total',
      help: 'Recordings that were ended before their calls.',
      registers,
    })
  }

  paused(by: PauseCause['by']): void {
    this.#paused.inc({ by })
  }

  pauseOverdue(): void {
    this.#overdue.inc()
  }

  stopped(): void {
    this.#stopped.inc()
  }
}
