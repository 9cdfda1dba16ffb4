import { guardAudit } from '../../storage/audit/guard-audit.ts'
import { createDatabaseIfMissing, createDatabasePool } from '../../storage/database.ts'
import { migrate } from '../../storage/migrate.ts'
import { CONFIG_HELP, CONFIG_OPTIONS, findConfig } from '../effective-config.ts'
import { hasFlag, type Verb } from '../verb.ts'

/** Brings the database's schema up to date. */
export const migrateVerb: Verb = {
  name: 'migrate',
  help: `Usage: tallenne migrate [--json]

Creates the database where it is missing and runs the steps of the schema that it lacks. The
gateway and tallenne up do the same at their start.

  --json          { "applied": […] }
${CONFIG_HELP}`,
  options: { ...CONFIG_OPTIONS, json: { type: 'boolean' } },
  words: [],
  run: async (given, terminal) => {
    const { database } = findConfig(given, terminal)
    await createDatabaseIfMissing(database)
    const pool = createDatabasePool(database)
    try {
      const applied = await migrate(pool)
      if (hasFlag(given, 'json')) terminal.print(JSON.stringify({ applied }))
      else if (applied.length === 0) terminal.print('The schema is up to date.')
      else for (const name of applied) terminal.print(`applied ${name}`)
      const obstacle = await guardAudit(pool)
      if (obstacle !== undefined) {
        terminal.warn(
          `The server does not refuse to change rows of the audit trail (${obstacle}): docs/audit.md says what its administrator can do.`,
        )
      }
      return 0
    } finally {
      await pool.end()
    }
  },
}
