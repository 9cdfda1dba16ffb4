import { type MessagePort, parentPort } from 'node:worker_threads'
import { SystemClock } from '../base/clock.ts'
import { createLog } from '../base/log.ts'
import { FileJournal } from '../storage/contact-journal.ts'
import { connectDatabase } from '../storage/database.ts'
import { type JournalSettings, serveJournal } from '../storage/serve-journal.ts'

/**
 * Entry of the journal's thread: opens the journal that it is told of, and carries it to MariaDB. An error that nobody
 * has thought of ends the thread, and another one takes its place: nothing that is left of this one is to be relied on.
 */
const clock = new SystemClock()

parentPort?.on('message', (port: MessagePort) => serveJournal(port, { open, clock }))

function open({ folder, holder, database, sync, logLevel }: JournalSettings): FileJournal {
  return new FileJournal({
    folder,
    holder,
    connect: (timing) => connectDatabase(database, timing),
    sync,
    clock,
    log: createLog('gateway', logLevel),
  })
}
