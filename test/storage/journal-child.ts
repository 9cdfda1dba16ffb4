import { writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { SystemClock } from '../../base/clock.ts'
import { createSilentLog } from '../../base/log.ts'
import { FileJournal } from '../../storage/contact-journal.ts'
import { connectDatabase, type DatabaseSettings } from '../../storage/database.ts'
import { DiskThread } from '../../storage/disk/disk-thread.ts'
import { JournalClient } from '../../storage/journal-client.ts'
import { journalThread } from '../../storage/journal-thread.ts'
import { wholeCall } from './journal-entries.ts'

/**
 * A process with a journal, to be killed or starved. Arguments: folder, socket path, number of calls, and
 *
 * - `kill`: appends and dies by SIGKILL;
 * - `apply`: waits for MariaDB to have all, tells the state;
 * - `written`: appends to a journal in a thread of its own, and dies by SIGKILL when that has written all;
 * - `sync`: waits for such a journal to hang and to be well again, tells both states;
 * - `fail`: appends more until such a journal has met an error of its disk and is well again, tells how many calls, and
 *   dies by SIGKILL.
 */
const [folder = '', socketPath = '', calls = '1', how = 'kill'] = process.argv.slice(2)
const clock = new SystemClock()
const log = createSilentLog()
const database: DatabaseSettings = {
  socketPath,
  port: 0,
  user: 'root',
  database: 'tallenne',
  connections: 1,
}

// The clock of a process does not keep it alive; its server would.
const alive = setInterval(() => {}, 1000)
if (['written', 'sync', 'fail'].includes(how)) await useThread()
else await useFiles()
clearInterval(alive)

async function useFiles(): Promise<void> {
  const journal = new FileJournal({
    folder,
    connect: () => connectDatabase(database),
    clock,
    log,
  })
  appendCalls(journal)
  if (how === 'kill') process.kill(process.pid, 'SIGKILL')
  const before = journal.state
  journal.start()
  await journal.drained()
  process.stdout.write(JSON.stringify({ before, after: journal.state }))
  await journal.close()
}

async function useThread(): Promise<void> {
  const entry = new URL('../../gateway/journal-worker.js', import.meta.url)
  const thread = journalThread({
    start: (onDied) => new DiskThread({ entry, name: 'journal', onDied, clock }),
    clock,
    log,
  })
  const journal = new JournalClient({ thread, clock, log, hungAfterMs: 500 })
  const sync = { policy: 'interval', intervalMs: 50 } as const
  await journal.open({ folder, database, sync, logLevel: 'silent' })
  appendCalls(journal)
  await journal.written()
  if (how === 'written') process.kill(process.pid, 'SIGKILL')
  if (how === 'fail') await outliveError(journal)
  while (!journal.state.isHung) await delay(10)
  const during = journal.state
  while (journal.state.isHung) await delay(10)
  process.stdout.write(JSON.stringify({ during, after: journal.state }))
  await journal.close({ drainMs: 0 })
  await thread.close()
}

async function outliveError(journal: JournalClient): Promise<void> {
  let appended = Number(calls)
  for (; journal.state.diskError === undefined; appended += Number(calls)) {
    appendCalls(journal)
    await delay(20)
  }
  const isWell = ({ diskError, unwritten }: JournalClient['state']) =>
    diskError === undefined && unwritten === 0
  for (let looks = 0; looks < 20; looks = isWell(journal.state) ? looks + 1 : 0) await delay(100)
  writeSync(1, JSON.stringify({ appended }))
  process.kill(process.pid, 'SIGKILL')
}

function appendCalls(journal: Pick<FileJournal, 'append'>): void {
  for (let call = 0; call < Number(calls); call++) {
    for (const entry of wholeCall().entries) journal.append(entry)
  }
}
