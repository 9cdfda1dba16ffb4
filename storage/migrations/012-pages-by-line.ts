import type { Migration } from './migration.ts'

/**
 * Callers, agents and service numbers have few service lines, and what these are is read out of the front of each key. So a
 * search for one of them is a page of each of its lines, merged; one for two that never meet ends at once; and neither
 * needs a key beside these.
 */
export const pagesByLine: Migration = {
  version: 12,
  name: 'pages by service line',
  statements: [
    `ALTER TABLE segments
      ADD COLUMN IF NOT EXISTS service_line VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'the contact''s'
        AFTER agent`,
    `UPDATE segments JOIN contacts ON contacts.id = segments.contact_id
      SET segments.service_line = contacts.service_line WHERE segments.service_line IS NULL`,
    `ALTER TABLE segments
      MODIFY COLUMN service_line VARCHAR(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the contact''s',
      DROP KEY IF EXISTS by_agent,
      ADD KEY by_agent (agent, service_line, contact_started_at, contact_id)`,
    `ALTER TABLE contacts
      DROP KEY IF EXISTS by_agent,
      DROP KEY IF EXISTS by_caller,
      DROP KEY IF EXISTS by_caller_raw,
      DROP KEY IF EXISTS by_service_number,
      DROP KEY IF EXISTS by_service_number_raw,
      ADD KEY by_agent (agent, service_line, started_at, id),
      ADD KEY by_caller (caller_e164, service_line, started_at, id),
      ADD KEY by_caller_raw (caller_raw, service_line, started_at, id),
      ADD KEY by_service_number (service_number_e164, service_line, started_at, id),
      ADD KEY by_service_number_raw (service_number_raw, service_line, started_at, id)`,
  ],
}
