import type { RecordingOutcome } from '../../../recorder/recording-plan.ts'

/** What became of a recording of a second, without a fault. */
export function recordingOutcome(changes: Partial<RecordingOutcome> = {}): RecordingOutcome {
  return {
    recordingId: 'r1',
    verdict: 'complete',
    reasons: [],
    durationMs: 1000,
    callDurationMs: 1000,
    startedAtMs: 0,
    lostMs: 0,
    lossMap: [],
    bytes: 100,
    sha256: 'a'.repeat(64),
    streams: [],
    ...changes,
  }
}
