import type { Migration } from './migration.ts'

const TABLE = 'ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin'

/**
 * The platform's own list of calls, to find what never came here, and what nodes found that does not agree.
 *
 * A listed call whose contact was found keeps no number: the contact has it. `by_match` holds all that counting asks for.
 */
export const platformCalls: Migration = {
  version: 9,
  name: 'calls as the platform lists them',
  statements: [
    `CREATE TABLE IF NOT EXISTS platform_calls (
      id UUID NOT NULL PRIMARY KEY,
      list VARCHAR(64) NOT NULL COMMENT 'whose list',
      fingerprint CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'of all that the list says of the call',
      reference VARCHAR(255) NULL COMMENT 'what the platform calls it',
      call_id VARCHAR(512) NULL,
      started_at DATETIME(3) NOT NULL,
      is_ambiguous BOOLEAN NOT NULL COMMENT 'a local time that the clock showed twice; the first of the two',
      tolerance_ms INT UNSIGNED NOT NULL,
      duration_s INT UNSIGNED NULL,
      was_answered BOOLEAN NULL,
      caller VARCHAR(255) NULL COMMENT 'as listed; null once its contact is known',
      caller_e164 VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
      service_number VARCHAR(255) NULL,
      service_number_e164 VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
      service_line VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      contact_id UUID NULL,
      matched_by ENUM('reference', 'call_id', 'numbers') NULL,
      imported_at DATETIME(3) NOT NULL,
      UNIQUE KEY once (list, fingerprint),
      KEY by_match (started_at, contact_id, was_answered, service_line),
      KEY by_contact (contact_id)
    ) ${TABLE}`,

    `CREATE TABLE IF NOT EXISTS discrepancies (
      kind VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      subject UUID NOT NULL COMMENT 'a contact or a recording',
      node_id VARCHAR(64) NOT NULL,
      found_at DATETIME(3) NOT NULL,
      seen_at DATETIME(3) NOT NULL,
      cleared_at DATETIME(3) NULL COMMENT 'when it agreed again',
      PRIMARY KEY (kind, subject),
      KEY by_clearing (cleared_at, kind, found_at)
    ) ${TABLE}`,
  ],
}
