import type { Clock, Timer } from '../../base/clock.ts'
import type { LiveRecording } from '../../recorder/recording-plan.ts'

/** A session that has told of no call yet. */
export interface SilentSession {
  /** What it sends is received and not recorded, and its client has never named a call. */
  readonly isUntold: boolean
  readonly recordingId: string
  /** Takes what it sends for a call. */
  assumeCall(): void
}

export interface UntoldCallsOptions {
  readonly sessions: () => readonly SilentSession[]
  /** How live recordings are now. */
  readonly recordings: () => Promise<readonly LiveRecording[]>
  readonly clock: Clock
}

const LOOK_EVERY_MS = 5000
/** Keep-alives come every fifteen seconds (RFC 6263 §6), so that packets at two looks are a stream. */
const STREAM_QUIET_MS = 2000

/**
 * Looks after sessions that began without a call: one whose client sends sound and never says of what is recorded all
 * the same. Owns its timer.
 */
export class UntoldCalls {
  readonly #options: UntoldCallsOptions
  #timer: Timer | undefined
  /** Those that sent something at the last look. */
  #sending = new WeakSet<SilentSession>()

  constructor(options: UntoldCallsOptions) {
    this.#options = options
  }

  /** Idempotent. */
  start(): void {
    this.#timer ??= this.#options.clock.every(LOOK_EVERY_MS, () => void this.#look())
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  async #look(): Promise<void> {
    const untold = this.#options.sessions().filter(({ isUntold }) => isUntold)
    if (untold.length === 0) return
    const live = await this.#options.recordings().catch(() => [])
    const quietMs = new Map(live.map((recording) => [recording.recordingId, recording.quietMs]))
    const sending = untold.filter(
      ({ recordingId }) => (quietMs.get(recordingId) ?? STREAM_QUIET_MS) < STREAM_QUIET_MS,
    )
    for (const session of sending) {
      if (this.#sending.has(session) && session.isUntold) session.assumeCall()
    }
    this.#sending = new WeakSet(sending)
  }
}
