import { setTimeout as delay } from 'node:timers/promises'
import { killEngine } from '../../test/gateway/engine-killer.ts'
import { RealDisk } from '../../test/storage/disk/real-disk.ts'
import type { Drill, DrillGround } from './drill.ts'
import { RunningLoad } from './drill-load.ts'
import { isAnswering } from './run-drill.ts'
import { isRunning, type Part, type Site, waitFor } from './site.ts'

/** Longer, and the sockets and the timeline cannot hold what comes meanwhile. */
const STOPPED_MS = 1000
const AWAY_MS = 15_000
const FULL_MS = 5000
const HUNG_MS = 5000
/** Of a disk of its own, below what space a node tells of it, and below what it takes no more calls. */
const DISK_MIB = 128
const MARKS = { warnFreeGiB: 0.04, refuseFreeGiB: 0.03 } as const
/** Of a disk that is nearly full: below the second, with room for the calls that are up. */
const LEFT_BYTES = 20 * 2 ** 20
const BURST = { calls: 400, rate: 200 }

/** Everything that is tried, in the table's order. */
export const DRILLS: readonly Drill[] = [
  {
    name: 'engine',
    fault: 'an engine dies',
    endsCalls: false,
    concerns: ({ recordings }) =>
      recordings.some(({ reasons }) => reasons.includes('engine_failed')),
    async strike(site) {
      await killEngine(running(site, 'gateway'))
      return undefined
    },
  },
  {
    name: 'gateway',
    fault: 'SIGKILL of the gateway',
    endsCalls: true,
    concerns: 'all',
    strike: (site) => kill(site, 'gateway'),
  },
  {
    name: 'gateway-stopped',
    fault: `the gateway stands still for ${STOPPED_MS / 1000} s`,
    endsCalls: false,
    concerns: 'all',
    strike: (site) => stopFor(site, 'gateway', STOPPED_MS),
  },
  ...(['mariadb', 'portal', 'retention'] as const).map(
    (part): Drill => ({
      name: part,
      fault: `SIGKILL of ${part === 'mariadb' ? 'MariaDB' : `the ${part}`}`,
      endsCalls: false,
      concerns: 'none',
      strike: (site) => kill(site, part),
    }),
  ),
  {
    name: 'mariadb-stopped',
    fault: `MariaDB hangs for ${AWAY_MS / 1000} s`,
    endsCalls: false,
    concerns: 'none',
    strike: (site) => stopFor(site, 'mariadb', AWAY_MS),
  },
  {
    name: 'mariadb-locked',
    fault: `MariaDB lets nobody write for ${AWAY_MS / 1000} s`,
    endsCalls: false,
    concerns: 'none',
    async strike(site) {
      await site.sql(`FLUSH TABLES WITH READ LOCK; SELECT SLEEP(${AWAY_MS / 1000}); UNLOCK TABLES`)
      return undefined
    },
  },
  {
    name: 'mariadb-twice',
    fault: 'SIGKILL of MariaDB, and again once it is back',
    endsCalls: false,
    concerns: 'none',
    async strike(site) {
      await kill(site, 'mariadb')
      await waitFor(() => isAnswering(site))
      return kill(site, 'mariadb')
    },
  },
  {
    name: 'journal-hangs',
    fault: `the journal's disk hangs for ${HUNG_MS / 1000} s`,
    obstacle: RealDisk.obstacle,
    endsCalls: false,
    concerns: 'none',
    prepare() {
      const disk = RealDisk.make(DISK_MIB)
      return { disk, elsewhere: { journal: disk.path } }
    },
    strike: (_site, ground) => hang(ground),
  },
  {
    name: 'store-hangs',
    fault: `the store's disk hangs for ${HUNG_MS / 1000} s, while calls end`,
    obstacle: RealDisk.obstacle,
    endsCalls: false,
    concerns: 'none',
    prepare() {
      const disk = RealDisk.make(DISK_MIB)
      return { disk, config: { disks: { storePath: disk.path, ...MARKS } } }
    },
    async strike(site, ground) {
      const ending = await RunningLoad.start({ to: site.sip, calls: 2, first: 1000 })
      await hang(ground, () => ending.end())
      return undefined
    },
  },
  {
    name: 'spool-hangs',
    fault: `the spool's disk hangs for ${HUNG_MS / 1000} s`,
    obstacle: RealDisk.obstacle,
    endsCalls: false,
    concerns: 'all',
    prepare: spoolOfItsOwn,
    strike: (_site, ground) => hang(ground),
  },
  {
    name: 'spool-low',
    fault: `the spool's disk is nearly full for ${FULL_MS / 1000} s`,
    obstacle: RealDisk.obstacle,
    endsCalls: false,
    concerns: 'none',
    prepare: spoolOfItsOwn,
    async strike(site, ground) {
      const empty = await ground?.disk.fill(LEFT_BYTES)
      await waitFor(async () => !(await site.isReady()))
      const more = await RunningLoad.start({ to: site.sip, calls: 2, first: 1000 })
      const { refusals } = await more.end()
      await delay(FULL_MS)
      empty?.()
      return `${refusals.filter((refusal) => / 503 /.test(refusal)).length} of 2 calls more refused with 503`
    },
  },
  {
    name: 'spool-full',
    fault: `the spool's disk is full for ${FULL_MS / 1000} s`,
    obstacle: RealDisk.obstacle,
    // What is said on is not recorded any more, though the sessions go on.
    endsCalls: true,
    concerns: 'all',
    prepare: spoolOfItsOwn,
    async strike(_site, ground) {
      const empty = await ground?.disk.fill()
      await delay(FULL_MS)
      empty?.()
      return undefined
    },
  },
  {
    name: 'spool-fails',
    fault: `the spool's disk answers with errors for ${FULL_MS / 1000} s`,
    obstacle: RealDisk.obstacle,
    endsCalls: true,
    concerns: 'all',
    prepare: spoolOfItsOwn,
    async strike(_site, ground) {
      const mend = await ground?.disk.fail()
      await delay(FULL_MS)
      await mend?.()
      return undefined
    },
  },
  {
    name: 'burst',
    fault: `${BURST.calls} INVITEs more, ${BURST.rate} a second`,
    endsCalls: false,
    concerns: 'none',
    async strike(site) {
      const load = await RunningLoad.start({ to: site.sip, ...BURST, first: 1000 })
      const { calls, refusals } = await load.end()
      const slowest = Math.max(...calls.map(({ setupMs }) => setupMs))
      const unanswered = refusals.filter((refusal) => !/ 503 /.test(refusal)).length
      return `${calls.length} taken, the slowest in ${slowest.toFixed(0)} ms, ${refusals.length - unanswered} refused with 503, ${unanswered} not answered`
    },
  },
]

function spoolOfItsOwn(): DrillGround {
  const disk = RealDisk.make(DISK_MIB)
  return { disk, config: { disks: { spoolPath: disk.path, ...MARKS } } }
}

/** Freezes a drill's disk for a while, in which something may be done. */
async function hang(
  ground: DrillGround | undefined,
  meanwhile: () => Promise<unknown> = async () => undefined,
): Promise<undefined> {
  const thaw = await ground?.disk.freeze()
  try {
    await Promise.all([delay(HUNG_MS), meanwhile()])
  } finally {
    await thaw?.()
  }
}

/** Resolves when another process is the part. */
export async function kill(site: Site, part: Part): Promise<undefined> {
  const pid = running(site, part)
  process.kill(pid, 'SIGKILL')
  await waitFor(() => !isRunning(pid))
  await waitFor(() => site.pidOf(part) !== undefined)
}

async function stopFor(site: Site, part: Part, ms: number): Promise<undefined> {
  const pid = running(site, part)
  process.kill(pid, 'SIGSTOP')
  await delay(ms)
  process.kill(pid, 'SIGCONT')
}

export function running(site: Site, part: Part): number {
  const pid = site.pidOf(part)
  if (pid === undefined) throw new Error(`${part} is not running`)
  return pid
}
