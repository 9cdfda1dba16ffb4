import { randomBytes } from 'node:crypto'
import type { Clock, Timer } from '../../../base/clock.ts'
import type { Log } from '../../../base/log.ts'
import { messageOf, TallenneError } from '../../../base/tallenne-error.ts'
import type { ForkPlan } from '../../../recorder/recording-plan.ts'
import type { DirectPlane } from '../direct-plane.ts'
import type { ForkNotice } from '../engine-link.ts'
import type { Endpoint } from './media-server-surface.ts'
import { settleWithin } from './settle-within.ts'

/** What operations count of forks. */
export interface ForkEvents {
  /** `code`: `fork_refused`, `fork_failed`, `fork_lost`, `fork_overrun` or `media_timeout`. */
  forkFailed(code: string): void
  forkRetried(): void
}

/** What is forked: two legs make a stereo fork (what the endpoint hears, what it says), one a mono fork of the first. */
export interface ForkedEndpoint {
  readonly endpoint: Endpoint
  readonly legs: ForkPlan['legs']
}

export interface EndpointForkOptions extends ForkedEndpoint {
  readonly recordingId: string
  readonly recordings: DirectPlane
  /** Host that FreeSWITCH reaches the engines' WebSockets at. */
  readonly forkHost: string
  readonly clock: Clock
  readonly log: Log
  readonly events: ForkEvents
  /** Told when the audio begins to come, and when it ceases. */
  readonly onChange: () => void
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
 * Keeps one endpoint's audio coming to a recording: a fork that does not come, or ends by itself, is stopped and made
 * anew. Nothing here rejects: `problem` tells.
 */
export class EndpointFork {
  readonly #options: EndpointForkOptions
  #problem: TallenneError | undefined = new TallenneError('not_started', 'not started')
  #port = 0
  #fork: Fork
  #attempt = 0
  #retry: Timer | undefined
  #isClosed = false

  constructor(options: EndpointForkOptions) {
    const { endpoint, legs } = options
    this.#options = options
    this.#fork = newFork(legs)
    endpoint.addCustomEventListener('mod_audio_fork::connect_failed', () =>
      this.#fork.settle('it could not connect to the recorder'),
    )
    endpoint.addCustomEventListener('mod_audio_fork::buffer_overrun', () => this.#overrun())
  }

  /** The fork that the engine is to await. */
  get plan(): ForkPlan {
    return this.#fork.plan
  }

  /** Why no audio comes now; undefined while it does. */
  get problem(): TallenneError | undefined {
    return this.#problem
  }

  /** Makes the fork that `plan` announces. Resolves when the audio comes, or is known not to. */
  async start(port: number): Promise<void> {
    this.#port = port
    await this.#connect(this.#fork)
  }

  /** Takes what the engine says of a fork; others' it leaves alone. */
  hear(notice: ForkNotice): void {
    const fork = this.#fork
    if (notice.token !== fork.plan.token || this.#isClosed) return
    if (notice.kind === 'forkConnected') {
      fork.settle(undefined)
      return
    }
    const lost = `the fork ended with code ${notice.code}`
    fork.settle(lost)
    if (this.#problem === undefined) this.#fail(new TallenneError('fork_lost', lost))
  }

  /**
   * Lets FreeSWITCH forget what it still holds back of the two sides of a stereo fork. It sends each with a sample of
   * the other, so that while endpoints are bridged, when one side stands still, the other falls behind for good.
   */
  async realign(): Promise<void> {
    if (this.#problem !== undefined) return
    // It stands for a flush: nothing is paused.
    const command = `${this.#options.endpoint.uuid} resume ${this.#fork.bug}`
    await this.#command(command).catch(() => undefined)
  }

  /** From now on a fork that ends is left alone. Idempotent. */
  release(): void {
    this.#isClosed = true
    this.#retry?.cancel()
  }

  /**
   * Ends the fork on FreeSWITCH's side; after a failure it stays attached and must be stopped all the same. A stop
   * before it is connected would leave it for ever, unless the engine refuses it by then.
   */
  async stop(): Promise<void> {
    this.release()
    await this.#stop()
  }

  async #connect(fork: Fork): Promise<void> {
    try {
      await this.#startFork(fork)
      this.#attempt = 0
      this.#tell(undefined)
    } catch (error) {
      if (fork === this.#fork) this.#fail(error)
    }
  }

  async #startFork(fork: Fork): Promise<void> {
    const { endpoint, forkHost, clock, recordingId } = this.#options
    const { token, legs } = fork.plan
    const url = `ws://${forkHost}:${this.#port}/${token}`
    const mix = legs.length === 2 ? 'stereo' : 'mono'
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

  async #stop(): Promise<void> {
    const { endpoint } = this.#options
    if (!endpoint.connected) return
    // One that is gone already is refused, which is as good.
    await this.#command(`${endpoint.uuid} stop ${this.#fork.bug}`).catch(() => undefined)
  }

  async #command(command: string): Promise<string> {
    const { body } = await settleWithin(this.#options.endpoint.api('uuid_audio_fork', command), {
      clock: this.#options.clock,
      withinMs: COMMAND_MS,
      what: 'take a command',
    })
    return body ?? ''
  }

  #overrun(): void {
    if (this.#isClosed) return
    this.#options.log.warn('FreeSWITCH could not send all audio to the recorder')
    this.#options.events.forkFailed('fork_overrun')
  }

  /** Tells it, and makes the fork anew after a while. */
  #fail(error: unknown): void {
    const { endpoint, clock, events } = this.#options
    if (this.#isClosed) return
    const problem =
      error instanceof TallenneError
        ? error
        : new TallenneError('fork_failed', messageOf(error), { cause: error })
    events.forkFailed(problem.code)
    this.#tell(problem)
    if (!endpoint.connected) return
    const waitMs = RETRY_AFTER_MS[Math.min(this.#attempt++, RETRY_AFTER_MS.length - 1)] ?? 0
    this.#retry?.cancel()
    this.#retry = clock.after(waitMs, () => void this.#startAgain())
  }

  async #startAgain(): Promise<void> {
    const { recordings, recordingId, endpoint, legs, events, log } = this.#options
    await this.#stop()
    if (this.#isClosed || !endpoint.connected) return
    events.forkRetried()
    const fork = newFork(legs)
    this.#fork = fork
    try {
      await recordings.expectFork(recordingId, fork.plan)
    } catch (error) {
      // The engine is gone, and the recording with it: whoever holds it opens another one.
      log.warn({ reason: messageOf(error) }, 'no fork is awaited any more')
      return
    }
    await this.#connect(fork)
  }

  #tell(problem: TallenneError | undefined): void {
    if (this.#isClosed) return
    this.#problem = problem
    this.#options.onChange()
  }
}

function newFork(legs: ForkPlan['legs']): Fork {
  const token = randomBytes(TOKEN_BYTES).toString('base64url')
  const { promise: settled, resolve: settle } = withResolvers<string | undefined>()
  return { plan: { token, legs }, bug: `tallenne-${token.slice(0, 8)}`, settle, settled }
}

function withResolvers<Value>() {
  let resolve: (value: Value) => void = () => {}
  const promise = new Promise<Value>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
