import type { Migration } from './migration.ts'

/**
 * Who saw and did what, row upon row: each holds the hash of the one before it. Nothing of it is ever changed or
 * deleted; docs/audit.md says how that is proved.
 *
 * Texts are stored as they were hashed. `details` is text and not JSON in the database's sense, so that no server
 * writes it in another way.
 */
export const auditTrail: Migration = {
  version: 6,
  name: 'audit trail',
  statements: [
    `CREATE TABLE IF NOT EXISTS audit_trail (
      sequence BIGINT UNSIGNED NOT NULL PRIMARY KEY COMMENT 'from 1 on without a gap',
      id UUID NOT NULL COMMENT 'of the event, so that none is written twice',
      occurred_at DATETIME(3) NOT NULL,
      writer VARCHAR(128) NOT NULL COMMENT 'process and node',
      actor_kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      actor_name VARCHAR(255) NOT NULL,
      action VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      contact_id UUID NULL,
      recording_id UUID NULL,
      details MEDIUMTEXT NOT NULL COMMENT 'canonical JSON',
      previous_hash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      hash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      UNIQUE KEY by_event (id),
      KEY by_time (occurred_at, sequence),
      KEY by_contact (contact_id, sequence),
      KEY by_recording (recording_id, sequence),
      KEY by_actor (actor_name, sequence),
      KEY by_action (action, sequence)
    ) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  ],
}
