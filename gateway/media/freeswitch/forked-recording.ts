import { randomBytes } from 'node:crypto'
import type { Clock, Timer } from '../../../base/clock.ts'
import type { Log } from '../../../base/log.ts'
import { messageOf, TallenneError } from '../../../base/tallenne-error.ts'
import type { ForkPlan, RecordingOutcome } from '../../../recorder/recording-plan.ts'
import type { DirectPlane } from '../direct-plane.ts'
import type { ForkNotice } from '../engine-link.ts'
import type { RecordingStatus } from '../trunk-media.ts'
import type { Endpoint } from './media-server-surface.ts'
import { settleWithin } from './settle-within.ts'

/** What operations count of forks. */
export interface ForkEvents {
  /** `code`: `fork_refused`, `fork_failed`, `fork_lost`, `fork_overrun` or `media_timeout`. */
  forkFailed(code: string): void
  forkRetried(): void
}

export interface ForkedRecordingOptions {
  readonly recordingId: string
  readonly callId: string
  readonly endpoint: Endpoint
  /** Two roles make a stereo fork (what the endpoint hears, what it says), one role a mono fork of what it hears. */
  readonly roles: ForkPlan['roles']
  readonly recordings: DirectPlane
  /** Host that FreeSWITCH reaches the engines' WebSockets at. */
  readonly forkHost: string
  readonly clock: Clock
  readonly log: Log
  readonly events: ForkEvents
  readonly onStatusChange: (status: RecordingStatus) => void
}

/** FreeSWITCH says nothing at all where the host does not resolve, and 10 s later where nobody answers. */
const CONNECT_MS = 3000
const COMMAND_MS = 3000
const RETRY_AFTER_MS = [250, 1000, 5000, 15_000] as const
/** A URL of some hundred characters ends FreeSWITCH, so the token is short, and alone in it. */
const TOKEN_BYTES = 15

/** The one fork that is under way or connected. */
interface Fork {
  readonly plan: ForkPlan
  /** Every fork has a name of its own: only so can it be stopped. */
  readonly bug: string
  readonly settle: (problem: string | undefined) => void
  readonly settled: Promise<string | undefined>
}

/**
 * A recording that one fork of an endpoint fills. A fork that does not come, or ends by itself, is stopped and made
 * anew; what is missing meanwhile is lost, and the call goes on. Nothing here rejects: `status` tells.
 */
export class ForkedRecording {
  readonly #options: ForkedRecordingOptions
  readonly #log: Log
  #status: RecordingStatus = { kind: 'unavailable', code: 'not_started', message: 'not started' }
  #port = 0
  #fork: Fork | undefined
  #attempt = 0
  #retry: Timer | undefined
  #state: 'starting' | 'open' | 'refused' | 'closed' = 'starting'

  constructor(options: ForkedRecordingOptions) {
    this.#options = options
    this.#log = options.log.child({ recordingId: options.recordingId })
  }

  get status(): RecordingStatus {
    return this.#status
  }

  get recordingId(): string {
    return this.#options.recordingId
  }

