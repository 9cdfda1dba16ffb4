import type { Migration } from './migration.ts'

/** What the platform notes about a contact. A note that was taken away stays as null, so that an older one stays away. */
export const contactNotes: Migration = {
  version: 4,
  name: 'notes of contacts',
  statements: [
    `CREATE TABLE IF NOT EXISTS contact_notes (
      contact_id UUID NOT NULL,
      name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
      value VARCHAR(1024) NULL,
      annotated_at DATETIME(3) NOT NULL,
      PRIMARY KEY (contact_id, name),
      CONSTRAINT note_of_contact FOREIGN KEY (contact_id) REFERENCES contacts (id)
    ) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
  ],
}
