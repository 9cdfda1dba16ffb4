import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Terminal } from '../../cli/verb.ts'
import { auditExportVerb } from '../../cli/verbs/audit.ts'
import { auditEvent } from '../../storage/audit/audit-event.ts'
import { migrate } from '../../storage/migrate.ts'
import { startMariadb } from '../mariadb.ts'
import { testTrail } from '../storage/audit/test-trail.ts'

const mariadb = await startMariadb()
t.teardown(() => mariadb.close())
const pool = mariadb.pool()
await migrate(pool)

t.test('rows are exported to a file of the owner’s alone, and counted', async (t) => {
  await testTrail(pool).record(
    auditEvent({
      atMs: Date.parse('2026-01-05T10:00:00.000Z'),
      actor: { kind: 'token', name: 'admin-token' },
      action: 'search',
      details: { shown: 3 },
    }),
  )
  const dataPath = t.testdir()
  const output = join(dataPath, 'trail.csv')
  writeFileSync(output, 'of last month', { mode: 0o644 })
  const printed: string[] = []
  const terminal: Terminal = {
    print: (line) => void printed.push(line),
    rewrite: () => {},
    warn: () => {},
    env: {
      TALLENNE_DATA_PATH: dataPath,
      TALLENNE_DATABASE__SOCKET_PATH: mariadb.settings.socketPath,
      TALLENNE_DATABASE__USER: mariadb.settings.user,
      TALLENNE_DATABASE__DATABASE: mariadb.settings.database,
    },
    isInteractive: false,
    columns: 80,
    stopSignal: () => new AbortController().signal,
    rootPath: dataPath,
  }
  const code = await auditExportVerb.run(
    { options: { format: 'csv', output }, words: [] },
    terminal,
  )
  t.equal(code, 0)
  // That it is exported is a row as well.
  t.same(printed, [`${output}: 2 rows`])
  t.equal(statSync(output).mode & 0o777, 0o600)
  const lines = readFileSync(output, 'utf8').trimEnd().split('\n')
  t.equal(lines.length, 3)
  t.match(lines[1], /search/)
  t.match(lines[2], /audit_exported/)
})
