import { Counter, Gauge, type Registry } from 'prom-client'

/** A target as metrics name it: its route and its place there, since an address is no label. */
export interface JudgedTarget {
  readonly route: string
  readonly index: number
  readonly isUp: boolean
}

/** What metrics hear of trunk calls beside what all calls tell. */
export interface TrunkEvents {
  /** A call goes on, or began, without being recorded. */
  unrecorded(code: string): void
  /** A file that the caller was to hear was not played. */
  announcementFailed(route: string): void
  /** A target did not take a call that it was offered. */
  targetFailed(route: string): void
}

const WATCHED_CODES = ['codec', 'disk_full', 'write_failed', 'engine_failed', 'engine_overload']

/** Metrics of trunk calls; docs/metrics.md describes each. */
export class TrunkMetrics implements TrunkEvents {
  readonly #unrecorded: Counter<'code'>
  readonly #targetFailures: Counter<'route'>
  readonly #announcementFailures: Counter<'route'>

  constructor(registry: Registry, judgements: () => readonly JudgedTarget[]) {
    const registers = [registry]
    this.#unrecorded = new Counter({
      name: 'tallenne_trunk_unrecorded_total',
      help: 'Trunk calls that went on without being recorded, by code.',
      labelNames: ['code'],
      registers,
    })
    this.#targetFailures = new Counter({
      name: 'tallenne_trunk_target_failures_total',
      help: 'Targets that did not take a call, by route.',
      labelNames: ['route'],
      registers,
    })
    this.#announcementFailures = new Counter({
      name: 'tallenne_trunk_announcements_failed_total',
      help: 'Files of announcements that were not played, by route.',
      labelNames: ['route'],
      registers,
    })
    // An increase is seen only of what was there before.
    for (const code of WATCHED_CODES) this.#unrecorded.inc({ code }, 0)
    const watched = (route: string) => {
      this.#targetFailures.inc({ route }, 0)
      this.#announcementFailures.inc({ route }, 0)
    }
    new Gauge({
      name: 'tallenne_trunk_target_up',
      help: '1 where a target answers, by its route and its place there, from 0 on.',
      labelNames: ['route', 'target'],
      registers,
      collect() {
        for (const { route, index, isUp } of judgements()) {
          watched(route)
          this.set({ route, target: String(index) }, isUp ? 1 : 0)
        }
      },
    })
  }

  unrecorded(code: string): void {
    this.#unrecorded.inc({ code })
  }

  announcementFailed(route: string): void {
    this.#announcementFailures.inc({ route })
  }

  targetFailed(route: string): void {
    this.#targetFailures.inc({ route })
  }
}
