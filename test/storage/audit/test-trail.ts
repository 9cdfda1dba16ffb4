import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSilentLog } from '../../../base/log.ts'
import { AnchorFile } from '../../../storage/audit/audit-anchors.ts'
import { AuditTrail } from '../../../storage/audit/audit-trail.ts'
import type { Pool } from '../../../storage/database.ts'
import { ManualClock } from '../../manual-clock.ts'

/** A trail on a test's own database. Its anchors lie in the system's folder for temporary files. */
export function testTrail(pool: Pool): AuditTrail {
  const folder = mkdtempSync(join(tmpdir(), 'tallenne-anchors-'))
  return new AuditTrail({
    pool,
    anchors: new AnchorFile(folder, 'test'),
    writer: 'test/node-1',
    clock: new ManualClock(),
    log: createSilentLog(),
  })
}
