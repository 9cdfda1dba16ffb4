import type { Clock, Timer } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import type { MaskingConfig } from '../../config/masking-config.ts'
import type { PausesChanged } from '../../recorder/engine-protocol.ts'
import { PauseCodeReader } from '../../recorder/pause-codes.ts'
import { type PauseSwitch, switchOf } from '../../recorder/pauses.ts'
import type {
  PauseCause,
  PauseCodes,
  RecordingControl,
  RecordingOutcome,
  RecordingPause,
  StreamPlan,
} from '../../recorder/recording-plan.ts'
import type { ContactRecord } from './contact-record.ts'
import type { OrderedControl } from './ordered-control.ts'
import type { RecordingOrders } from './recording-orders.ts'

/** What metrics hear of orders. */
export interface ControlEvents {
  paused(by: PauseCause['by']): void
  /** A pause lasts longer than its line lets one. */
  pauseOverdue(): void
  stopped(): void
}

export interface CallControlOptions {
  readonly contact: ContactRecord
  readonly orders: RecordingOrders
  /** Of the contact's service line, as it is known now. */
  readonly masking: () => MaskingConfig
  readonly clock: Clock
  readonly log: Log
  readonly events: ControlEvents
  readonly onClosed: () => void
}

/**
 * Orders the recordings of one call about: pauses, the end before the call's, and what outlives an engine of them. A
 * call whose engine dies while it is paused goes on paused.
 *
 * The recorder has the last word on what is paused, since keys reach it first; what was ordered and is not confirmed
 * yet counts until then.
 */
export class CallControl implements OrderedControl {
  readonly #options: CallControlOptions
  readonly #readers = new Map<string, PauseCodeReader>()
  #recordingId: string | undefined
  /** Settles when the recording takes orders. */
  #ready: Promise<void> = Promise.resolve()
  #opened: () => void = () => {}
  #pausedBy: readonly PauseCause[] = []
  /** By what the recorder last said. */
  #told: readonly PauseCause[] = []
  #unconfirmed = 0
  #pauses: readonly RecordingPause[] = []
  #overdue: Timer | undefined
  #stopping: Promise<void> | undefined
  #onStopped: (outcome: RecordingOutcome | undefined) => Promise<void> = async () => {}

  constructor(options: CallControlOptions) {
    this.#options = options
  }

  get contact(): ContactRecord {
    return this.#options.contact
  }

  get recordingId(): string | undefined {
    return this.#recordingId
  }

  /** What holds the recording paused. */
  get pausedBy(): readonly PauseCause[] {
    return this.#pausedBy
  }

  /** The pauses of the recording that is open. */
  get pauses(): readonly RecordingPause[] {
    return this.#pauses
  }

  get isStopped(): boolean {
    return this.#stopping !== undefined
  }

  /** What the call does when its recording was stopped; without an outcome where an engine died over it. */
  onStopped(listener: (outcome: RecordingOutcome | undefined) => Promise<void>): void {
    this.#onStopped = listener
  }

