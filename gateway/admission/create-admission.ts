import type { Registry } from 'prom-client'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Config } from '../../config/config.ts'
import type { EngineReport } from '../../recorder/engine-protocol.ts'
import { registerDiskDeaths } from '../../storage/disk/disk-metrics.ts'
import type { JournalClient } from '../../storage/journal-client.ts'
import type { LateMoves } from '../calls/late-moves.ts'
import type { EnginePool } from '../media/engine-pool.ts'
import type { NodeDisks } from '../node-disks.ts'
import { Admission, type CallAdmission } from './admission.ts'
import { AdmissionMetrics } from './admission-metrics.ts'
import { nodeHeadroom } from './node-headroom.ts'
import { PacketWatch } from './packet-watch.ts'
import { SignallingWatch } from './signalling-watch.ts'

/** A node's admission of calls, and what measures for it. */
export interface NodeAdmission {
  readonly calls: CallAdmission
  /** Takes an engine's newest figures. */
  reported(engineIndex: number, report: EngineReport): void
  start(): void
  close(): void
}

/** Puts together what measures a node's headroom and judges calls by it. */
export function createAdmission(node: {
  readonly config: Pick<Config, 'admission'>
  readonly registry: Registry
  readonly engines: EnginePool
  readonly disks: NodeDisks
  readonly files: LateMoves
  readonly journal: JournalClient
  readonly clock: Clock
  readonly log: Log
}): NodeAdmission {
  const { config, registry, engines, disks, files, journal, clock, log } = node
  const { mostSignallingLoad: mostLoad, retryAfterS } = config.admission
  const signalling = new SignallingWatch({ clock, mostLoad })
  const packets = new PacketWatch(clock)
  const metrics = new AdmissionMetrics(registry, {
    headroom: () => calls.headroom,
    engineReports: () => engines.reports,
    signalling: () => signalling,
    disks: () => [disks.spool, disks.store],
    unstored: () => files.count,
  })
  registerDiskDeaths(registry, () => disks.threadDeaths)
  const calls: Admission = new Admission({
    headroom: nodeHeadroom({
      engines,
      signalling,
      packets,
      spool: disks.spool,
      journal: () => journal.state,
    }),
    retryAfterS,
    clock,
    log,
    onTurned: (resource, became) => metrics.turned(resource, became),
  })
  return {
    calls,
    reported: (engineIndex, report) => packets.reported(engineIndex, report),
    start: () => {
      signalling.start()
      calls.start()
    },
    close: () => {
      signalling.close()
      calls.close()
    },
  }
}
