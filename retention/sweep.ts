import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { TallenneError } from '../base/tallenne-error.ts'
import { type Actor, auditEvent } from '../storage/audit/audit-event.ts'
import type { AuditTrail } from '../storage/audit/audit-trail.ts'
import type { Pool } from '../storage/database.ts'
import {
  type ClaimedRecording,
  claimDue,
  countDue,
  type DueCount,
  EXPIRING_STATES,
  markDeleted,
  unfinishedDeletions,
  type WalkPosition,
} from '../storage/due-recordings.ts'
import { inBatches } from '../storage/in-batches.ts'
import { withNamedLock } from '../storage/named-lock.ts'
import type { RecordingStore } from '../storage/recording-store.ts'
import { currentPolicies, type ServiceLinePolicy } from '../storage/service-lines.ts'
import { eraseRecordings } from './erase-recording.ts'
import { inParallel } from './in-parallel.ts'

export interface SweepOptions {
  readonly pool: Pool
  readonly store: Pick<RecordingStore, 'check' | 'eraseAll'>
  /** Each deletion stands in it, or is not done. */
  readonly trail: Pick<AuditTrail, 'alongside'>
  /** Who deletes; the daemon itself where absent. */
  readonly actor?: Actor
  readonly clock: Clock
  readonly log: Log
  /** Rows claimed in one transaction. */
  readonly batchSize?: number
  /** How long to wait while another program sweeps; 0 does not wait. */
  readonly waitS?: number
  /** A sweep ends early, with its batch finished, once this is aborted. */
  readonly signal?: AbortSignal
}

/** What a sweep did with one line's recordings. */
export interface LineSweep {
  readonly deleted: number
  /** Files that could not be erased; their rows stay `deleting` and are tried again. */
  readonly failed: number
  /** Deleted rows whose file was not there. */
  readonly alreadyGone: number
  /** Due, and kept by a hold. */
  readonly held: number
}

export interface SweepReport {
  readonly lines: ReadonlyMap<string, LineSweep>
  /** Deletions that an earlier sweep had begun, counted among the lines' as well. */
  readonly resumed: number
  readonly tookMs: number
}

/** `busy` says that another program is sweeping. */
export type SweepOutcome =
  | { readonly kind: 'done'; readonly result: SweepReport }
  | { readonly kind: 'busy' }

const LOCK = 'tallenne.retention'
const BATCH_SIZE = 500
const DAEMON: Actor = { kind: 'system', name: 'retention' }
/** Recordings whose files go in one order to the disk, which a slow one carries out in seconds. */
const ERASED_TOGETHER = 32
const ORDERS_AT_ONCE = 8

/**
 * Deletes every recording that is due: marks it `deleting`, erases its file, marks it `deleted` with the
 * policy's version and the moment. What an earlier sweep left between the two marks is finished first.
 * Contact rows stay. Only one program sweeps at a time.
 *
 * A file that cannot be erased is counted and logged, and holds up no other. Rejects with `store_missing`
 * where the store is not there, before any row is touched, and where the database is away.
 */
export async function sweepOnce(options: SweepOptions): Promise<SweepOutcome> {
  await options.store.check()
  return withNamedLock(options.pool, { name: LOCK, waitS: options.waitS ?? 0 }, () =>
    new Sweep(options).run(),
  )
}

/** What a sweep would delete now, by line, changing nothing. */
export async function countSweep({
  pool,
  clock,
}: Pick<SweepOptions, 'pool' | 'clock'>): Promise<readonly DueCount[]> {
  const policies = await currentPolicies(pool)
  return countDue(pool, policies.values(), clock.epochMs())
}

class Sweep {
  readonly #options: SweepOptions
  readonly #batchSize: number
  readonly #lines = new Map<string, LineSweep>()
  #resumed = 0

  constructor(options: SweepOptions) {
    this.#options = options
    this.#batchSize = options.batchSize ?? BATCH_SIZE
  }

