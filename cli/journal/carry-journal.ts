import { setTimeout as delay } from 'node:timers/promises'
import { SystemClock } from '../../base/clock.ts'
import { createSilentLog } from '../../base/log.ts'
import { TallenneError } from '../../base/tallenne-error.ts'
import type { Config } from '../../config/config.ts'
import { FileJournal } from '../../storage/contact-journal.ts'
import { connectDatabase } from '../../storage/database.ts'
import type { JournalState } from '../../storage/journal-state.ts'
import { migrate } from '../../storage/migrate.ts'
import { withPool } from '../with-pool.ts'

/** A database that takes nothing for so long is not waited for any longer. */
const GIVE_UP_MS = 30_000
const LOOK_EVERY_MS = 250

export interface CarryOptions {
  readonly folder: string
  readonly signal: AbortSignal
  /** Told a few times a second. */
  readonly onProgress: (state: JournalState) => void
}

/**
 * Carries what a gateway left to the database, as the gateway would. Resolves with how the journal stands then: with
 * entries left where `signal` came, or where the database took nothing for half a minute. Rejects with `journal_in_use`
 * and `database_unreachable`.
 */
export async function carryJournal(config: Config, options: CarryOptions): Promise<JournalState> {
  const { folder, signal, onProgress } = options
  const clock = new SystemClock()
  const journal = new FileJournal({
    folder,
    connect: (options) => connectDatabase(config.database, options),
    clock,
    log: createSilentLog(),
  })
  // The clock's timers do not keep the process alive.
  const alive = setInterval(() => onProgress(journal.state), LOOK_EVERY_MS)
  const done = new AbortController()
  try {
    await withPool(config, migrate)
    journal.start()
    await Promise.race([
      journal.drained(),
      givenUp(journal, AbortSignal.any([signal, done.signal])),
    ])
    return journal.state
  } finally {
    done.abort()
    clearInterval(alive)
    await journal.close({ drainMs: 0 })
  }
}

async function givenUp(journal: FileJournal, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { fault, readError } = journal.state
    if (readError !== undefined) {
      throw new TallenneError('journal_unreadable', `The journal cannot be read: ${readError}.`)
    }
    if (fault !== undefined && Date.now() - fault.sinceMs > GIVE_UP_MS) return
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
  }
}
