import type { Log } from '../../base/log.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import type { EngineReply, PausesChanged } from '../../recorder/engine-protocol.ts'
import type { PauseSwitch } from '../../recorder/pauses.ts'
import type {
  ForkPlan,
  LiveRecording,
  PauseCause,
  PlayedFormat,
  RecordingOutcome,
  RecordingPlan,
  StreamPlan,
  StreamPort,
} from '../../recorder/recording-plan.ts'
import type { RecordingOrders } from '../calls/recording-orders.ts'
import type { ForkNotice } from './engine-link.ts'
import type { EnginePool } from './engine-pool.ts'
import type { MediaPlane } from './media-plane.ts'

/** What is known of a recording whose engine is gone. */
export interface LostRecording {
  readonly recordingId: string
  /** Null where the call was never answered. */
  readonly answeredAtMs: number | null
  readonly endedAtMs: number
  readonly reasons: RecordingOutcome['reasons']
}

export interface DirectPlaneOptions {
  readonly engines: EnginePool
  /** Repairs what the dead engine left in the spool and gives the verdict. */
  readonly salvage: (lost: LostRecording) => Promise<RecordingOutcome>
  readonly log: Log
}

/** Recordings on the engines' own RTP sockets. Does not own the engines. */
export class DirectPlane implements MediaPlane, RecordingOrders {
  readonly #engines: EnginePool
  readonly #salvage: DirectPlaneOptions['salvage']
  readonly #log: Log
  readonly #answeredAtMs = new Map<string, number | null>()
  readonly #lostListeners: ((recordingId: string, cause: string) => void)[] = []

  constructor(options: DirectPlaneOptions) {
    this.#engines = options.engines
    this.#salvage = options.salvage
    this.#log = options.log
    options.engines.onLost((recordingIds, cause) => {
      for (const recordingId of recordingIds) {
        if (!this.#answeredAtMs.has(recordingId)) continue
        for (const listener of this.#lostListeners) listener(recordingId, cause)
      }
    })
  }

  onLost(listener: (recordingId: string, cause: string) => void): void {
    this.#lostListeners.push(listener)
  }

  async open(plan: RecordingPlan): Promise<readonly StreamPort[]> {
    return (await this.#open(plan)).ports
  }

  /** Opens a recording that forks fill, and tells the port that they come to. */
  async openForked(plan: RecordingPlan, onFork: (notice: ForkNotice) => void): Promise<number> {
    this.#engines.onFork(plan.recordingId, onFork)
    const { forkPort } = await this.#open(plan)
    if (forkPort !== undefined) return forkPort
    throw new TallenneError('engine_failed', 'the engines are not configured to take forks')
  }

  /** Awaits another fork in the place of one that ended. */
  async expectFork(recordingId: string, fork: ForkPlan): Promise<void> {
    expectReply(
      await this.#engines.request(recordingId, { kind: 'fork', recordingId, fork }),
      'done',
    )
  }

  async #open(plan: RecordingPlan) {
    const reply = await this.#engines.open(plan.recordingId, { kind: 'open', plan })
    this.#answeredAtMs.set(plan.recordingId, null)
    return expectReply(reply, 'opened')
  }

  async answered(recordingId: string, answeredAtMs: number): Promise<void> {
    this.#answeredAtMs.set(recordingId, answeredAtMs)
    expectReply(
      await this.#engines.request(recordingId, { kind: 'answered', recordingId, answeredAtMs }),
      'done',
    )
  }

  async update(
    recordingId: string,
    streams: readonly StreamPlan[],
    after: readonly string[] = [],
  ): Promise<readonly StreamPort[]> {
    const order = { kind: 'update', recordingId, streams, after } as const
    const reply = await this.#engines.request(recordingId, order)
    return expectReply(reply, 'updated').ports
  }

  async close(
    recordingId: string,
    endedAtMs: number,
    reasons: RecordingOutcome['reasons'],
  ): Promise<RecordingOutcome> {
    const answeredAtMs = this.#answeredAtMs.get(recordingId) ?? null
    this.#answeredAtMs.delete(recordingId)
    try {
      const reply = await this.#engines.request(recordingId, {
        kind: 'close',
        recordingId,
        endedAtMs,
        reasons,
      })
      return expectReply(reply, 'closed').outcome
    } catch (error) {
      this.#log.error({ recordingId, reason: messageOf(error) }, 'engine could not close recording')
      return this.#salvage({ recordingId, answeredAtMs, endedAtMs, reasons })
    } finally {
      this.#engines.release(recordingId)
    }
  }

  async pause(
    recordingId: string,
    order: { readonly atMs: number; readonly cause: PauseCause },
  ): Promise<void> {
    const reply = await this.#engines.request(recordingId, { kind: 'pause', recordingId, ...order })
    expectReply(reply, 'done')
  }

  async resume(
    recordingId: string,
    order: { readonly atMs: number; readonly held: PauseSwitch },
  ): Promise<void> {
    const reply = await this.#engines.request(recordingId, {
      kind: 'resume',
      recordingId,
      ...order,
    })
    expectReply(reply, 'done')
  }

  async stop(recordingId: string, endedAtMs: number): Promise<RecordingOutcome> {
    const reply = await this.#engines.request(recordingId, { kind: 'stop', recordingId, endedAtMs })
    return expectReply(reply, 'closed').outcome
  }

  onPausesChanged(recordingId: string, listener: (change: PausesChanged) => void): void {
    this.#engines.onPausesChanged(recordingId, listener)
  }

  /** Tells when nothing of the recording is written any more while its media goes on, until it is closed. */
  onStopped(recordingId: string, listener: (code: string) => void): void {
    this.#engines.onStopped(recordingId, listener)
  }

  /**
   * Plays a sound file to a stream's party and resolves at its end, or soon after `cancel`. Rejects with
   * `unreadable_sound`, or `engine_failed`.
   */
  async play(
    recordingId: string,
    sound: { readonly streamId: string; readonly file: string; readonly format: PlayedFormat },
    cancel: AbortSignal,
  ): Promise<void> {
    const { streamId } = sound
    const hush = () => {
      this.#engines.request(recordingId, { kind: 'hush', recordingId, streamId }).catch(() => {})
    }
    cancel.addEventListener('abort', hush, { once: true })
    try {
      const order = { kind: 'play', recordingId, ...sound } as const
      expectReply(await this.#engines.request(recordingId, order), 'done')
    } finally {
      cancel.removeEventListener('abort', hush)
    }
  }

  async live(): Promise<readonly LiveRecording[]> {
    const replies = await this.#engines.requestAll({ kind: 'live' })
    return replies.flatMap((reply) => expectReply(reply, 'live').recordings)
  }
}

function expectReply<Kind extends EngineReply['kind']>(
  reply: EngineReply,
  kind: Kind,
): Extract<EngineReply, { readonly kind: Kind }> {
  if (!isReply(reply, kind)) {
    throw new TallenneError('engine_failed', `the engine replied ${reply.kind} instead of ${kind}`)
  }
  return reply
}

function isReply<Kind extends EngineReply['kind']>(
  reply: EngineReply,
  kind: Kind,
): reply is Extract<EngineReply, { readonly kind: Kind }> {
  return reply.kind === kind
}
