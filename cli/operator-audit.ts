import { userInfo } from 'node:os'
import pino from 'pino'
import { SystemClock } from '../base/clock.ts'
import type { Config } from '../config/config.ts'
import { dataPaths } from '../config/data-paths.ts'
import { AnchorFile } from '../storage/audit/audit-anchors.ts'
import type { Actor } from '../storage/audit/audit-event.ts'
import { AuditTrail } from '../storage/audit/audit-trail.ts'
import type { Pool } from '../storage/database.ts'
import type { Terminal } from './verb.ts'

/** Who types the commands: the account, and who became it where sudo tells. */
export function operatorOf({ env }: Pick<Terminal, 'env'>): Actor {
  const { username } = userInfo()
  const sudoUser = env['SUDO_USER']
  const name = sudoUser && sudoUser !== username ? `${sudoUser} as ${username}` : username
  return { kind: 'operator', name }
}

/** The audit trail as the command line writes to it; what goes wrong beside is told on standard error. */
export function commandLineTrail(config: Config, pool: Pool): AuditTrail {
  return new AuditTrail({
    pool,
    anchors: new AnchorFile(dataPaths(config).audit, 'cli'),
    writer: `cli/${config.node.id}`,
    clock: new SystemClock(),
    log: pino({ level: 'error', base: { process: 'cli' } }, pino.destination(2)),
  })
}
