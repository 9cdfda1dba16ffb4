import type { Clock, Timer } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { settledWithin } from '../base/settled-within.ts'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import type { Config } from '../config/config.ts'
import { dataPaths } from '../config/data-paths.ts'
import { checkDatabase, databaseMessage, type Pool } from '../storage/database.ts'
import { type DatabaseFault, databaseFault } from '../storage/database-fault.ts'
import { DiskThread } from '../storage/disk/disk-thread.ts'
import { JournalClient } from '../storage/journal-client.ts'
import { journalThread } from '../storage/journal-thread.ts'
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
/** What the disk does not take waits in the thread, as many entries as the journal allows. */
const THREAD = {
  entry: new URL('./journal-worker.js', import.meta.url),
  name: 'journal',
  mostHeapMb: 1024,
}
const PASSING: ReadonlySet<DatabaseFault> = new Set([
  'unreachable',
  'hung',
  'read_only',
  'full',
  'locked',
])

/**
 * Opens the node's journal, which has a thread of its own, and begins to carry it to the database, whose schema is
 * brought up to date first. Closing it resolves to false where its disk hangs: the process cannot end in order then.
 *
 * A node that has reached its database before starts without it as well, should it be away: calls are taken, and their
 * rows wait. Else it rejects with what is wrong, since then it is the configuration. A journal whose disk hangs is waited
 * for no longer than it takes to know that: the node starts, and takes calls when the disk answers.
 */
export async function openJournal(
  options: OpenJournalOptions,
): Promise<{ readonly journal: JournalClient; readonly close: () => Promise<boolean> }> {
  const { config, clock, log, closeWithinMs } = options
  const { sync, syncIntervalMs } = config.journal
  const thread = journalThread({
    start: (onDied) => new DiskThread({ ...THREAD, onDied, clock }),
    clock,
    log,
  })
  const journal = new JournalClient({ thread, clock, log })
  // A thread takes some hundred milliseconds to begin, in which the database is looked at.
  const prepared = prepareDatabase(options)
  prepared.catch(() => undefined)
  try {
    await journal.open({
      folder: dataPaths(config).journal,
      database: config.database,
      sync: { policy: sync, intervalMs: syncIntervalMs },
      logLevel: config.log.level,
    })
  } catch (error) {
    await thread.close()
    throw error
  }
  let later: Timer | undefined
  let isClosed = false
  const close = async () => {
    isClosed = true
    later?.cancel()
    try {
      await journal.close({ drainMs: closeWithinMs })
    } finally {
      await thread.close()
    }
    return thread.close()
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
    await prepared
    journal.start()
  } catch (error) {
    // Whether there is a history a disk that hangs does not tell.
    const isFirst = journal.isOpen && !journal.hasHistory
    if (isFirst || !PASSING.has(databaseFault(error))) {
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