  async run(): Promise<SweepReport> {
    const { clock, pool } = this.#options
    const startedAtMs = clock.monotonicMs()
    await this.#resume()
    const policies = await currentPolicies(pool)
    for (const policy of policies.values()) {
      for (const state of EXPIRING_STATES) await this.#sweepLine(policy, state)
    }
    return {
      lines: this.#lines,
      resumed: this.#resumed,
      tookMs: clock.monotonicMs() - startedAtMs,
    }
  }

  async #resume(): Promise<void> {
    const { pool } = this.#options
    const batches = inBatches(this.#batchSize, (place) => unfinishedDeletions(pool, place))
    for await (const left of batches) {
      if (this.#isAborted) return
      this.#resumed += await this.#delete(left)
    }
  }

  async #sweepLine(policy: ServiceLinePolicy, state: (typeof EXPIRING_STATES)[number]) {
    const { pool, clock } = this.#options
    let after: WalkPosition | undefined
    do {
      if (this.#isAborted) return
      const batch = await claimDue(pool, policy, {
        state,
        after,
        nowMs: clock.epochMs(),
        limit: this.#batchSize,
      })
      this.#count(policy.serviceLine, { held: batch.heldCount })
      await this.#delete(batch.claimed)
      after = batch.next
    } while (after !== undefined)
  }

  /** Erases the files of claimed rows and marks the rows; tells how many were marked. */
  async #delete(recordings: readonly ClaimedRecording[]): Promise<number> {
    const { log, store } = this.#options
    const erased: ClaimedRecording[] = []
    await inParallel(chunksOf(recordings, ERASED_TOGETHER), ORDERS_AT_ONCE, async (chunk) => {
      const outcomes = await eraseRecordings(store, chunk)
      for (const [at, recording] of chunk.entries()) {
        const { id, serviceLine, file } = recording
        const outcome = outcomes[at]
        if (outcome instanceof TallenneError) {
          this.#count(serviceLine, { failed: 1 })
          log.error({ recordingId: id, reason: outcome.message }, 'recording is due and not erased')
          continue
        }
        if (outcome === 'gone' && file !== null) this.#count(serviceLine, { alreadyGone: 1 })
        erased.push(recording)
      }
    })
    const marked = erased.length === 0 ? 0 : await this.#markDeleted(erased)
    for (const { serviceLine } of erased) this.#count(serviceLine, { deleted: 1 })
    return marked
  }

  /** Marks rows whose files are gone, and tells the audit trail of them in the same breath. */
  async #markDeleted(erased: readonly ClaimedRecording[]): Promise<number> {
    const { trail, clock, actor = DAEMON } = this.#options
    const nowMs = clock.epochMs()
    return trail.alongside(async (connection) => {
      const marked = await markDeleted(
        connection,
        erased.map(({ id }) => id),
        nowMs,
      )
      const events = byPolicy(erased).map(([{ serviceLine, policyVersion }, recordings]) =>
        auditEvent({
          atMs: nowMs,
          actor,
          action: 'retention_deleted',
          details: { serviceLine, policyVersion, recordings },
        }),
      )
      return { result: marked, events: marked === 0 ? [] : events }
    })
  }

  get #isAborted(): boolean {
    return this.#options.signal?.aborted ?? false
  }

  #count(serviceLine: string, more: Partial<LineSweep>): void {
    const before = this.#lines.get(serviceLine)
    this.#lines.set(serviceLine, {
      deleted: (before?.deleted ?? 0) + (more.deleted ?? 0),
      failed: (before?.failed ?? 0) + (more.failed ?? 0),
      alreadyGone: (before?.alreadyGone ?? 0) + (more.alreadyGone ?? 0),
      held: (before?.held ?? 0) + (more.held ?? 0),
    })
  }
}

function chunksOf<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) =>
    items.slice(at * size, (at + 1) * size),
  )
}

/** Ids of recordings by the policy that they are deleted under. */
function byPolicy(recordings: readonly ClaimedRecording[]) {
  const groups = new Map<string, [ClaimedRecording, string[]]>()
  for (const recording of recordings) {
    const key = `${recording.serviceLine} ${recording.policyVersion}`
    const group = groups.get(key) ?? [recording, []]
    group[1].push(recording.id)
    groups.set(key, group)
  }
  return [...groups.values()]
}
