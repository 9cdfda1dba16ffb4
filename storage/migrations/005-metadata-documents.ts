import type { Migration } from './migration.ts'

/** What was one document of a contact becomes every one that its sessions were sent, each as received. */
export const metadataDocuments: Migration = {
  version: 5,
  name: 'metadata documents',
  statements: [
    `CREATE TABLE IF NOT EXISTS metadata_documents (
      id UUID NOT NULL PRIMARY KEY,
      contact_id UUID NOT NULL COMMENT 'the row of the session that received it',
      received_at DATETIME(3) NOT NULL,
      document MEDIUMTEXT NOT NULL,
      KEY by_contact (contact_id, received_at, id),
      CONSTRAINT document_of_contact FOREIGN KEY (contact_id) REFERENCES contacts (id)
    ) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
    `ALTER TABLE contact_metadata
      ADD COLUMN IF NOT EXISTS metadata MEDIUMTEXT NULL`,
    `INSERT IGNORE INTO metadata_documents (id, contact_id, received_at, document)
      SELECT contact_id, contact_id, started_at, metadata
      FROM contact_metadata JOIN contacts ON id = contact_id WHERE metadata IS NOT NULL`,
    `ALTER TABLE contact_metadata DROP COLUMN IF EXISTS metadata`,
  ],
}
