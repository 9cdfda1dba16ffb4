import type { ReasonCode, RecordingOutcome } from '../../recorder/recording-plan.ts'

/** The verdict on a recording that was never opened: the contact row says so. */
export function nothingRecorded(
  recordingId: string,
  {
    startedAtMs,
    endedAtMs,
    reason = 'engine_failed',
  }: { readonly startedAtMs: number; readonly endedAtMs: number; readonly reason?: ReasonCode },
): RecordingOutcome {
  return {
    recordingId,
    verdict: 'failed',
    reasons: [reason],
    durationMs: 0,
    callDurationMs: endedAtMs - startedAtMs,
    startedAtMs,
    lostMs: 0,
    lossMap: [],
    bytes: 0,
    sha256: null,
    streams: [],
  }
}
