import type { Clock, Timer } from '../../base/clock.ts'
import type { LiveRecording } from '../../recorder/recording-plan.ts'
import type { TrunkCall } from './trunk-call.ts'

export interface OrphanWatchOptions {
  readonly calls: () => readonly TrunkCall[]
  /** How live recordings are now. */
  readonly recordings: () => Promise<readonly LiveRecording[]>
  /** Parties of a lost SIP server that send nothing for so long have hung up. */
  readonly orphanQuietMs: number
  readonly clock: Clock
}

const LOOK_EVERY_MS = 2000

/** Ends calls that nobody can hang up any more when their parties have fallen silent. */
export class OrphanWatch {
  readonly #options: OrphanWatchOptions
  #timer: Timer | undefined

  constructor(options: OrphanWatchOptions) {
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
    const { calls, recordings, orphanQuietMs } = this.#options
    const orphans = calls().filter((call) => call.isOrphaned)
    if (orphans.length === 0) return
    const live = await recordings().catch(() => [])
    const quietMs = new Map(live.map((recording) => [recording.recordingId, recording.quietMs]))
    for (const call of orphans) {
      if ((quietMs.get(call.recordingId) ?? orphanQuietMs) < orphanQuietMs) continue
      void call.end('sip_server_lost')
    }
  }
}