  /** Opens the recording and its fork. Resolves when the audio comes, or is known not to. */
  async start(): Promise<void> {
    const { endpoint, recordings, recordingId, callId } = this.#options
    endpoint.addCustomEventListener('mod_audio_fork::connect_failed', () =>
      this.#fork?.settle('it could not connect to the recorder'),
    )
    endpoint.addCustomEventListener('mod_audio_fork::buffer_overrun', () => this.#overrun())
    const fork = this.#newFork()
    try {
      const plan = { recordingId, callId, streams: [], forks: [fork.plan] }
      this.#port = await recordings.openForked(plan, (notice) => this.#hear(notice))
    } catch (error) {
      if (this.#state === 'starting') this.#state = 'refused'
      return this.#fail(error)
    }
    if (this.#state === 'starting') this.#state = 'open'
    recordings.onStopped(recordingId, (code) =>
      this.#tell({ kind: 'unavailable', code, message: 'the engine records no more' }),
    )
    await this.#connect(fork)
  }

  /** Sets the timeline's zero. */
  async answered(answeredAtMs: number): Promise<void> {
    const { recordings, recordingId } = this.#options
    if (this.#state === 'open') await recordings.answered(recordingId, answeredAtMs)
  }

  /** Stops the fork and closes the recording. Null where none was opened. */
  async close(
    endedAtMs: number,
    reasons: RecordingOutcome['reasons'],
  ): Promise<RecordingOutcome | null> {
    const wasOpen = this.#state === 'open'
    this.#state = 'closed'
    this.#retry?.cancel()
    if (!wasOpen) return null
    const { recordings, recordingId } = this.#options
    // The engine closes the connection and refuses one that comes late: a stop before it is up would leave it for ever.
    const outcome = await recordings.close(recordingId, endedAtMs, reasons)
    await this.#stop(this.#fork)
    return outcome
  }

  async #connect(fork: Fork): Promise<void> {
    try {
      await this.#startFork(fork)
      this.#attempt = 0
      this.#tell({ kind: 'recording' })
    } catch (error) {
      if (fork === this.#fork) this.#fail(error)
    }
  }

  async #startFork(fork: Fork): Promise<void> {
    const { endpoint, forkHost, roles, clock, recordingId } = this.#options
    const url = `ws://${forkHost}:${this.#port}/${fork.plan.token}`
    const mix = roles.length === 2 ? 'stereo' : 'mono'
    // In base64, since backslashes and apostrophes do not come through (nor does more than 8192 bytes).
    const metadata = Buffer.from(JSON.stringify({ recordingId })).toString('base64')
    const order = `${endpoint.uuid} start ${url} ${mix} 8k ${fork.bug} ${metadata}`
    const answer = await this.#command(order)
    if (!answer.startsWith('+OK')) throw new TallenneError('fork_refused', answer.trim())
    const problem = await settleWithin(fork.settled, {
      clock,
      withinMs: CONNECT_MS,
      what: 'connect to the recorder',
    })
    if (problem !== undefined) throw new TallenneError('fork_failed', problem)
  }

  /** Ends a fork on FreeSWITCH's side; after a failure it stays attached and must be stopped all the same. */
  async #stop(fork: Fork | undefined): Promise<void> {
    const { endpoint } = this.#options
    if (fork === undefined || !endpoint.connected) return
    // One that is gone already is refused, which is as good.
    await this.#command(`${endpoint.uuid} stop ${fork.bug}`).catch(() => undefined)
  }

  async #command(command: string): Promise<string> {
    const { body } = await settleWithin(this.#options.endpoint.api('uuid_audio_fork', command), {
      clock: this.#options.clock,
      withinMs: COMMAND_MS,
      what: 'take a command',
    })
    return body ?? ''
  }

  #hear(notice: ForkNotice): void {
    const fork = this.#fork
    if (notice.token !== fork?.plan.token || this.#state === 'closed') return
    if (notice.kind === 'forkConnected') {
      fork.settle(undefined)
      return
    }
    const lost = `the fork ended with code ${notice.code}`
    fork.settle(lost)
    if (this.#status.kind === 'recording') this.#fail(new TallenneError('fork_lost', lost))
  }

  #overrun(): void {
    this.#log.warn('FreeSWITCH could not send all audio to the recorder')
    this.#options.events.forkFailed('fork_overrun')
  }

  /** Tells it, and makes the fork anew after a while. */
  #fail(error: unknown): void {
    const { endpoint, clock, events } = this.#options
    if (this.#state === 'closed') return
    const code = error instanceof TallenneError ? error.code : 'fork_failed'
    const message = messageOf(error)
    events.forkFailed(code)
    this.#tell({ kind: 'unavailable', code, message })
    if (this.#state === 'refused' || !endpoint.connected) return
    const waitMs = RETRY_AFTER_MS[Math.min(this.#attempt++, RETRY_AFTER_MS.length - 1)] ?? 0
    this.#retry?.cancel()
    this.#retry = clock.after(waitMs, () => void this.#startAgain())
  }

  async #startAgain(): Promise<void> {
    const { recordings, recordingId, endpoint, events } = this.#options
    await this.#stop(this.#fork)
    if (this.#state === 'closed' || !endpoint.connected) return
    events.forkRetried()
    const fork = this.#newFork()
    try {
      await recordings.expectFork(recordingId, fork.plan)
    } catch (error) {
      // The engine is gone, and the recording with it: whoever holds it opens another one.
      this.#log.warn({ reason: messageOf(error) }, 'no fork is awaited any more')
      return
    }
    await this.#connect(fork)
  }

  #newFork(): Fork {
    const token = randomBytes(TOKEN_BYTES).toString('base64url')
    const { promise: settled, resolve: settle } = withResolvers<string | undefined>()
    const bug = `tallenne-${token.slice(0, 8)}`
    const fork = { plan: { token, roles: this.#options.roles }, bug, settle, settled }
    this.#fork = fork
    return fork
  }

  #tell(status: RecordingStatus): void {
    if (this.#state === 'closed') return
    this.#status = status
    this.#options.onStatusChange(status)
  }
}

function withResolvers<Value>() {
  let resolve: (value: Value) => void = () => {}
  const promise = new Promise<Value>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
