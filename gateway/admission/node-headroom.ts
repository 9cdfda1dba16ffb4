import type { EngineReport } from '../../recorder/engine-protocol.ts'
import type { DiskWatch } from '../../storage/disk/disk-watch.ts'
import type { WatchedJournalState } from '../../storage/journal-client.ts'
import type { EnginePool } from '../media/engine-pool.ts'
import type { Headroom } from './admission.ts'
import type { PacketWatch } from './packet-watch.ts'
import type { SignallingWatch } from './signalling-watch.ts'

export interface MeasuredNode {
  readonly engines: EnginePool
  readonly signalling: SignallingWatch
  readonly packets: PacketWatch
  readonly spool: DiskWatch
  readonly journal: () => Pick<WatchedJournalState, 'diskError' | 'isHung'>
}

/** A call of two parties takes two pairs of ports. */
const PORTS_OF_A_CALL = 2
/** And four sockets and a file; three calls may come before the next count. */
const FILES_OF_CALLS = 16

/** What a node has for calls, by what it measures. What costs the call is asked before what costs its recording. */
export function nodeHeadroom(node: MeasuredNode): readonly Headroom[] {
  const { engines, signalling, packets, spool, journal } = node
  const reports = () => engines.reports
  return [
    {
      resource: 'engines',
      kind: 'room',
      reason: () => 'engine_overload',
      free: () => engines.headroom,
      obstacle: () => engines.obstacle,
    },
    {
      resource: 'openings',
      kind: 'room',
      reason: () => 'engine_overload',
      free: () => engines.waitingRoom,
      obstacle: () =>
        engines.waitingRoom <= 0 ? 'too many calls wait for an engine to open them' : undefined,
    },
    {
      resource: 'packets',
      kind: 'room',
      reason: () => 'engine_overload',
      free: () => packets.free,
      obstacle: () => packets.obstacle,
    },
    {
      resource: 'signalling',
      kind: 'room',
      reason: () => 'engine_overload',
      free: () => (signalling.isBusy ? 0 : Math.max(0, 1 - signalling.load)),
      obstacle: () =>
        signalling.isBusy
          ? `signalling is busy for ${percent(signalling.load)} of the time and ${Math.round(signalling.lateMs)} ms late`
          : undefined,
    },
    {
      resource: 'recordings',
      kind: 'room',
      reason: () => 'engine_overload',
      free: () => 1 - engines.openRecordings / engines.mostRecordings,
      obstacle: () =>
        engines.openRecordings >= engines.mostRecordings
          ? `${engines.openRecordings} of ${engines.mostRecordings} recordings are open`
          : undefined,
    },
    {
      resource: 'ports',
      kind: 'room',
      reason: () => 'engine_overload',
      free: () => freePorts(reports()),
      obstacle: () =>
        most(reports(), ({ portsFree }) => portsFree) < PORTS_OF_A_CALL
          ? 'no RTP ports are free'
          : undefined,
    },
    {
      resource: 'files',
      kind: 'room',
      reason: () => 'engine_overload',
      free: () => freeFiles(reports()),
      obstacle: () =>
        most(reports(), ({ filesFree }) => filesFree) < FILES_OF_CALLS
          ? 'the process is near its limit of open files'
          : undefined,
    },
    {
      resource: 'spool',
      kind: 'storage',
      reason: () => (spool.state === 'full' ? 'disk_full' : 'write_failed'),
      free: () => spool.headroom,
      obstacle: () => spool.obstacle,
    },
    {
      resource: 'journal',
      // What a disk that fails does not take is carried to the database from memory; one that hangs may stop that, too.
      get kind(): Headroom['kind'] {
        return journal().isHung ? 'storage' : 'certainty'
      },
      reason: () => 'write_failed',
      free: () => (journal().diskError === undefined ? 1 : 0),
      obstacle: () => prefixed('the journal cannot be written: ', journal().diskError),
    },
  ]
}

function freePorts(reports: readonly EngineReport[]): number {
  const free = reports.reduce((sum, { portsFree }) => sum + portsFree, 0)
  const taken = reports.reduce((sum, report) => sum + report.portsInUse + report.portsResting, 0)
  return free + taken === 0 ? 1 : free / (free + taken)
}

function freeFiles(reports: readonly EngineReport[]): number {
  const shares = reports.map(({ filesFree, filesLimit }) =>
    Number.isFinite(filesLimit) ? filesFree / filesLimit : 1,
  )
  return Math.min(1, ...shares)
}

/** The most of any engine; without a report nothing is known to be short. */
function most(reports: readonly EngineReport[], read: (report: EngineReport) => number): number {
  return reports.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...reports.map(read))
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

function prefixed(before: string, sentence: string | undefined): string | undefined {
  return sentence === undefined ? undefined : before + sentence
}
