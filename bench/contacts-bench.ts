import { parseArgs } from 'node:util'
import { findContacts } from '../storage/contact-queries.ts'
import type { Pool, Queryable } from '../storage/database.ts'
import { migrate } from '../storage/migrate.ts'
import type { ContactFilter } from '../storage/model.ts'
import { startMariadb } from '../test/mariadb.ts'
import { countReads } from '../test/storage/count-reads.ts'
import { generateContacts } from './contact-rows.ts'
import { median, percentile } from './machine-noise.ts'

const USAGE = `Usage: npm run bench:contacts -- [--rows N] [--repeats N] [--buffer-pool MIB]

Fills a MariaDB of its own with contacts of three years, each with segments and a recording, and asks
for a page of fifty by every combination of what the API takes. Prints the median and the 95th
percentile of each search in milliseconds and as a multiple of a look-up by primary key in the same
run, and the most rows and index entries that one of them read.

  --rows N            contacts (1000000)
  --repeats N         searches of each kind, each for other values (40)
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

type Filter = Omit<ContactFilter, 'limit'>

/** What is known of a contact that is there. */
interface Sample {
  readonly id: string
  readonly caller: string
  readonly serviceNumber: string
  readonly serviceLine: string
  readonly agent: string
  readonly callId: string
  readonly platformReference: string
  readonly startedAtMs: number
}

/** How each parameter is set after a contact that is there. */
const PARAMETERS = {
  caller: ({ caller }: Sample): Filter => ({ caller }),
  serviceNumber: ({ serviceNumber }: Sample): Filter => ({ serviceNumber }),
  serviceLine: ({ serviceLine }: Sample): Filter => ({ serviceLine }),
  agent: ({ agent }: Sample): Filter => ({ agent }),
  'from, to': ({ startedAtMs }: Sample): Filter => ({
    fromMs: startedAtMs - 15 * DAY_MS,
    toMs: startedAtMs + 15 * DAY_MS,
  }),
} as const

/** Searches that the combinations leave out; what never meets is the worst that an index can be asked for. */
const OTHERS: Readonly<Record<string, (sample: Sample) => Filter>> = {
  callId: ({ callId }) => ({ callId }),
  platformReference: ({ platformReference }) => ({ platformReference }),
  'a company’s number': () => ({ caller: '+12025550199' }),
  'a company’s number, agent': ({ agent }) => ({ caller: '+12025550199', agent }),
  'a company’s number, serviceLine that it never called': () => ({
    caller: '+12025550199',
    serviceLine: 'linja-none',
  }),
  'agent, serviceLine that never meet': ({ agent }) => ({ agent, serviceLine: 'linja-none' }),
  'agent, serviceNumber that never meet': ({ agent }) => ({ agent, serviceNumber: '+12025559999' }),
  'serviceNumber, serviceLine that never meet': ({ serviceNumber }) => ({
    serviceNumber,
    serviceLine: 'linja-none',
  }),
  'caller that never called': () => ({ caller: '+12025559998' }),
}

if (options.help) console.log(USAGE)
else await measure(Number(options.rows), Number(options.repeats), Number(options['buffer-pool']))

async function measure(rows: number, repeats: number, bufferMiB: number): Promise<void> {
  const mariadb = await startMariadb()
  const pool = mariadb.pool()
  const connection = await pool.getConnection()
  try {
    await migrate(pool)
    await pool.query(`SET GLOBAL innodb_buffer_pool_size = ${bufferMiB * 1024 ** 2}`)
    // Nothing is to outlive a crash here.
    await pool.query('SET GLOBAL innodb_flush_log_at_trx_commit = 0')
    await pool.query('SET GLOBAL innodb_log_file_size = 1073741824')
    const startedAt = performance.now()
    await generateContacts(connection, rows, PERIOD)
    console.log(
      `${rows} contacts, made in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`,
    )
    const samples = await takeSamples(pool, repeats)
    const lookUps = await timesOf(samples, ({ id }) =>
      pool.query('SELECT * FROM contacts WHERE id = ?', [id]),
    )
    print('by primary key', { times: lookUps, unitMs: median(lookUps), reads: 1 })
    for (const [name, filterOf] of searches()) {
      const times = await timesOf(samples, (sample) => search(pool, filterOf(sample)))
      const reads = await mostReads(connection, samples.map(filterOf))
      print(name, { times, unitMs: median(lookUps), reads })
    }
  } finally {
    await connection.release()
    await mariadb.close()
  }
}

/** Every combination of the parameters, then the others. */
function searches(): ReadonlyMap<string, (sample: Sample) => Filter> {
  const names = Object.keys(PARAMETERS) as (keyof typeof PARAMETERS)[]
  const found = new Map<string, (sample: Sample) => Filter>()
  for (let set = 0; set < 2 ** names.length; set++) {
    const chosen = names.filter((_, index) => (set >> index) % 2 === 1)
    const filterOf = (sample: Sample): Filter =>
      Object.assign({}, ...chosen.map((name) => PARAMETERS[name](sample)))
    found.set(chosen.length === 0 ? 'all' : chosen.join(', '), filterOf)
  }
  for (const [name, filterOf] of Object.entries(OTHERS)) found.set(name, filterOf)
  return found
}

function search(database: Queryable, filter: Filter) {
  return findContacts(database, { ...filter, limit: LIMIT }, PERIOD.toMs)
}

/** Contacts from all over the period; the caller is none that called very often. */
async function takeSamples(pool: Pool, count: number): Promise<readonly Sample[]> {
  const samples: Sample[] = []
  for (let index = 0; index < count; index++) {
    const share = (index + 0.5) / count
    const at = new Date(PERIOD.fromMs + share * (PERIOD.toMs - PERIOD.fromMs))
    const [row]: (Omit<Sample, 'startedAtMs'> & { startedAt: Date })[] = await pool.query(
      `SELECT id, caller_e164 AS caller, service_number_e164 AS serviceNumber, service_line AS serviceLine, agent,
         call_id AS callId, platform_reference AS platformReference, started_at AS startedAt
       FROM contacts WHERE started_at >= ? AND caller_e164 <> '+12025550199' AND joined_into IS NULL
       ORDER BY started_at LIMIT 1`,
      [at],
    )
    if (row) samples.push({ ...row, startedAtMs: row.startedAt.getTime() })
  }
  return samples
}

async function timesOf(
  samples: readonly Sample[],
  work: (sample: Sample) => Promise<unknown>,
): Promise<readonly number[]> {
  const times: number[] = []
  for (const sample of samples) {
    const startedAt = performance.now()
    await work(sample)
    times.push(performance.now() - startedAt)
  }
  return times
}

async function mostReads(connection: Queryable, filters: readonly Filter[]): Promise<number> {
  let most = 0
  for (const filter of filters) {
    const reads = await countReads(connection, () => search(connection, filter))
    most = Math.max(most, reads)
  }
  return most
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
