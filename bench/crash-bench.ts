import { spawnSync } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { migrate } from '../storage/migrate.ts'
import { makeGateway } from '../test/gateway/gateway-process.ts'
import { startMariadb } from '../test/mariadb.ts'
import { leaveBehind } from './left-behind.ts'
import { readProcessFigures } from './process-figures.ts'

const USAGE = `Usage: npm run bench:crash -- [--files N] [--seconds S]

Starts a gateway on what one leaves behind that was killed with calls up: a journal that nobody carried,
and a file in the spool for each call. Prints how long it takes until it takes calls again, and until
every file is repaired and in the store with its verdict, against reading and syncing the same files.

  --files N     calls that were up (1000)
  --seconds S   how long they had lasted (60)`

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(USAGE)
} else {
  await measure({ recordings: Number(values.files), seconds: Number(values.seconds) })
}

async function measure(load: { readonly recordings: number; readonly seconds: number }) {
  const mariadb = await startMariadb()
  const gateway = await makeGateway(mariadb.settings)
  try {
    const pool = mariadb.pool()
    await migrate(pool)
    const { dataPath } = gateway
    const paths = await leaveBehind({ dataPath, database: mariadb.settings, ...load })
    const readMs = readAll(paths)
    const startedAt = performance.now()
    const process = await gateway.start()
    const readyMs = performance.now() - startedAt
    const verdicts = async () => {
      const [row] = await pool.query(
        `SELECT COUNT(*) AS n FROM recordings WHERE state = 'partial' AND file IS NOT NULL`,
      )
      return row.n
    }
    while ((await verdicts()) < load.recordings) await delay(20)
    const wholeMs = performance.now() - startedAt
    const { cpuMs } = readProcessFigures(process.pid)
    await process.end('SIGTERM')
    console.log(`${load.recordings} files of ${load.seconds} s, cut anywhere`)
    console.log(`  takes calls after            ${seconds(readyMs)}`)
    console.log(`  every file with its verdict  ${seconds(wholeMs)}`)
    console.log(`  CPU of the gateway           ${seconds(cpuMs)}`)
    console.log(`  reading and syncing them     ${seconds(readMs)}`)
    console.log(`  ratio                        ${(wholeMs / readMs).toFixed(2)}`)
  } finally {
    await gateway.remove()
    await mariadb.close()
  }
}

/** As the simplest program would: read each file, and put it on the disk for good. */
function readAll(paths: readonly string[]): number {
  const startedAt = performance.now()
  const input = paths.join('\n')
  for (const program of ['cat', 'sync']) spawnSync('xargs', ['-n', '50', program], { input })
  return performance.now() - startedAt
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}
