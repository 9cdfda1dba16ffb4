import { parseArgs } from 'node:util'
import { listCalls } from '../storage/completeness/list-calls.ts'
import { readCompleteness } from '../storage/completeness/read-completeness.ts'
import { findContacts } from '../storage/contact-queries.ts'
import { createDatabasePool, type Queryable } from '../storage/database.ts'
import { migrate } from '../storage/migrate.ts'
import { startMariadb } from '../test/mariadb.ts'
import { countReads } from '../test/storage/count-reads.ts'
import { generateContacts } from './contact-rows.ts'
import { searches, takeSamples } from './contact-searches.ts'
import { median, percentile } from './machine-noise.ts'

const USAGE = `Usage: npm run bench:contacts -- [--rows N] [--repeats N] [--buffer-pool MIB]

Fills a MariaDB of its own with contacts of three years, each with segments and a recording, and asks
for a page of fifty by every combination of what the API takes, then for what became of the calls of a
day, a month and a year. Prints the median and the 95th percentile of each in milliseconds and as a
multiple of a look-up by primary key in the same run, and the most rows and index entries that one of
them read.

Ten million contacts take 25 GB in the folder for temporary files (TMPDIR), and as much again while
their keys are made.

  --rows N            contacts (1000000)
  --repeats N         questions of each kind, each for other values (40)
  --buffer-pool MIB   memory of the database for its tables (512)`

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    repeats: { type: 'string', default: '40' },
    'buffer-pool': { type: 'string', default: '512' },
    help: { type: 'boolean', default: false },
  },
})

const PERIOD = { fromMs: Date.UTC(2023, 0, 1), toMs: Date.UTC(2026, 0, 1) }
const DAY_MS = 86_400_000
const LIMIT = 50
/** Tables are filled at once. */
const CONNECTIONS = 6

/** One thing to ask the database, over a pool or over one connection. */
type Question = (database: Queryable) => Promise<unknown>

if (options.help) console.log(USAGE)
else await measure(Number(options.rows), Number(options.repeats), Number(options['buffer-pool']))

async function measure(rows: number, repeats: number, bufferMiB: number): Promise<void> {
  const mariadb = await startMariadb({
    // Nothing is to outlive a crash here.
    options: [
      `--innodb-buffer-pool-size=${bufferMiB}M`,
      '--innodb-sort-buffer-size=64M',
      '--innodb-log-file-size=1G',
      '--innodb-flush-log-at-trx-commit=0',
      '--innodb-doublewrite=0',
    ],
  })
  const pool = createDatabasePool({ ...mariadb.settings, connections: CONNECTIONS })
  try {
    await migrate(pool)
    const startedAt = performance.now()
    await generateContacts(pool, rows, PERIOD)
    const tookS = (performance.now() - startedAt) / 1000
    const connection = await pool.getConnection()
    console.log(`${rows} contacts, made in ${tookS.toFixed(0)} s`)
    for (const { name, mib } of await sizes(connection)) console.log(`  ${name} ${mib} MiB`)
    const samples = await takeSamples(pool, PERIOD, repeats)
    const times: number[] = []
    for (const { id } of samples) {
      times.push(await timeOf(() => pool.query('SELECT * FROM contacts WHERE id = ?', [id])))
    }
    const unitMs = median(times)
    print('by primary key', { times, unitMs, reads: 1 })
    const ask = async (name: string, questions: readonly Question[]) => {
      const took: number[] = []
      for (const question of questions) took.push(await timeOf(() => question(pool)))
      let reads = 0
      for (const question of questions) {
        reads = Math.max(reads, await countReads(connection, () => question(connection)))
      }
      print(name, { times: took, unitMs, reads })
    }
    for (const [name, filterOf] of searches()) {
      const filters = samples.map((sample) => ({ ...filterOf(sample), limit: LIMIT }))
      await ask(
        name,
        filters.map((filter) => (database) => findContacts(database, filter, PERIOD.toMs)),
      )
    }
    for (const [name, questions] of completenessQuestions(Math.min(repeats, 10))) {
      await ask(name, questions)
    }
    await connection.release()
  } finally {
    await pool.end()
    await mariadb.close()
  }
}

/** What became of the calls of periods of one length each, the newest first. */
function completenessQuestions(repeats: number): ReadonlyMap<string, readonly Question[]> {
  const found = new Map<string, readonly Question[]>()
  for (const [name, days] of [
    ['a day', 1],
    ['a month', 30],
    ['a year', 365],
  ] as const) {
    const count = Math.min(repeats, Math.floor((PERIOD.toMs - PERIOD.fromMs) / DAY_MS / days))
    const periods = Array.from({ length: count }, (_, index) => {
      const toMs = PERIOD.toMs - index * days * DAY_MS
      return { fromMs: toMs - days * DAY_MS, toMs }
    })
    found.set(
      `calls of ${name}, counted`,
      periods.map((period) => (database) => readCompleteness(database, period, PERIOD.toMs)),
    )
    for (const [what, filter] of [
      ['calls', {}],
      ['partial calls', { outcome: 'partial' }],
      ['calls for a rare reason', { reason: 'no_media' }],
      ['complete calls for a reason never met', { outcome: 'complete', reason: 'no_media' }],
      ['calls of a line', { serviceLine: 'linja-11' }],
      ['partial calls of a line', { serviceLine: 'linja-11', outcome: 'partial' }],
    ] as const) {
      found.set(
        `${what} of ${name}, listed`,
        periods.map(
          (period) => (database) =>
            listCalls(database, { ...period, ...filter, limit: LIMIT }, PERIOD.toMs),
        ),
      )
    }
  }
  return found
}

async function sizes(
  database: Queryable,
): Promise<readonly { readonly name: string; readonly mib: number }[]> {
  return database.query(
    `SELECT CONCAT(table_name, '.', index_name) AS name, ROUND(stat_value * @@innodb_page_size / 1048576) AS mib
     FROM mysql.innodb_index_stats WHERE database_name = DATABASE() AND stat_name = 'size' AND stat_value > 100
     ORDER BY stat_value DESC`,
  )
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

function print(
  name: string,
  { times, unitMs, reads }: { times: readonly number[]; unitMs: number; reads: number },
): void {
  const [p50, p95] = [median(times), percentile(times, 0.95)]
  const figure = (ms: number) =>
    `${ms.toFixed(1).padStart(8)} ms ${(ms / unitMs).toFixed(1).padStart(7)} ×`
  console.log(`${name.padEnd(56)}${figure(p50)}${figure(p95)}${String(reads).padStart(9)} reads`)
}
