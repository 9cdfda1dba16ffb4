import { Counter, Gauge, type Registry } from 'prom-client'
import { DATABASE_FAULTS } from '../storage/database-fault.ts'
import type { WatchedJournalState } from '../storage/journal-client.ts'

/** What is asked of the journal at each scrape. */
export interface JournalGauges {
  journal(): WatchedJournalState
  /** Entries that lie set aside now. */
  journalSetAside(): number
}

/** Metrics of the journal; docs/metrics.md describes each. */
export function registerJournalMetrics(registry: Registry, gauges: JournalGauges): void {
  const registers = [registry]
  const present: readonly (readonly [name: string, help: string, read: () => number])[] = [
    [
      'tallenne_journal_entries',
      'State changes that wait for the database.',
      () => gauges.journal().depth,
    ],
    [
      'tallenne_journal_age_seconds',
      'Age of the oldest state change that waits for the database.',
      () => gauges.journal().oldestAgeMs / 1000,
    ],
    [
      'tallenne_journal_unwritten',
      'State changes that the disk does not take.',
      () => gauges.journal().unwritten,
    ],
    [
      'tallenne_journal_hung',
      '1 where the disk of the journal does not answer, so that new calls are turned away.',
      () => (gauges.journal().isHung ? 1 : 0),
    ],
    [
      'tallenne_journal_set_aside',
      'State changes that lie set aside, those of earlier starts included.',
      () => gauges.journalSetAside(),
    ],
  ]
  for (const [name, help, read] of present) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }
  const counted: readonly (readonly [name: string, help: string, read: () => number])[] = [
    [
      'tallenne_journal_rejected_total',
      'State changes that were set aside as bad.',
      () => gauges.journal().rejected,
    ],
    [
      'tallenne_journal_refused_total',
      'State changes lost: no disk, no database, and no more memory for them.',
      () => gauges.journal().refused,
    ],
    [
      'tallenne_journal_deaths_total',
      'Threads of the journal that died and were replaced.',
      () => gauges.journal().deaths,
    ],
    [
      'tallenne_journal_damaged_segments_total',
      'Journal files found torn or unreadable.',
      () => gauges.journal().torn + gauges.journal().unreadable,
    ],
  ]
  for (const [name, help, read] of counted) {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  }
  new Gauge({
    name: 'tallenne_journal_blocked',
    help: '1 where the journal waits for the database, by what is wrong with it.',
    labelNames: ['fault'],
    registers,
    collect() {
      const now = gauges.journal().fault?.fault
      for (const fault of DATABASE_FAULTS) this.set({ fault }, fault === now ? 1 : 0)
    },
  })
}
