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
}

/** FreeSWITCH says nothing at all where the host does not resolve, and 10 s later where nobody answers. */
const CONNECT_MS = 3000
const COMMAND_MS = 3000
const RETRY_AFTER_MS = [250, 1000, 5000, 15_000] as const
/** A URL of some hundred characters ends FreeSWITCH, so the token is short, and alone in it. */
const TOKEN_BYTES = 15

/**
 * A recording that one fork of an endpoint fills. A fork that does not come, or ends by itself, is stopped and made
 * anew; what is missing meanwhile is lost, and the call goes on. Nothing here rejects: `status` tells.
 */
export class ForkedRecording {
  readonly #options: ForkedRecordingOptions
  readonly #log: Log
  #status: RecordingStatus = { kind: 'unavailable', code: 'not_started', message: 'not started' }
  #onStatusChange: (status: RecordingStatus) => void = () => {}
  #port = 0
  #token = ''
  /** Every fork has a name of its own: only so can it be stopped. */
  #bugs = 0
  #attempt = 0
  #retry: Timer | undefined
  #settleConnect: ((problem: string | undefined) => void) | undefined
  #isOpen = false
  #isClosed = false

  constructor(options: ForkedRecordingOptions) {
    this.#options = options
    this.#log = options.log.child({ recordingId: options.recordingId })
  }

  get status(): RecordingStatus {
    return this.#status
  }

  onStatusChange(listener: (status: RecordingStatus) => void): void {
    this.#onStatusChange = listener
  }

  /** Opens the recording and its fork. Resolves when the audio comes, or is known not to. */
  async start(): Promise<void> {
    const { endpoint, recordings, recordingId, callId } = this.#options
    endpoint.addCustomEventListener('mod_audio_fork::connect_failed', () =>
      this.#settleConnect?.('it could not connect to the recorder'),
    )
    endpoint.addCustomEventListener('mod_audio_fork::buffer_overrun', () =>
      this.#log.warn('FreeSWITCH could not send all audio to the recorder'),
    )
    try {
      const plan = { recordingId, callId, streams: [], forks: [this.#newFork()] }
      this.#port = await recordings.openForked(plan, (notice) => this.#hear(notice))
      this.#isOpen = true
      await this.#startFork()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Sets the timeline's zero. */
  async answered(answeredAtMs: number): Promise<void> {
    if (this.#isOpen)
      await this.#options.recordings.answered(this.#options.recordingId, answeredAtMs)
  }

  /** Stops the fork and closes the recording. Null where none was opened. */
  async close(
    endedAtMs: number,
    reasons: RecordingOutcome['reasons'],
  ): Promise<RecordingOutcome | null> {
    this.#isClosed = true
    this.#retry?.cancel()
    if (!this.#isOpen) return null
    this.#isOpen = false
    const { recordings, recordingId } = this.#options
    // The engine closes the connection and refuses one that comes late: a stop before it is up would leave it for ever.
    const outcome = await recordings.close(recordingId, endedAtMs, reasons)
    await this.#stopFork().catch(() => {})
    return outcome
  }

  async #startFork(): Promise<void> {
    const { endpoint, forkHost, roles, clock } = this.#options
    const url = `ws://${forkHost}:${this.#port}/${this.#token}`
    const mix = roles.length === 2 ? 'stereo' : 'mono'
    const bug = `tallenne${++this.#bugs}`
    // In base64, since backslashes and apostrophes do not come through (nor does more than 8192 bytes).
    const metadata = Buffer.from(JSON.stringify({ recordingId: this.#options.recordingId }))
    const connected = new Promise<string | undefined>((resolve) => {
      this.#settleConnect = resolve
    })
    const answer = await this.#command(
      endpoint,
      `${endpoint.uuid} start ${url} ${mix} 8k ${bug} ${metadata.toString('base64')}`,
    )
    if (!answer.startsWith('+OK')) throw new TallenneError('fork_failed', answer.trim())
    const problem = await settleWithin(connected, {
      clock,
      withinMs: CONNECT_MS,
      what: 'connect to the recorder',
    })
    if (problem !== undefined) throw new TallenneError('fork_failed', problem)
    this.#attempt = 0
    this.#tell({ kind: 'recording' })
  }

  async #stopFork(): Promise<void> {
    const { endpoint } = this.#options
    if (this.#bugs === 0 || !endpoint.connected) return
    await this.#command(endpoint, `${endpoint.uuid} stop tallenne${this.#bugs}`)
  }

  async #command(endpoint: Endpoint, command: string): Promise<string> {
    const { body } = await settleWithin(endpoint.api('uuid_audio_fork', command), {
      clock: this.#options.clock,
      withinMs: COMMAND_MS,
      what: 'take a command',
    })
    return body ?? ''
  }

  #hear(notice: ForkNotice): void {
    if (notice.token !== this.#token || this.#isClosed) return
    if (notice.kind === 'forkConnected') this.#settleConnect?.(undefined)
    else this.#fail(new TallenneError('fork_lost', `the fork ended with code ${notice.code}`))
  }

  /** Tells it, and makes the fork anew after a while. */
  #fail(error: unknown): void {
    const code = error instanceof TallenneError ? error.code : 'fork_failed'
    const message = messageOf(error)
    this.#log.error({ code, reason: message }, 'call is not recorded at present')
    this.#tell({ kind: 'unavailable', code, message })
    const waitMs = RETRY_AFTER_MS[Math.min(this.#attempt++, RETRY_AFTER_MS.length - 1)] ?? 0
    if (this.#isClosed || !this.#isOpen || !this.#options.endpoint.connected) return
    this.#retry?.cancel()
    this.#retry = this.#options.clock.after(waitMs, () => void this.#startAgain())
  }

  async #startAgain(): Promise<void> {
    const { recordings, recordingId } = this.#options
    try {
      // After a failure the old fork stays attached and must be stopped first.
      await this.#stopFork().catch(() => {})
      await recordings.expectFork(recordingId, this.#newFork())
      await this.#startFork()
      this.#log.info('call is recorded again')
    } catch (error) {
      if (!this.#isClosed) this.#fail(error)
    }
  }

  #newFork(): ForkPlan {
    this.#token = randomBytes(TOKEN_BYTES).toString('base64url')
    return { token: this.#token, roles: this.#options.roles }
  }

  #tell(status: RecordingStatus): void {
    this.#status = status
    this.#onStatusChange(status)
  }
}
