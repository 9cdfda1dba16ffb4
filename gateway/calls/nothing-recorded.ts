import type { RecordingOutcome } from '../../recorder/recording-plan.ts'

/** The verdict on a recording that was never opened: the contact row says so. */
export function nothingRecorded(
  recordingId: string,
  { startedAtMs, endedAtMs }: { readonly startedAtMs: number; readonly endedAtMs: number },
): RecordingOutcome {
  return {
    recordingId,
    verdict: 'failed',
    reasons: ['engine_failed'],
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
