import type { Migration } from './migration.ts'

/** What the platform calls a call, so that its own records lead to the contact. */
export const platformReferences: Migration = {
  version: 3,
  name: 'platform references',
  statements: [
    `ALTER TABLE contacts
      ADD COLUMN IF NOT EXISTS platform_reference VARCHAR(255) NULL COMMENT 'what the platform calls the call' AFTER agent,
      ADD KEY IF NOT EXISTS by_reference (platform_reference, started_at, id, service_line)`,
  ],
}
