import { mkdirSync } from 'node:fs'
import { open, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock, Timer } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { settledWithin } from '../../base/settled-within.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import { missingAs } from './audit-anchors.ts'
import type { AuditEvent } from './audit-event.ts'
import type { AuditTrail } from './audit-trail.ts'

export interface AuditQueueOptions {
  readonly trail: Pick<AuditTrail, 'record'>
  /** The file of events that wait for the database; one process writes it. */
  readonly path: string
  readonly clock: Clock
  readonly log: Log
}

/** An event that takes longer to be written is put on the disk, and whoever caused it waits no longer. */
const PATIENCE_MS = 1500
const RETRY_MS = 5000
/** Some hundred thousand events; a file that grows beyond says that nobody looks. */
const MAX_BYTES = 67_108_864

/**
 * Takes events that must not be held up or refused by a database that is away: they wait on the local disk and enter
 * the trail when it is back, in order, each with the time at which it happened.
 */
export class AuditQueue {
  readonly #options: AuditQueueOptions
  #depth = 0
  #timer: Timer | undefined
  /** One writes or empties the file at a time. */
  #turn: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(options: AuditQueueOptions) {
    this.#options = options
  }

  /** Events that the database does not have yet. */
  get depth(): number {
    return this.#depth
  }

  /** Takes up what an earlier run left. */
  async start(): Promise<void> {
    this.#depth = (await this.#inTurn(() => this.#read())).length
    if (this.#depth > 0) this.#retryLater(0)
  }

  /** Resolves when the event is in the trail or on the disk. Where neither takes it, that is logged whole. */
  async record(event: AuditEvent): Promise<void> {
    const { trail, clock, log } = this.#options
    try {
      const writing = trail.record(event)
      // It may fail after nobody waits for it any more.
      writing.catch(() => {})
      if (await settledWithin(writing, { clock, limitMs: PATIENCE_MS })) return
    } catch {
      // Whatever it was, the disk takes the event.
    }
    try {
      await this.#inTurn(() => this.#append(event))
    } catch (error) {
      log.error({ event, reason: messageOf(error) }, 'audit event is in this log alone')
    }
  }

  /** Waits for what is being written; what waits on the disk stays there. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    await this.#turn
  }

  async #append(event: AuditEvent): Promise<void> {
    const { path, log } = this.#options
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const handle = await open(path, 'a', 0o600)
    try {
      if ((await handle.stat()).size > MAX_BYTES) throw new Error(`${path} is full`)
      await handle.appendFile(`\n${JSON.stringify(event)}\n`)
      await handle.datasync()
    } finally {
      await handle.close()
    }
    if (this.#depth === 0) log.warn('audit events wait for the database')
    this.#depth++
    this.#retryLater(RETRY_MS)
  }

  #retryLater(delayMs: number): void {
    if (this.#isClosed || this.#timer !== undefined) return
    this.#timer = this.#options.clock.after(delayMs, () => {
      this.#timer = undefined
      void this.#inTurn(() => this.#drain()).catch((error: unknown) => {
        this.#options.log.error({ reason: messageOf(error) }, 'waiting audit events cannot be read')
        this.#retryLater(RETRY_MS)
      })
    })
  }

  /** The trail knows an event that it has already, so that a file which is read twice does no harm. */
  async #drain(): Promise<void> {
    const { trail, path, log } = this.#options
    const events = await this.#read()
    try {
      await Promise.all(events.map((event) => trail.record(event)))
    } catch {
      this.#retryLater(RETRY_MS)
      return
    }
    await rm(path, { force: true })
    this.#depth = 0
    if (events.length > 0) log.info({ events: events.length }, 'audit events reached the database')
  }

  async #read(): Promise<readonly AuditEvent[]> {
    const { path, log } = this.#options
    const text = await readFile(path, 'utf8').catch(missingAs(''))
    const lines = text.split('\n').filter((line) => line !== '')
    const events = lines.flatMap((line) => parse(line) ?? [])
    if (events.length < lines.length) {
      const damaged = lines.length - events.length
      log.error({ damaged }, 'waiting audit events were left torn by a crash')
    }
    return events
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => {})
    return turn
  }
}

/** Lines are our own; one that a crash left torn is none. */
function parse(line: string): AuditEvent | undefined {
  try {
    const event: AuditEvent = JSON.parse(line)
    return typeof event.id === 'string' && typeof event.atMs === 'number' ? event : undefined
  } catch {
    return undefined
  }
}
