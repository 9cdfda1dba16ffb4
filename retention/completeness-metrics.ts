import { Gauge, type Registry } from 'prom-client'
import type { PlatformCounts } from '../storage/completeness/count-platform-calls.ts'
import type { DiscrepancyKind } from '../storage/completeness/discrepancies.ts'
import type { CompletenessCounts } from '../storage/completeness/read-completeness.ts'

/** What operations watch of whether every call is accounted for. */
export class CompletenessMetrics {
  readonly #calls
  readonly #discrepancies
  readonly #listed

  constructor(registry: Registry) {
    const registers = [registry]
    this.#calls = new Gauge({
      name: 'tallenne_completeness_calls',
      help: 'Calls that began in the last 24 hours, by what became of them.',
      labelNames: ['outcome'] as const,
      registers,
    })
    this.#discrepancies = new Gauge({
      name: 'tallenne_discrepancies',
      help: 'Calls, rows and files that do not agree now, by kind.',
      labelNames: ['kind'] as const,
      registers,
    })
    this.#listed = new Gauge({
      name: 'tallenne_completeness_listed_calls',
      help: 'Calls of the last 7 days that the platform lists, by whether they came here.',
      labelNames: ['result'] as const,
      registers,
    })
  }

  counted({ outcomes }: CompletenessCounts): void {
    for (const [outcome, calls] of Object.entries(outcomes)) this.#calls.set({ outcome }, calls)
  }

  disagree(counts: Readonly<Record<DiscrepancyKind, number>>): void {
    for (const [kind, count] of Object.entries(counts)) this.#discrepancies.set({ kind }, count)
  }

  listed({ matched, missing, notSent }: PlatformCounts): void {
    this.#listed.set({ result: 'matched' }, matched)
    this.#listed.set({ result: 'missing' }, missing)
    this.#listed.set({ result: 'not_sent' }, notSent)
  }
}
