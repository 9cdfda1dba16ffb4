import type { Migration } from './migration.ts'

/** Files that were looked for and not found are few among many recordings: an index leads to them. */
export const lostFiles: Migration = {
  version: 10,
  name: 'index of lost files',
  statements: [
    `ALTER TABLE recordings
      ADD KEY IF NOT EXISTS by_missing_file (file_missing_since, state)`,
  ],
}
