import { type MessagePort, parentPort } from 'node:worker_threads'
import { SystemClock } from '../base/clock.ts'
import { createLog } from '../base/log.ts'
import { FileJournal } from '../storage/contact-journal.ts'
import { connectDatabase } from '../storage/database.ts'
import { type JournalSettings, serveJournal } from '../storage/serve-journal.ts'

/** Entry of the journal's thread: opens the journal that it is told of, and carries it to MariaDB. */
const clock = new SystemClock()

// As in the gateway's main thread: a journal that lives on costs less than one that dies.
const log = createLog('gateway')
process.on('uncaughtException', (error) => log.fatal({ err: error }, 'uncaught exception'))
process.on('unhandledRejection', (error) => log.fatal({ err: error }, 'unhandled rejection'))

parentPort?.on('message', (port: MessagePort) => serveJournal(port, { open, clock }))

function open({ folder, database, sync, logLevel }: JournalSettings): FileJournal {
  return new FileJournal({
    folder,
    connect: (timing) => connectDatabase(database, timing),
    sync,
    clock,
    log: createLog('gateway', logLevel),
  })
}
