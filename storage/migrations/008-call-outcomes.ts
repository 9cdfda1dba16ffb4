import type { Migration } from './migration.ts'

/**
 * What became of each call, in its row, so that any period is counted out of one index: `by_outcome` holds all that
 * counting asks for. A recording's verdict stays when the recording is deleted.
 */
export const callOutcomes: Migration = {
  version: 8,
  name: 'outcomes of calls',
  statements: [
    `ALTER TABLE recordings
      ADD COLUMN IF NOT EXISTS verdict ENUM('complete', 'partial', 'silent', 'failed') NULL
        COMMENT 'stays when the recording is deleted' AFTER state`,
    `UPDATE recordings SET verdict = CONCAT(state)
      WHERE verdict IS NULL AND state IN ('complete', 'partial', 'silent', 'failed')`,

    `ALTER TABLE contacts
      ADD COLUMN IF NOT EXISTS is_exempt BOOLEAN NOT NULL DEFAULT FALSE
        COMMENT 'its route says that it is not recorded' AFTER end_reason,
      ADD COLUMN IF NOT EXISTS outcome
        ENUM('complete', 'partial', 'silent', 'failed', 'refused', 'unanswered', 'exempt', 'joined') NULL
        COMMENT 'null while the call goes on, or awaits a verdict' AFTER is_exempt,
      ADD COLUMN IF NOT EXISTS outcome_reasons VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT ''
        COMMENT 'of its recordings, or why it ended, with commas between' AFTER outcome,
      ADD KEY IF NOT EXISTS by_outcome (outcome, started_at, id, service_line, outcome_reasons)`,

    `UPDATE contacts c
      LEFT JOIN (
        SELECT contact_id, MIN(CONCAT(verdict)) AS one, MAX(CONCAT(verdict)) AS other,
          SUM(verdict IS NULL AND state = 'recording') AS pending,
          GROUP_CONCAT(NULLIF(reasons, '[]') SEPARATOR ',') AS reasons
        FROM recordings GROUP BY contact_id
      ) r ON r.contact_id = c.id
      SET c.outcome = CASE
          WHEN c.joined_into IS NOT NULL THEN 'joined'
          WHEN c.ended_at IS NULL OR r.pending > 0 THEN NULL
          WHEN r.one IS NOT NULL THEN IF(r.one = r.other, r.one, 'partial')
          WHEN c.answered_at IS NOT NULL THEN NULL
          WHEN c.end_reason <> 'cancelled' AND (c.capture = 'siprec' OR c.end_reason REGEXP '^refused_(488|5)')
            THEN 'refused'
          ELSE 'unanswered' END,
        c.outcome_reasons = LEFT(IF(r.one IS NULL, COALESCE(c.end_reason, ''),
          REGEXP_REPLACE(COALESCE(r.reasons, ''), '[^a-z0-9_,]', '')), 255)
      WHERE c.outcome IS NULL`,
  ],
}
