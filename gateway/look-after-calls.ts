import type { Registry } from 'prom-client'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { RepeatedWork } from '../base/repeated-work.ts'
import { settledWithin } from '../base/settled-within.ts'
import { messageOf } from '../base/tallenne-error.ts'
import type { Config } from '../config/config.ts'
import { dataPaths } from '../config/data-paths.ts'
import { withoutSecrets } from '../config/without-secrets.ts'
import type { LiveRecording } from '../recorder/recording-plan.ts'
import { createAudit } from '../storage/audit/create-audit.ts'
import { recordConfiguration } from '../storage/audit/record-configuration.ts'
import type { Pool } from '../storage/database.ts'
import type { ContactJournal } from '../storage/model.ts'
import { findUnfinishedContacts } from '../storage/unfinished-contacts.ts'
import type { LiveCall } from './calls/live-call.ts'
import { CallComparison } from './compare-calls.ts'
import { type CrashRecoveryOptions, recoverFromCrash } from './crash-recovery.ts'

export interface LookAfterCallsOptions
  extends Pick<CrashRecoveryOptions, 'spooled' | 'repair' | 'files'> {
  readonly pool: Pool
  readonly journal: ContactJournal & {
    readonly state: { readonly depth: number }
    drained(): Promise<void>
  }
  readonly startedAtMs: number
  readonly calls: () => readonly LiveCall[]
  readonly recordings: () => Promise<readonly LiveRecording[]>
  /** Ids of the recordings in the spool now. */
  readonly inSpool: () => Promise<readonly string[]>
  readonly registry: Registry
  readonly clock: Clock
  readonly log: Log
}

/** Contacts whose recording lies in a store that does not answer are looked at again. */
const RECOVER_EVERY_MS = 10_000
/** Of the time in which a gateway ends. A database or a spool that hangs would take all of it. */
const CLOSE_WITHIN_MS = 250

/**
 * Once the database has what was journaled: ends what a crash left, tells the audit trail of another configuration, and
 * from then on compares calls, rows and files. Gives the function that ends it.
 */
export function lookAfterCalls(
  config: Config,
  options: LookAfterCallsOptions,
): () => Promise<void> {
  const { pool, journal, startedAtMs, recordings, inSpool, registry, clock, log } = options
  const { id: nodeId } = config.node
  const comparison = new CallComparison({
    ...options,
    nodeId,
    recordings: async () => (await recordings()).map(({ recordingId }) => recordingId),
    spooled: inSpool,
    isCaughtUp: () => journal.state.depth === 0,
  })
  const findUnfinished = async () => {
    await journal.drained()
    return findUnfinishedContacts(pool, { nodeId, startedBeforeMs: startedAtMs })
  }
  let isClosed = false
  const { trail } = createAudit({
    ...{ pool, folder: dataPaths(config).audit, process: 'gateway', nodeId },
    ...{ registry, clock, log },
  })
  const recover = async (spooled: readonly string[]) => {
    try {
      return await recoverFromCrash({ ...options, spooled, findUnfinished })
    } catch (error) {
      log.error({ err: error }, 'crash recovery failed')
      return 0
    }
  }
  const later = new RepeatedWork({
    clock,
    everyMs: RECOVER_EVERY_MS,
    work: async () => {
      if ((await recover([])) === 0) later.stop()
    },
  })
  recover(options.spooled)
    .then((waiting) => {
      if (waiting > 0 && !isClosed) later.start()
    })
    .then(() => comparison.start())
    .then(() =>
      recordConfiguration(
        { id: nodeId, configuration: withoutSecrets(config) },
        { pool, trail, process: 'gateway', clock },
      ),
    )
    .catch((error: unknown) =>
      log.warn({ reason: messageOf(error) }, 'configuration is not in the audit trail'),
    )
  return async () => {
    isClosed = true
    later.stop()
    await settledWithin(comparison.close(), { clock, limitMs: CLOSE_WITHIN_MS })
  }
}
