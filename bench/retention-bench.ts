import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { SystemClock } from '../base/clock.ts'
import { createSilentLog } from '../base/log.ts'
import { newId } from '../base/uuid.ts'
import { inParallel } from '../retention/in-parallel.ts'
import { sweepOnce } from '../retention/sweep.ts'
import { AnchorFile } from '../storage/audit/audit-anchors.ts'
import { AuditTrail } from '../storage/audit/audit-trail.ts'
import type { Pool } from '../storage/database.ts'
import { DiskThreads } from '../storage/disk/disk-threads.ts'
import { migrate } from '../storage/migrate.ts'
import { RecordingStore } from '../storage/recording-store.ts'
import { syncServiceLines } from '../storage/service-lines.ts'
import { storeFileOf } from '../storage/store-file.ts'
import { startMariadb } from '../test/mariadb.ts'

const USAGE = `Usage: npm run bench:retention -- [--recordings N]

Sweeps due recordings out of a MariaDB and a store of its own, each with a file of 4 KiB, as the retention
daemon does: marked, erased, marked again, and told to the audit trail. Prints how many a second, and as a
multiple of the time that unlink alone takes for as many files in the same run on the same disk.

  --recordings N   20000 by default; they lie in the folder for temporary files (TMPDIR)`

const { values: options } = parseArgs({
  options: {
    recordings: { type: 'string', default: '20000' },
    help: { type: 'boolean', default: false },
  },
})

const LINE = 'asiakastuki'
const FILE = Buffer.alloc(4096, 1)
const AT_ONCE = 16
const ROWS_AT_ONCE = 1000

if (options.help) console.log(USAGE)
else await measure(Number(options.recordings))

async function measure(count: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tallenne-bench-'))
  const clock = new SystemClock()
  // As the daemon has them.
  const log = createSilentLog()
  const disk = new DiskThreads({ name: 'store', count: 4, clock, hungAfterMs: 30_000, log })
  const mariadb = await startMariadb({
    options: ['--innodb-buffer-pool-size=512M', '--innodb-log-file-size=256M'],
  })
  try {
    const pool = mariadb.pool()
    await migrate(pool)
    const line = { name: LINE, numbers: [], period: 'P2M', timeZone: 'Europe/Helsinki' }
    const author = { setBy: 'configuration', nowMs: clock.epochMs() }
    await syncServiceLines(pool, [{ ...line, isCatchAll: false }], author)
    const storePath = join(folder, 'store')
    const store = new RecordingStore({ spoolPath: join(folder, 'spool'), storePath, disk })
    await store.prepare()
    const ids = Array.from({ length: count }, newId)
    await insert(pool, ids)
    for (const id of ids) place(join(storePath, storeFileOf(id)))
    const bare = ids.map((id) => join(folder, 'bare', storeFileOf(id)))
    for (const path of bare) place(path)

    const unlinkS = await secondsOf(() => inParallel(bare, AT_ONCE, unlink))
    const anchors = new AnchorFile(join(folder, 'anchors'), 'bench')
    const trail = new AuditTrail({ pool, anchors, writer: 'bench', clock, log })
    let deleted = 0
    const sweepS = await secondsOf(async () => {
      const outcome = await sweepOnce({ pool, store, trail, clock, log })
      if (outcome.kind === 'done') deleted = outcome.result.lines.get(LINE)?.deleted ?? 0
    })
    const each = (seconds: number) => `${(count / seconds).toFixed(0).padStart(8)} a second`
    console.log(`unlink alone      ${each(unlinkS)}`)
    console.log(`swept             ${each(sweepS)}   ${(sweepS / unlinkS).toFixed(1)} × the time`)
    console.log(`${deleted} of ${count} recordings deleted`)
  } finally {
    await disk.close()
    await mariadb.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Contacts of three months ago, each with a recording. */
async function insert(pool: Pool, ids: readonly string[]): Promise<void> {
  const endedAt = new Date(Date.now() - 92 * 86_400_000)
  for (let from = 0; from < ids.length; from += ROWS_AT_ONCE) {
    const some = ids.slice(from, from + ROWS_AT_ONCE)
    await pool.batch(
      `INSERT INTO contacts (id, node_id, call_id, capture, direction, caller_withheld, service_line, started_at, ended_at)
       VALUES (?, 'node-1', ?, 'siprec', 'inbound', TRUE, ?, ?, ?)`,
      some.map((id) => [id, id, LINE, endedAt, endedAt]),
    )
    await pool.batch(
      `INSERT INTO recordings (id, contact_id, service_line, call_ended_at, state, verdict, reasons, started_at, bytes, file)
       VALUES (?, ?, ?, ?, 'complete', 'complete', '[]', ?, ?, ?)`,
      some.map((id) => [id, id, LINE, endedAt, endedAt, FILE.length, storeFileOf(id)]),
    )
  }
}

function place(path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, FILE)
}

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return (performance.now() - startedAt) / 1000
}
