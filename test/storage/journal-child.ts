import { SystemClock } from '../../base/clock.ts'
import { createSilentLog } from '../../base/log.ts'
import { FileJournal } from '../../storage/contact-journal.ts'
import { connectDatabase } from '../../storage/database.ts'
import { wholeCall } from './journal-entries.ts'

/**
 * A process with a journal, to be killed or starved. Arguments: folder, socket path, number of calls, and
 * `kill` (appends and dies by SIGKILL) or `apply` (waits for MariaDB to have all, tells the state).
 */
const [folder = '', socketPath = '', calls = '1', how = 'kill'] = process.argv.slice(2)

// The clock of a process does not keep it alive; its server would.
const alive = setInterval(() => {}, 1000)
const journal = new FileJournal({
  folder,
  connect: () =>
    connectDatabase({ socketPath, port: 0, user: 'root', database: 'tallenne', connections: 1 }),
  clock: new SystemClock(),
  log: createSilentLog(),
})
for (let call = 0; call < Number(calls); call++) {
  for (const entry of wholeCall().entries) journal.append(entry)
}
if (how === 'kill') process.kill(process.pid, 'SIGKILL')
const before = journal.state
journal.start()
await journal.drained()
process.stdout.write(JSON.stringify({ before, after: journal.state }))
await journal.close()
clearInterval(alive)
