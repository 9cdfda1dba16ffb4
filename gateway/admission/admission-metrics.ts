import { Counter, Gauge, type Registry } from 'prom-client'
import type { EngineReport } from '../../recorder/engine-protocol.ts'
import { DISK_STATES, type DiskWatch } from '../../storage/disk/disk-watch.ts'
import type { Headroom, Resource, Turned } from './admission.ts'
import type { SignallingWatch } from './signalling-watch.ts'

/** What is asked at each scrape. */
export interface MeasuredAdmission {
  readonly headroom: () => readonly Headroom[]
  readonly engineReports: () => readonly EngineReport[]
  readonly signalling: () => SignallingWatch
  readonly disks: () => readonly DiskWatch[]
  /** Ended recordings that wait in the spool for the store. */
  readonly unstored: () => number
}

/** Metrics of what a node has room for; docs/metrics.md describes each. */
export class AdmissionMetrics {
  readonly #turned: Counter<'resource' | 'became'>

  constructor(registry: Registry, measured: MeasuredAdmission) {
    const registers = [registry]
    this.#turned = new Counter({
      name: 'tallenne_admission_turned_total',
      help: 'Calls that met a want of a resource, refused with 503 or passed on unrecorded by their route’s rule.',
      labelNames: ['resource', 'became'],
      registers,
    })
    registerRoom(registry, measured)
    registerDisks(registry, measured)
  }

  turned(resource: Resource, became: Turned): void {
    this.#turned.inc({ resource, became })
  }
}

function registerRoom(registry: Registry, measured: MeasuredAdmission): void {
  const registers = [registry]
  new Gauge({
    name: 'tallenne_headroom_ratio',
    help: 'The part of a resource that is free for calls, 1 to 0.',
    labelNames: ['resource'],
    registers,
    collect() {
      for (const { resource, free } of measured.headroom()) this.set({ resource }, free())
    },
  })
  new Gauge({
    name: 'tallenne_admission_open',
    help: '1 where a new call would be taken and recorded.',
    registers,
    collect() {
      const closing = measured.headroom().filter(({ kind }) => kind !== 'certainty')
      this.set(closing.every(({ obstacle }) => obstacle() === undefined) ? 1 : 0)
    },
  })
  new Gauge({
    name: 'tallenne_signalling_load_ratio',
    help: 'The part of the last quarter of a second in which the thread of signalling was busy.',
    registers,
    collect() {
      this.set(measured.signalling().load)
    },
  })
  new Gauge({
    name: 'tallenne_engine_load_ratio',
    help: 'The part of the last second in which the busiest engine was busy.',
    registers,
    collect() {
      const reports = measured.engineReports()
      if (reports.length > 0) this.set(Math.max(...reports.map(({ load }) => load)))
    },
  })
  new Gauge({
    name: 'tallenne_engine_complexity',
    help: 'The least Opus complexity that an engine encodes with now; below the configured one an engine falls behind.',
    registers,
    collect() {
      const reports = measured.engineReports()
      // Without a report none is known, and a gauge that says 0 would be an alarm.
      if (reports.length === 0) this.remove()
      else this.set(Math.min(...reports.map(({ complexity }) => complexity)))
    },
  })
}

function registerDisks(registry: Registry, measured: MeasuredAdmission): void {
  const registers = [registry]
  const simple: readonly (readonly [string, string, (disk: DiskWatch) => number])[] = [
    [
      'tallenne_disk_free_bytes',
      'Bytes that may still be written to the disk of open recordings (spool) or of ended ones (store).',
      ({ room }) => room?.freeBytes ?? 0,
    ],
    [
      'tallenne_disk_size_bytes',
      'Bytes that the file system of spool or store holds when it is full.',
      ({ room }) => room?.totalBytes ?? 0,
    ],
    [
      'tallenne_disk_free_files',
      'Files that may still be made; 0 where none are counted.',
      ({ room }) => room?.freeFiles ?? 0,
    ],
    [
      'tallenne_disk_answer_seconds',
      'How long the newest look at the disk took, or has taken.',
      ({ tookMs }) => tookMs / 1000,
    ],
  ]
  for (const [name, help, read] of simple) {
    new Gauge({
      name,
      help,
      labelNames: ['disk'],
      registers,
      collect() {
        for (const disk of measured.disks()) this.set({ disk: disk.name }, read(disk))
      },
    })
  }
  new Gauge({
    name: 'tallenne_disk_state',
    help: '1 for the state that the disk of spool or store is in, 0 for the others.',
    labelNames: ['disk', 'state'],
    registers,
    collect() {
      for (const disk of measured.disks()) {
        const now = disk.state
        for (const state of DISK_STATES) this.set({ disk: disk.name, state }, state === now ? 1 : 0)
      }
    },
  })
  new Gauge({
    name: 'tallenne_recordings_unstored',
    help: 'Ended recordings that wait in the spool for the store.',
    registers,
    collect() {
      this.set(measured.unstored())
    },
  })
}
