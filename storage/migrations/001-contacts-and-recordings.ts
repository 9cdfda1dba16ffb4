import type { Migration } from './migration.ts'

const TABLE = 'ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin'

/**
 * Indexes of `contacts` carry what a search sorts by (`started_at`, `id`) right after what it looks for, so
 * that a page is read in order and ends at its limit, and then `service_line`, so that rows of other lines
 * are passed over without being fetched.
 *
 * A line stands in rows by its name, without a foreign key: a contact whose line the tables do not know
 * yet is still written.
 */
export const contactsAndRecordings: Migration = {
  version: 1,
  name: 'contacts and recordings',
  statements: [
    `CREATE TABLE IF NOT EXISTS service_lines (
      name VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
      is_catch_all BOOLEAN NOT NULL,
      is_configured BOOLEAN NOT NULL COMMENT 'false once it left the configuration; its policy still holds',
      created_at DATETIME(3) NOT NULL
    ) ${TABLE}`,

    `CREATE TABLE IF NOT EXISTS service_line_policies (
      service_line VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      version INT UNSIGNED NOT NULL COMMENT 'the highest is the current one',
      period VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'ISO 8601 duration; null keeps for ever',
      time_zone VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      valid_from DATETIME(3) NOT NULL,
      set_by VARCHAR(255) NOT NULL,
      PRIMARY KEY (service_line, version),
      CONSTRAINT policy_of_line FOREIGN KEY (service_line) REFERENCES service_lines (name)
    ) ${TABLE}`,

    `CREATE TABLE IF NOT EXISTS service_numbers (
      number VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'E.164',
      service_line VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      valid_from DATETIME(3) NOT NULL,
      valid_to DATETIME(3) NULL,
      PRIMARY KEY (number, valid_from),
      KEY line (service_line),
      CONSTRAINT number_of_line FOREIGN KEY (service_line) REFERENCES service_lines (name)
    ) ${TABLE}`,

    `CREATE TABLE IF NOT EXISTS contacts (
      id UUID NOT NULL PRIMARY KEY,
      node_id VARCHAR(64) NOT NULL,
      call_id VARCHAR(512) NOT NULL,
      capture ENUM('siprec', 'trunk') NOT NULL,
      direction ENUM('inbound', 'outbound', 'unknown') NOT NULL,
      caller_raw VARCHAR(255) NULL,
      caller_e164 VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
      caller_display VARCHAR(255) NULL,
      caller_withheld BOOLEAN NOT NULL,
      service_number_raw VARCHAR(255) NULL,
      service_number_e164 VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
      service_number_display VARCHAR(255) NULL,
      service_line VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      agent VARCHAR(255) NULL,
      started_at DATETIME(3) NOT NULL,
      answered_at DATETIME(3) NULL,
      ended_at DATETIME(3) NULL,
      end_reason VARCHAR(64) NULL,
      KEY by_time (started_at, id),
      KEY by_call (call_id, started_at, id),
      KEY by_caller (caller_e164, started_at, id, service_line),
      KEY by_caller_raw (caller_raw, started_at, id, service_line),
      KEY by_service_number (service_number_e164, started_at, id, service_line),
      KEY by_service_number_raw (service_number_raw, started_at, id, service_line),
      KEY by_line (service_line, started_at, id),
      KEY by_agent (agent, started_at, id, service_line),
      KEY by_node_and_end (node_id, ended_at)
    ) ${TABLE}`,

    `CREATE TABLE IF NOT EXISTS contact_metadata (
      contact_id UUID NOT NULL PRIMARY KEY,
      found_in JSON NOT NULL COMMENT 'where each party was read, and whether it is a guess',
      metadata MEDIUMTEXT NULL COMMENT 'recording metadata as received',
      CONSTRAINT metadata_of_contact FOREIGN KEY (contact_id) REFERENCES contacts (id)
    ) ${TABLE}`,

    `CREATE TABLE IF NOT EXISTS segments (
      id UUID NOT NULL PRIMARY KEY,
      contact_id UUID NOT NULL,
      contact_started_at DATETIME(3) NOT NULL COMMENT 'of the contact, so that an agent''s calls are read in order',
      agent VARCHAR(255) NULL,
      started_at DATETIME(3) NOT NULL,
      ended_at DATETIME(3) NULL,
      KEY by_contact (contact_id, started_at),
      KEY by_agent (agent, contact_started_at, contact_id),
      CONSTRAINT segment_of_contact FOREIGN KEY (contact_id) REFERENCES contacts (id)
    ) ${TABLE}`,

    `CREATE TABLE IF NOT EXISTS recordings (
      id UUID NOT NULL PRIMARY KEY,
      contact_id UUID NOT NULL,
      service_line VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the contact''s',
      call_ended_at DATETIME(3) NULL COMMENT 'the contact''s end, from which the period runs',
      state ENUM('recording', 'complete', 'partial', 'silent', 'failed', 'deleting', 'deleted') NOT NULL,
      reasons JSON NOT NULL,
      started_at DATETIME(3) NOT NULL,
      duration_ms INT UNSIGNED NULL,
      call_duration_ms INT UNSIGNED NULL,
      lost_ms INT UNSIGNED NULL,
      loss_map JSON NULL,
      pauses JSON NOT NULL DEFAULT '[]',
      media JSON NULL COMMENT 'packet counters of each stream',
      bytes BIGINT UNSIGNED NULL,
      sha256 CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
      file VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'relative to the store',
      file_missing_since DATETIME(3) NULL COMMENT 'when a sweep first found no file where one should be',
      deleting_at DATETIME(3) NULL,
      deleted_at DATETIME(3) NULL,
      deleted_by_policy INT UNSIGNED NULL COMMENT 'version of the line''s policy',
      KEY by_contact (contact_id, started_at),
      KEY by_state (state, service_line, call_ended_at, id),
      CONSTRAINT recording_of_contact FOREIGN KEY (contact_id) REFERENCES contacts (id)
    ) ${TABLE}`,

    `CREATE TABLE IF NOT EXISTS holds (
      id UUID NOT NULL PRIMARY KEY,
      recording_id UUID NOT NULL,
      reason VARCHAR(1000) NOT NULL,
      placed_by VARCHAR(255) NOT NULL,
      placed_at DATETIME(3) NOT NULL,
      until_at DATETIME(3) NULL COMMENT 'null holds until released',
      released_by VARCHAR(255) NULL,
      released_at DATETIME(3) NULL,
      KEY by_recording (recording_id, released_at),
      CONSTRAINT hold_of_recording FOREIGN KEY (recording_id) REFERENCES recordings (id)
    ) ${TABLE}`,
  ],
}