  opening(recordingId: string): RecordingControl {
    this.#recordingId = recordingId
    this.#pauses = []
    this.#told = this.#pausedBy
    this.#opened()
    this.#ready = new Promise((resolve) => {
      this.#opened = resolve
    })
    this.#options.orders.onPausesChanged(recordingId, (change) => this.#changed(change))
    return { pausedBy: this.#pausedBy, isStopped: this.isStopped }
  }

  /** The recording takes orders. */
  opened(): void {
    this.#opened()
  }

  codesOf(role: StreamPlan['role']): PauseCodes | undefined {
    const { keys } = this.#options.masking()
    if (keys === undefined || (keys.from === 'agent' && role !== 'agent')) return undefined
    return { pause: keys.pause, resume: keys.resume }
  }

  get removesTones(): boolean {
    return this.#options.masking().removesTones
  }

  pressed(role: StreamPlan['role'], key: string, by: 'event' | 'info' = 'event'): void {
    const codes = this.codesOf(role)
    if (codes === undefined || key.length !== 1) return
    const told = `${role} ${by}`
    const reader = this.#readers.get(told) ?? new PauseCodeReader()
    this.#readers.set(told, reader)
    const { clock } = this.#options
    const code = reader.press(key, { atMs: clock.monotonicMs(), codes })
    if (code === 'pause') void this.pause({ by: 'dtmf', reason: null })
    if (code === 'resume') void this.resume('control')
  }

  /** Pauses from now on. Resolves when the recorder has confirmed it; never rejects. */
  pause(cause: PauseCause): Promise<void> {
    const held = switchOf(cause)
    if (!this.#isHeldBy(held)) this.#take([...this.#pausedBy, cause])
    const atMs = this.#options.clock.epochMs()
    return this.#order((id) => this.#options.orders.pause(id, { atMs, cause }))
  }

  /** Ends a pause now. Resolves when the recorder has confirmed it; never rejects. */
  resume(held: PauseSwitch): Promise<void> {
    this.#take(this.#pausedBy.filter((cause) => switchOf(cause) !== held))
    const atMs = this.#options.clock.epochMs()
    return this.#order((id) => this.#options.orders.resume(id, { atMs, held }))
  }

  /** Ends the recording now, while the call goes on. Resolves when it has its verdict; never rejects. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop(this.#options.clock.epochMs())
    return this.#stopping
  }

  /** The call has ended. Idempotent. */
  close(): void {
    this.#overdue?.cancel()
    this.#opened()
    this.#options.onClosed()
  }

  async #stop(endedAtMs: number): Promise<void> {
    const { orders, log, events } = this.#options
    this.#overdue?.cancel()
    await this.#ready
    const outcome = await orders
      .stop(this.#recordingId ?? '', endedAtMs)
      .catch((error: unknown) => {
        log.warn({ reason: messageOf(error) }, 'recording could not be stopped in order')
        return undefined
      })
    events.stopped()
    await this.#onStopped(outcome).catch((error: unknown) => {
      log.error({ err: error }, 'call could not take the end of its recording')
    })
  }

  async #order(send: (recordingId: string) => Promise<void>): Promise<void> {
    this.#unconfirmed++
    try {
      await this.#ready
      if (this.#recordingId !== undefined) await send(this.#recordingId)
    } catch (error) {
      // The next recording of the call finds it ordered.
      this.#options.log.warn({ reason: messageOf(error) }, 'order did not reach the recorder')
      this.#told = this.#pausedBy
    } finally {
      this.#unconfirmed--
      if (this.#unconfirmed === 0) this.#take(this.#told)
    }
  }

  #changed({ recordingId, pausedBy, pauses }: PausesChanged): void {
    const { contact } = this.#options
    contact.pausesChanged(recordingId, pauses)
    if (recordingId !== this.#recordingId) return
    this.#pauses = pauses
    this.#told = pausedBy
    if (this.#unconfirmed === 0) this.#take(pausedBy)
  }

  #isHeldBy(held: PauseSwitch): boolean {
    return this.#pausedBy.some((cause) => switchOf(cause) === held)
  }

  #take(pausedBy: readonly PauseCause[]): void {
    const before = this.#pausedBy
    const wasHeld = this.#isHeldBy('control')
    this.#pausedBy = pausedBy
    for (const cause of pausedBy) {
      const isNew = !before.some((known) => switchOf(known) === switchOf(cause))
      if (isNew) this.#begun(cause)
    }
    const isHeld = this.#isHeldBy('control')
    if (wasHeld && !isHeld) this.#overdue?.cancel()
    if (!wasHeld && isHeld) this.#watch()
  }

  #begun({ by, reason }: PauseCause): void {
    const { events, log } = this.#options
    events.paused(by)
    log.info({ recordingId: this.#recordingId, by, reason }, 'recording paused')
  }

  /** A pause that nobody ends hides a call. */
  #watch(): void {
    const { clock, masking, log, events } = this.#options
    const { longestPauseS, resumesByItself } = masking()
    this.#overdue?.cancel()
    this.#overdue = clock.after(longestPauseS * 1000, () => {
      events.pauseOverdue()
      log.warn(
        { recordingId: this.#recordingId, longestPauseS, resumesByItself },
        'recording is paused for longer than its line lets it be',
      )
      if (resumesByItself) void this.resume('control')
    })
  }
}
