import type { Migration } from './migration.ts'

/**
 * Several sessions may bring one call, on one node or on several. Each has a row in `contacts`; those after the first
 * lead to it by `joined_into`, and segments and recordings are always the first one's.
 *
 * `contact_keys` says which contact a name of a call led to last. Its rows are what two nodes that hear of one call at
 * the same time wait for each other at.
 */
export const joinedContacts: Migration = {
  version: 2,
  name: 'joined contacts',
  statements: [
    `ALTER TABLE contacts
      ADD COLUMN IF NOT EXISTS joined_into UUID NULL COMMENT 'the contact that this session is a further one of',
      ADD KEY IF NOT EXISTS by_joined (joined_into, ended_at)`,

    `ALTER TABLE recordings
      ADD COLUMN IF NOT EXISTS session_id UUID NULL COMMENT 'the row of the session that brought it, on whose node it lies',
      ADD COLUMN IF NOT EXISTS on_hold JSON NOT NULL DEFAULT '[]' COMMENT 'stretches in which a party was on hold'`,

    `ALTER TABLE segments
      ADD COLUMN IF NOT EXISTS session_id UUID NULL COMMENT 'the row of the session that told of it'`,

    `CREATE TABLE IF NOT EXISTS contact_keys (
      join_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
      contact_id UUID NOT NULL,
      seen_at DATETIME(3) NOT NULL,
      KEY by_age (seen_at)
    ) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  ],
}
