import { Counter, type Registry } from 'prom-client'

/** Counts the deaths of the threads that work on disks, by what the disk holds; docs/metrics.md describes it. */
export function registerDiskDeaths(
  registry: Registry,
  deaths: () => Readonly<Record<string, number>>,
): void {
  new Counter({
    name: 'tallenne_disk_thread_deaths_total',
    help: 'Threads that worked on the disk of open recordings (spool) or of ended ones (store), died and were replaced.',
    labelNames: ['disk'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [disk, count] of Object.entries(deaths())) this.inc({ disk }, count)
    },
  })
}
