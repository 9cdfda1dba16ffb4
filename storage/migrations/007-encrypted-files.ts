import type { Migration } from './migration.ts'

/** `bytes` and `sha256` are of the file as it stands in the store; what it hides has columns of its own. */
export const encryptedFiles: Migration = {
  version: 7,
  name: 'encrypted files',
  statements: [
    `ALTER TABLE recordings
      ADD COLUMN IF NOT EXISTS encryption ENUM('none', 'sealed', 'age') NOT NULL DEFAULT 'none'
        COMMENT 'how the file hides its audio' AFTER sha256,
      ADD COLUMN IF NOT EXISTS key_set CHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL
        COMMENT 'names the recipients of an encrypted file' AFTER encryption,
      ADD COLUMN IF NOT EXISTS audio_bytes BIGINT UNSIGNED NULL
        COMMENT 'of the audio of an encrypted file' AFTER key_set,
      ADD COLUMN IF NOT EXISTS audio_sha256 CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL
        AFTER audio_bytes`,
  ],
}
