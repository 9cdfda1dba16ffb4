import type {
  LiveRecording,
  RecordingOutcome,
  RecordingPlan,
  StreamPlan,
  StreamPort,
} from '../../recorder/recording-plan.ts'

/**
 * Where media meets the recorder. A plane that cannot take a recording rejects with a `TallenneError` whose code is
 * `no_ports`, `no_files`, `too_many_recordings`, `engine_overload` or `engine_failed`; the caller answers 503.
 */
export interface MediaPlane {
  /** Binds the ports that the answer names. */
  open(plan: RecordingPlan): Promise<readonly StreamPort[]>
  /** Sets the timeline's zero. */
  answered(recordingId: string, answeredAtMs: number): Promise<void>
  /**
   * Applies a re-offer and tells the ports, in the order of `streams`. Streams that are new to the recording are taken
   * from those in `after` that have them.
   */
  update(
    recordingId: string,
    streams: readonly StreamPlan[],
    after?: readonly string[],
  ): Promise<readonly StreamPort[]>
  /** Ends the recording and tells the verdict. Never rejects: a lost engine is a `failed` verdict. */
  close(
    recordingId: string,
    endedAtMs: number,
    reasons: RecordingOutcome['reasons'],
  ): Promise<RecordingOutcome>
  live(): Promise<readonly LiveRecording[]>
  /**
   * Told once for each open recording whose media is gone for good, as when an engine died. What was recorded
   * until then is safe; the owner ends the recording with `close` and may open a new one. Takes several listeners.
   */
  onLost(listener: (recordingId: string, cause: string) => void): void
}
