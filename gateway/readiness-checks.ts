import type { ReadinessCheck } from '../base/http-service.ts'
import type { JournalClient } from '../storage/journal-client.ts'
import type { CallAdmission } from './admission/admission.ts'
import type { EnginePool } from './media/engine-pool.ts'
import type { NodeDisks } from './node-disks.ts'
import type { SipConnection } from './sip/sip-connection.ts'

/** What must be well before calls can be taken. A database that is away is waited for by the journal. */
export function readinessChecks(parts: {
  readonly connections: readonly SipConnection[]
  readonly engines: EnginePool
  readonly admission: CallAdmission
  readonly journal: JournalClient
  readonly disks: NodeDisks
  readonly isStarting: () => boolean
  readonly isDraining: () => boolean
}): readonly ReadinessCheck[] {
  const { connections, engines, admission, journal, disks, isStarting, isDraining } = parts
  return [
    {
      name: 'sip',
      check: () =>
        connections.some((connection) => connection.isConnected)
          ? undefined
          : 'no SIP server is connected',
    },
    {
      name: 'engines',
      check: () => (engines.health.running > 0 ? undefined : 'no engine runs'),
    },
    { name: 'journal', check: () => journal.state.diskError },
    // Calls are recorded all the same, into the spool.
    { name: 'store', isVital: false, check: () => disks.storeObstacle },
    { name: 'admission', check: () => admission.obstacle?.message },
    {
      name: 'calls',
      check: () => {
        if (isDraining()) return 'the node is being stopped'
        return isStarting() ? 'the node is starting' : undefined
      },
    },
  ]
}
