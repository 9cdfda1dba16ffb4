import { any, type Statement } from '../statement.ts'

/** What became of a call, once: what its recordings were judged, or why there are none. */
export const CALL_OUTCOMES = [
  'complete',
  'partial',
  'silent',
  'failed',
  'refused',
  'unanswered',
  'exempt',
] as const

/**
 * `refused`: the session or the call was not taken. `unanswered`: given up, or nobody was reached. `exempt`: its route
 * says that it is not recorded.
 */
export type CallOutcome = (typeof CALL_OUTCOMES)[number]

/** Refusals that are the recorder's own, or tell of its trouble; other answers of a trunk's far side are the far side's. */
const REFUSED = "(c.capture = 'siprec' OR c.end_reason REGEXP '^refused_(488|5)')"

/**
 * Sets what became of the contact `@settled`, from its own row, the rows of its further sessions and its recordings.
 * Null while it goes on or waits for a verdict. Where recordings differ, something is missing of the call: `partial`.
 */
const SETTLE = any(
  `UPDATE contacts c
   LEFT JOIN (
     SELECT COUNT(*) AS count, SUM(verdict IS NULL) AS pending, MIN(CONCAT(verdict)) AS one,
       MAX(CONCAT(verdict)) AS other, GROUP_CONCAT(NULLIF(reasons, '[]') SEPARATOR ',') AS reasons
     FROM recordings WHERE contact_id = @settled
   ) r ON TRUE
   LEFT JOIN (
     SELECT COUNT(*) AS open FROM contacts WHERE joined_into = @settled AND ended_at IS NULL
   ) further ON TRUE
   SET c.outcome = CASE
       WHEN c.joined_into IS NOT NULL THEN 'joined'
       WHEN c.ended_at IS NULL OR further.open > 0 OR r.pending > 0 THEN NULL
       WHEN r.count > 0 THEN IF(r.one = r.other, r.one, 'partial')
       WHEN c.is_exempt THEN 'exempt'
       WHEN c.answered_at IS NOT NULL THEN NULL
       WHEN c.end_reason = 'cancelled' THEN 'unanswered'
       WHEN ${REFUSED} THEN 'refused'
       ELSE 'unanswered' END,
     c.outcome_reasons = LEFT(IF(r.count > 0,
       REGEXP_REPLACE(COALESCE(r.reasons, ''), '[^a-z0-9_,]', ''), COALESCE(c.end_reason, '')), 255)
   WHERE c.id = @settled`,
  [],
)

/** Settles the contact that a row, its own or that of a further session, belongs to. */
export function settleOutcome(rowId: string): readonly Statement[] {
  return [
    any('SET @settled = (SELECT COALESCE(joined_into, id) FROM contacts WHERE id = ?)', [rowId]),
    SETTLE,
  ]
}

/** Settles `@root`, of which `@part`, a contact's row or null, has become a further session. */
export const SETTLE_JOINED: readonly Statement[] = [
  any(
    `UPDATE contacts SET outcome = 'joined', outcome_reasons = ''
     WHERE joined_into = @root AND @part IS NOT NULL`,
    [],
  ),
  any('SET @settled = IF(@part IS NULL, NULL, @root)', []),
  SETTLE,
]
