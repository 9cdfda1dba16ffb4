import type { Clock } from '../../../base/clock.ts'
import type { Log } from '../../../base/log.ts'
import { messageOf, TallenneError } from '../../../base/tallenne-error.ts'
import type { RecordingOutcome } from '../../../recorder/recording-plan.ts'
import type { OrderedControl } from '../../calls/ordered-control.ts'
import type { DirectPlane } from '../direct-plane.ts'
import type { RecordingStatus } from '../trunk-media.ts'
import { EndpointFork, type ForkEvents, type ForkedEndpoint } from './endpoint-fork.ts'
import type { Endpoint } from './media-server-surface.ts'

export interface ForkedRecordingOptions {
  readonly recordingId: string
  readonly callId: string
  readonly control?: OrderedControl
  readonly recordings: DirectPlane
  /** Host that FreeSWITCH reaches the engines' WebSockets at. */
  readonly forkHost: string
  readonly clock: Clock
  readonly log: Log
  readonly events: ForkEvents
  readonly onStatusChange: (status: RecordingStatus) => void
}

/**
 * A recording that forks of endpoints fill. What is missing while one is away is lost, and the call goes on. Nothing
 * here rejects but `add`: `status` tells. Owns the forks, not the endpoints.
 */
export class ForkedRecording {
  readonly #options: ForkedRecordingOptions
  readonly #log: Log
  readonly #forks = new Map<Endpoint, EndpointFork>()
  #port = 0
  /** Why there is no recording, whatever its forks do. */
  #refusal: TallenneError | undefined
  #state: 'starting' | 'open' | 'closed' = 'starting'

  constructor(options: ForkedRecordingOptions) {
    this.#options = options
    this.#log = options.log.child({ recordingId: options.recordingId })
  }

  get recordingId(): string {
    return this.#options.recordingId
  }

  /** `recording` while every fork brings its audio. */
  get status(): RecordingStatus {
    if (this.#refusal !== undefined) return unavailable(this.#refusal)
    if (this.#forks.size === 0) return unavailable(new TallenneError('not_started', 'no fork'))
    for (const { problem } of this.#forks.values()) {
      if (problem !== undefined) return unavailable(problem)
    }
    return { kind: 'recording' }
  }

  /** Opens the recording and its forks. Resolves when all audio comes, or is known not to. */
  async start(endpoints: readonly ForkedEndpoint[]): Promise<void> {
    const { recordings, recordingId, callId, events } = this.#options
    const forks = endpoints.map((forked) => this.#newFork(forked))
    const control = this.#options.control?.opening(recordingId)
    try {
      const plan = {
        ...{ recordingId, callId, streams: [], forks: forks.map((fork) => fork.plan) },
        ...(control && { control }),
      }
      this.#port = await recordings.openForked(plan, (notice) => {
        for (const fork of this.#forks.values()) fork.hear(notice)
      })
    } catch (error) {
      const refusal =
        error instanceof TallenneError
          ? error
          : new TallenneError('engine_failed', messageOf(error), { cause: error })
      events.forkFailed(refusal.code)
      return this.#refuse(refusal)
    }
    if (this.#state === 'starting') this.#state = 'open'
    recordings.onStopped(recordingId, (code) =>
      this.#refuse(new TallenneError(code, 'the engine records no more')),
    )
    await Promise.all(forks.map((fork) => fork.start(this.#port)))
  }

  /** Takes another endpoint into the recording; resolves as `start` does. Rejects with `engine_failed`. */
  async add(forked: ForkedEndpoint): Promise<void> {
    const fork = this.#newFork(forked)
    try {
      await this.#options.recordings.expectFork(this.recordingId, fork.plan)
    } catch (error) {
      this.#forks.delete(forked.endpoint)
      throw error
    }
    await fork.start(this.#port)
  }

  /** Takes an endpoint out: its fork ends, and what it brought stays. */
  async remove(endpoint: Endpoint): Promise<void> {
    const fork = this.#forks.get(endpoint)
    this.#forks.delete(endpoint)
    await fork?.stop()
  }

  /** What each endpoint hears and says goes on at one moment: to be called where it is bridged with another. */
  async realign(): Promise<void> {
    await Promise.all([...this.#forks.values()].map((fork) => fork.realign()))
  }

  /** Sets the timeline's zero. */
  async answered(answeredAtMs: number): Promise<void> {
    const { recordings, recordingId } = this.#options
    if (this.#state === 'open') await recordings.answered(recordingId, answeredAtMs)
  }

  /** Closes the recording and stops its forks. Null where none was opened. */
  async close(
    endedAtMs: number,
    reasons: RecordingOutcome['reasons'],
  ): Promise<RecordingOutcome | null> {
    const wasOpen = this.#state === 'open'
    this.#state = 'closed'
    for (const fork of this.#forks.values()) fork.release()
    if (!wasOpen) return null
    const { recordings, recordingId } = this.#options
    // The engine closes what is connected and refuses what comes late: a stop before that would leave it for ever.
    const outcome = await recordings.close(recordingId, endedAtMs, reasons)
    await Promise.all([...this.#forks.values()].map((fork) => fork.stop()))
    return outcome
  }

  #newFork(forked: ForkedEndpoint): EndpointFork {
    const fork = new EndpointFork({
      ...this.#options,
      ...forked,
      log: this.#log,
      onChange: () => this.#tell(),
    })
    this.#forks.set(forked.endpoint, fork)
    return fork
  }

  #refuse(refusal: TallenneError): void {
    this.#refusal = refusal
    this.#tell()
  }

  #tell(): void {
    if (this.#state !== 'closed') this.#options.onStatusChange(this.status)
  }
}

function unavailable({ code, message }: TallenneError): RecordingStatus {
  return { kind: 'unavailable', code, message }
}
