import type { Clock, Timer } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { settledWithin } from '../base/settled-within.ts'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import type { Config } from '../config/config.ts'
import { dataPaths } from '../config/data-paths.ts'
import { FileJournal } from '../storage/contact-journal.ts'
import { checkDatabase, connectDatabase, databaseMessage, type Pool } from '../storage/database.ts'
import { type DatabaseFault, databaseFault } from '../storage/database-fault.ts'
import { migrate } from '../storage/migrate.ts'

export interface OpenJournalOptions {
  readonly config: Config
  readonly pool: Pool
  readonly clock: Clock
  readonly log: Log
  /** How long it may carry on at its end. */
  readonly closeWithinMs: number
}

/** Longer than it takes another node to bring the schema up to date. */
const PREPARE_MS = 90_000
const CHECK_MS = 5000
const RETRY_MS = 2000
const PASSING: ReadonlySet<DatabaseFault> = new Set([
  'unreachable',
  'hung',
  'read_only',
  'full',
  'locked',
])

/**
 * Opens the node's journal and begins to carry it to the database, whose schema is brought up to date first.
 *
 * A node that has reached its database before starts without it as well, should it be away: calls are taken, and their
 * rows wait. Else it rejects with what is wrong, since then it is the configuration.
 */
export async function openJournal(
  options: OpenJournalOptions,
): Promise<{ readonly journal: FileJournal; readonly close: () => Promise<void> }> {
  const { config, clock, log, closeWithinMs } = options
  const { sync, syncIntervalMs } = config.journal
  const journal = new FileJournal({
    folder: dataPaths(config).journal,
    connect: (options) => connectDatabase(config.database, options),
    sync: { policy: sync, intervalMs: syncIntervalMs },
    clock,
    log,
  })
  let later: Timer | undefined
  let isClosed = false
  const close = () => {
    isClosed = true
    later?.cancel()
    return journal.close({ drainMs: closeWithinMs })
  }
  const tryLater = () => {
    later = clock.after(RETRY_MS, () => void startCarrying())
  }
  let told = ''
  const startCarrying = async () => {
    try {
      await prepareDatabase(options)
      if (isClosed) return
      log.info('database is there: the journal is carried')
      journal.start()
    } catch (error) {
      const reason = databaseMessage(error)
      if (reason !== told) log.error({ reason }, 'database cannot be used yet')
      told = reason
      if (!isClosed) tryLater()
    }
  }
  try {
    await prepareDatabase(options)
    journal.start()
  } catch (error) {
    if (!journal.hasHistory || !PASSING.has(databaseFault(error))) {
      await close()
      throw error
    }
    log.warn(
      { reason: messageOf(error) },
      'database is away: calls are taken, and their rows wait in the journal',
    )
    tryLater()
  }
  return { journal, close }
}

async function prepareDatabase({ pool, config, clock }: OpenJournalOptions): Promise<void> {
  await within(CHECK_MS, checkDatabase(pool, config.database), clock)
  await within(PREPARE_MS, migrate(pool), clock)
}

/** A server that has taken a connection and then hangs says nothing, for ever. */
async function within(limitMs: number, work: Promise<unknown>, clock: Clock): Promise<void> {
  if (await settledWithin(work, { clock, limitMs })) return
  throw new TallenneError(
    'database_unreachable',
    `MariaDB took the connection and did not answer within ${limitMs / 1000} s.`,
  )
}
