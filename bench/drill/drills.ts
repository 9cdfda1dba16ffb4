import { setTimeout as delay } from 'node:timers/promises'
import { killEngine } from '../../test/gateway/engine-killer.ts'
import type { Drill } from './drill.ts'
import { RunningLoad } from './drill-load.ts'
import { isRunning, type Part, type Site, waitFor } from './site.ts'
import { diskObstacle, SmallDisk } from './small-disk.ts'

/** Longer, and the sockets and the timeline cannot hold what comes meanwhile. */
const STOPPED_MS = 1000
const AWAY_MS = 15_000
const FULL_MS = 5000
const SPOOL_MIB = 64
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
    name: 'spool-full',
    fault: `the spool's disk is full for ${FULL_MS / 1000} s`,
    obstacle: diskObstacle,
    // What is said on is not recorded any more, though the sessions go on.
    endsCalls: true,
    concerns: 'all',
    prepare() {
      const disk = new SmallDisk(SPOOL_MIB)
      const disks = { spoolPath: disk.path, warnFreeGiB: 0.002, refuseFreeGiB: 0.001 }
      return { disk, config: { disks }, remove: () => disk.remove() }
    },
    async strike(_site, ground) {
      ground?.disk.fill()
      await delay(FULL_MS)
      ground?.disk.empty()
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
