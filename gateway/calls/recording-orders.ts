import type { PausesChanged } from '../../recorder/engine-protocol.ts'
import type { PauseSwitch } from '../../recorder/pauses.ts'
import type { PauseCause, RecordingOutcome } from '../../recorder/recording-plan.ts'

/**
 * What can be ordered of an open recording, on whatever plane its media is. Each rejects with a `TallenneError` where
 * no engine holds it.
 */
export interface RecordingOrders {
  /** From a moment on (epoch milliseconds) it holds silence. */
  pause(
    recordingId: string,
    order: { readonly atMs: number; readonly cause: PauseCause },
  ): Promise<void>
  resume(
    recordingId: string,
    order: { readonly atMs: number; readonly held: PauseSwitch },
  ): Promise<void>
  /** Ends it while its media goes on, and tells how it ended. */
  stop(recordingId: string, endedAtMs: number): Promise<RecordingOutcome>
  /** Tells each time that a pause begins or ends, before the order for it is done. May be set before it is open. */
  onPausesChanged(recordingId: string, listener: (change: PausesChanged) => void): void
}
