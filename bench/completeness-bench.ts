import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SystemClock } from '../base/clock.ts'
import { createSilentLog } from '../base/log.ts'
import { newId } from '../base/uuid.ts'
import { AnchorFile } from '../storage/audit/audit-anchors.ts'
import { auditEvent } from '../storage/audit/audit-event.ts'
import { AuditTrail } from '../storage/audit/audit-trail.ts'
import { verifyAudit } from '../storage/audit/verify-audit.ts'
import { listCalls } from '../storage/completeness/list-calls.ts'
import { takeListedCalls } from '../storage/completeness/platform-calls.ts'
import { readCompleteness } from '../storage/completeness/read-completeness.ts'
import { migrate } from '../storage/migrate.ts'
import { startMariadb } from '../test/mariadb.ts'

/**
 * How long it takes to account for the calls of a period among a million, to take a list of the platform's, and to prove
 * the audit trail. Prints milliseconds, on a MariaDB of its own. Run by itself:
 * `node build/bench/completeness-bench.js [ROWS]`.
 */
const rows = Number(process.argv[2] ?? 1_000_000)
/** As many calls as a centre has in a year and a half. */
const DAY_MS = 86_400_000
const DAYS = 500
const FROM_MS = Date.UTC(2025, 0, 1)
const TO_MS = FROM_MS + DAYS * DAY_MS
const LISTED = 20_000
const EVENTS = 20_000

const mariadb = await startMariadb()
const anchorsPath = mkdtempSync(join(tmpdir(), 'tallenne-bench-'))
try {
  const pool = mariadb.pool()
  await migrate(pool)
  await pool.query('SET GLOBAL innodb_buffer_pool_size = 536870912')
  await measure(`insert ${rows} contacts`, async () => {
    const each = Math.floor((DAYS * DAY_MS * 1000) / rows)
    await pool.query(
      `INSERT INTO contacts (id, node_id, call_id, capture, direction, caller_e164, caller_withheld,
         service_number_e164, service_line, started_at, answered_at, ended_at, end_reason, outcome, outcome_reasons)
       SELECT CONCAT('01940000-0000-7000-8000-', LPAD(HEX(seq), 12, '0')), 'node-1', CONCAT('call-', seq), 'siprec', 'inbound', CONCAT('+1202555', LPAD(seq MOD 10000, 4, '0')),
         FALSE, '+12025550100', IF(seq MOD 3 = 0, 'puhelunvalitys', 'asiakastuki'), t, t, t + INTERVAL 4 MINUTE, 'bye',
         CASE WHEN seq MOD 200 = 0 THEN 'partial' WHEN seq MOD 501 = 0 THEN 'silent' ELSE 'complete' END,
         CASE WHEN seq MOD 200 = 0 THEN 'media_lost' WHEN seq MOD 501 = 0 THEN 'no_media' WHEN seq MOD 30 = 0 THEN 'paused' ELSE '' END
       FROM (SELECT seq, ? + INTERVAL seq * ${each} MICROSECOND AS t FROM seq_1_to_${rows}) times`,
      [new Date(FROM_MS)],
    )
    await pool.query('ANALYZE TABLE contacts')
    return undefined
  })
  for (const [what, days] of [
    ['a day', 1],
    ['a month', 30],
    ['a year', 365],
    ['all', DAYS],
  ] as const) {
    const period = { fromMs: TO_MS - days * DAY_MS, toMs: TO_MS }
    await readCompleteness(pool, period, TO_MS)
    await measure(`account for ${what}`, async () => {
      const { calls } = await readCompleteness(pool, period, TO_MS)
      return `${calls} calls`
    })
  }
  const year = { fromMs: TO_MS - 365 * DAY_MS, toMs: TO_MS, limit: 50 }
  await measure('the newest 50 partial calls of a year', async () => {
    const page = await listCalls(pool, { ...year, outcome: 'partial' }, TO_MS)
    return `${page.items.length} calls`
  })
  await measure('50 silent calls of a year by reason', async () => {
    const page = await listCalls(pool, { ...year, outcome: 'silent', reason: 'no_media' }, TO_MS)
    return `${page.items.length} calls`
  })
  await measure(`take a list of ${LISTED} calls`, async () => {
    const importId = newId()
    let matched = 0
    const startedAt: { started_at: Date; caller_e164: string }[] = await pool.query(
      `SELECT started_at, caller_e164 FROM contacts ORDER BY started_at LIMIT ${LISTED}`,
    )
    for (let from = 0; from < LISTED; from += 1000) {
      const calls = startedAt.slice(from, from + 1000).map((row) => ({
        reference: null,
        callId: null,
        startedAtMs: row.started_at.getTime() + 2000,
        isAmbiguous: false,
        durationS: 240,
        wasAnswered: true,
        caller: row.caller_e164,
        callerE164: row.caller_e164,
        serviceNumber: '+12025550100',
        serviceNumberE164: '+12025550100',
        serviceLine: 'asiakastuki',
      }))
      const parts = {
        importId,
        list: 'platform',
        importedBy: 'bench',
        toleranceMs: 10_000,
        nowMs: TO_MS,
      }
      matched += (await takeListedCalls(pool, calls, parts)).matched
    }
    return `${matched} matched`
  })
  const clock = new SystemClock()
  const anchors = new AnchorFile(anchorsPath, String(process.pid))
  const trail = new AuditTrail({ pool, anchors, writer: 'bench', clock, log: createSilentLog() })
  const event = () =>
    auditEvent({
      atMs: clock.epochMs(),
      actor: { kind: 'token', name: 'admin-token' },
      action: 'search',
      details: { caller: 'n-abcdefghijabcdefghij', limit: 50, shown: 12 },
    })
  await measure(`write ${EVENTS} audit rows, 100 at once`, async () => {
    for (let from = 0; from < EVENTS; from += 100) {
      await Promise.all(Array.from({ length: 100 }, () => trail.record(event())))
    }
    return undefined
  })
  await measure('write 100 audit rows, one after the other', async () => {
    for (let count = 0; count < 100; count++) await trail.record(event())
    return undefined
  })
  await measure('prove the audit trail', async () => {
    const { rows: proved, broken } = await verifyAudit(pool, [])
    return `${proved} rows, ${broken ? 'broken' : 'whole'}`
  })
} finally {
  await mariadb.close()
  rmSync(anchorsPath, { recursive: true, force: true })
}

async function measure(what: string, work: () => Promise<string | undefined>): Promise<void> {
  const startedAt = performance.now()
  const said = await work()
  const ms = performance.now() - startedAt
  console.log(`${what.padEnd(45)}${ms.toFixed(1).padStart(10)} ms  ${said ?? ''}`.trimEnd())
}
