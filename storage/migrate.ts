import { createHash } from 'node:crypto'
import { TallenneError } from '../base/tallenne-error.ts'
import type { Pool, Queryable } from './database.ts'
import { contactsAndRecordings } from './migrations/001-contacts-and-recordings.ts'
import { joinedContacts } from './migrations/002-joined-contacts.ts'
import { platformReferences } from './migrations/003-platform-references.ts'
import { contactNotes } from './migrations/004-contact-notes.ts'
import { metadataDocuments } from './migrations/005-metadata-documents.ts'
import { auditTrail } from './migrations/006-audit-trail.ts'
import { encryptedFiles } from './migrations/007-encrypted-files.ts'
import { callOutcomes } from './migrations/008-call-outcomes.ts'
import { platformCalls } from './migrations/009-platform-calls.ts'
import { lostFiles } from './migrations/010-lost-files.ts'
import { platformImports } from './migrations/011-platform-imports.ts'
import { pagesByLine } from './migrations/012-pages-by-line.ts'
import type { Migration } from './migrations/migration.ts'
import { withNamedLock } from './named-lock.ts'

export const MIGRATIONS: readonly Migration[] = [
  contactsAndRecordings,
  joinedContacts,
  platformReferences,
  contactNotes,
  metadataDocuments,
  auditTrail,
  encryptedFiles,
  callOutcomes,
  platformCalls,
  lostFiles,
  platformImports,
  pagesByLine,
]

const LOCK_WAIT_S = 60

/**
 * Brings the schema up to this program's and tells the names of the steps it ran, none when it was up to
 * date. Programs that start at once wait for each other.
 *
 * Rejects with `schema_newer` where a newer program has been here, `schema_changed` where a step that ran
 * is not the one this program knows, and `schema_locked` where another migration does not end.
 */
export async function migrate(
  pool: Pool,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<readonly string[]> {
  const outcome = await withNamedLock(pool, { name: 'tallenne.migrate', waitS: LOCK_WAIT_S }, () =>
    runMissing(pool, migrations),
  )
  if (outcome.kind === 'done') return outcome.result
  throw new TallenneError(
    'schema_locked',
    `Another program has been migrating the database for ${LOCK_WAIT_S} s: wait for it, or end it, and start again.`,
  )
}

async function runMissing(connection: Queryable, migrations: readonly Migration[]) {
  await connection.query(
    `CREATE TABLE IF NOT EXISTS schema_migrations (
      version INT UNSIGNED NOT NULL PRIMARY KEY,
      name VARCHAR(255) NOT NULL,
      checksum CHAR(64) NOT NULL,
      applied_at DATETIME(3) NOT NULL
    ) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  )
  const rows: { version: number; name: string; checksum: string }[] = await connection.query(
    'SELECT version, name, checksum FROM schema_migrations ORDER BY version',
  )
  const known = new Map(migrations.map((migration) => [migration.version, migration]))
  for (const row of rows) {
    const migration = known.get(row.version)
    if (!migration) {
      throw new TallenneError(
        'schema_newer',
        `The database has schema step ${row.version} (${row.name}), this program ends at ${migrations.length}: install the newer program.`,
      )
    }
    if (checksumOf(migration) !== row.checksum) {
      throw new TallenneError(
        'schema_changed',
        `Schema step ${row.version} (${row.name}) of the database is not the one this program knows: it was made by another build. Use that build, or restore the database from before it.`,
      )
    }
  }
  const done = new Set(rows.map((row) => row.version))
  const applied: string[] = []
  for (const migration of migrations) {
    if (done.has(migration.version)) continue
    for (const statement of migration.statements) await connection.query(statement)
    await connection.query('INSERT INTO schema_migrations VALUES (?, ?, ?, UTC_TIMESTAMP(3))', [
      migration.version,
      migration.name,
      checksumOf(migration),
    ])
    applied.push(migration.name)
  }
  return applied
}

function checksumOf(migration: Migration): string {
  return createHash('sha256').update(migration.statements.join(';\n')).digest('hex')
}
