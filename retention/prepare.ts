import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { TallenneError } from '../base/tallenne-error.ts'
import { untilAborted } from '../base/until-aborted.ts'
import type { Config } from '../config/config.ts'
import { serviceLinesOf } from '../config/service-lines.ts'
import { withoutSecrets } from '../config/without-secrets.ts'
import { auditEvent } from '../storage/audit/audit-event.ts'
import type { Audit } from '../storage/audit/create-audit.ts'
import { guardAudit } from '../storage/audit/guard-audit.ts'
import { recordConfiguration } from '../storage/audit/record-configuration.ts'
import { databaseMessage, type Pool } from '../storage/database.ts'
import { migrate } from '../storage/migrate.ts'
import type { RecordingStore } from '../storage/recording-store.ts'
import { syncServiceLines } from '../storage/service-lines.ts'

export interface WaitOptions {
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

export interface PrepareOptions extends WaitOptions {
  readonly pool: Pool
  readonly audit: Audit
  readonly config: Config
}

const RETRY_MS = 2000
/**
 * What waiting mends: another program's work, an audit trail that cannot be written, a store that its writer has not made
 * yet, or that does not answer.
 */
const PASSING: readonly string[] = [
  'schema_locked',
  'audit_unavailable',
  'store_missing',
  'store_hung',
]

/**
 * Brings the schema and the service lines up to date, waiting for the database as long as it takes. Returns early when
 * aborted; rejects for what waiting does not mend, such as a newer schema.
 */
export function prepare(options: PrepareOptions): Promise<void> {
  return persist(() => prepareOnce(options), options)
}

/** Waits until the store is there. Returns early when aborted. */
export function waitForStore(
  store: Pick<RecordingStore, 'check'>,
  options: WaitOptions,
): Promise<void> {
  // A store that hangs is not waited for by whoever ends the process.
  const check = () => Promise.race([store.check(), untilAborted(options.signal)])
  return persist(check, options)
}

async function persist(
  work: () => Promise<void>,
  { clock, log, signal }: WaitOptions,
): Promise<void> {
  let told: string | undefined
  while (!signal.aborted) {
    try {
      await work()
      return
    } catch (error) {
      if (error instanceof TallenneError && !PASSING.includes(error.code)) throw error
      const reason = databaseMessage(error)
      if (reason !== told) log.warn({ reason }, 'retention waits')
      told = reason
      await pause(clock, { delayMs: RETRY_MS, signal })
    }
  }
}

async function prepareOnce({ pool, audit, config, clock, log }: PrepareOptions): Promise<void> {
  const steps = await migrate(pool)
  if (steps.length > 0) log.info({ steps }, 'schema brought up to date')
  const obstacle = await guardAudit(pool)
  if (obstacle !== undefined) {
    log.warn({ reason: obstacle }, 'the server does not refuse to change rows of the audit trail')
  }
  const changes = await syncServiceLines(pool, serviceLinesOf(config), {
    setBy: `configuration of ${config.node.id}`,
    nowMs: clock.epochMs(),
  })
  for (const change of changes) {
    log.info(change, 'retention policy changed')
    await audit.queue.record(
      auditEvent({
        atMs: clock.epochMs(),
        actor: { kind: 'system', name: 'retention' },
        action: 'policy_changed',
        details: { ...change, before: change.before ?? null },
      }),
    )
  }
  await recordConfiguration(
    { id: config.node.id, configuration: withoutSecrets(config) },
    { pool, trail: audit.trail, process: 'retention', clock },
  )
}

async function pause(
  clock: Clock,
  { delayMs, signal }: { readonly delayMs: number; readonly signal: AbortSignal },
): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const timer = clock.after(delayMs, resolve)
    const stop = () => {
      timer.cancel()
      resolve()
    }
    signal.addEventListener('abort', stop, { once: true })
  })
}
