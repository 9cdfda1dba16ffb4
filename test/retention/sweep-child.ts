import { join } from 'node:path'
import { createSilentLog } from '../../base/log.ts'
import { sweepOnce } from '../../retention/sweep.ts'
import { createDatabasePool } from '../../storage/database.ts'
import { RecordingStore } from '../../storage/recording-store.ts'
import { ManualClock } from '../manual-clock.ts'
import { testTrail } from '../storage/audit/test-trail.ts'

/** Sweeps and dies by SIGKILL. Arguments: socket path, folder, the moment, and after how many erased files. */
const [socketPath = '', folder = '', nowMs = '0', after = '1'] = process.argv.slice(2)

const store = new RecordingStore({
  spoolPath: join(folder, 'spool'),
  storePath: join(folder, 'store'),
})
let erased = 0
const pool = createDatabasePool({
  socketPath,
  port: 0,
  user: 'root',
  database: 'tallenne',
  connections: 2,
})
await sweepOnce({
  pool,
  trail: testTrail(pool),
  store: {
    check: () => store.check(),
    // One after the other, so that exactly so many files are gone when it dies.
    eraseAll: async (files) => {
      const outcomes: ('erased' | 'gone')[] = []
      for (const file of files) {
        if (erased === Number(after)) process.kill(process.pid, 'SIGKILL')
        const outcome = await store.erase(file)
        if (outcome === 'erased') erased++
        outcomes.push(outcome)
      }
      return outcomes
    },
  },
  clock: new ManualClock(Number(nowMs)),
  log: createSilentLog(),
})
