import type { Registry } from 'prom-client'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Config } from '../../config/config.ts'
import { dataPaths } from '../../config/data-paths.ts'
import { createAudit } from '../../storage/audit/create-audit.ts'
import { ensurePseudonymKey, pseudonymOf } from '../../storage/audit/pseudonym.ts'
import type { Pool } from '../../storage/database.ts'
import { Listenings } from './listenings.ts'
import { PortalAudit } from './portal-audit.ts'

export interface OpenPortalAudit {
  readonly portal: PortalAudit
  readonly listenings: Listenings
  /** Writes what is being listened to, and what is on its way. Before the pool ends. */
  close(): Promise<void>
}

/** The portal's side of the audit trail. Rejects with `audit_key_unusable`. */
export async function openPortalAudit(
  config: Config,
  parts: {
    readonly pool: Pool
    readonly registry: Registry
    readonly clock: Clock
    readonly log: Log
  },
): Promise<OpenPortalAudit> {
  const folder = dataPaths(config).audit
  const key = await ensurePseudonymKey(folder)
  const { region } = config.identification
  const { clock } = parts
  const audit = createAudit({ ...parts, folder, process: 'portal', nodeId: config.node.id })
  const { trail, queue } = audit
  await queue.start()
  const listenings = new Listenings({ ...audit, clock })
  return {
    portal: new PortalAudit({
      ...audit,
      clock,
      pseudonymOf: (number) => pseudonymOf(number, { key, region }),
      publicNumbers: new Set(config.serviceLines.flatMap(({ numbers }) => numbers)),
    }),
    listenings,
    close: async () => {
      await listenings.close()
      await trail.settled()
      await queue.close()
    },
  }
}
