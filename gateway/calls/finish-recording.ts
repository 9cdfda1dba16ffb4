import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { messageOf } from '../../base/tallenne-error.ts'
import type { RecordingOutcome } from '../../recorder/recording-plan.ts'
import type { RecordingFiles } from './recording-files.ts'

/** A recording that nothing is added to any more. */
export interface FinishedRecording {
  readonly outcome: RecordingOutcome
  /** Relative to the store; null where there is no file. */
  readonly file: string | null
}

/** Within a minute of the call's end, so that a verdict is not late. */
const RETRY_AFTER_MS = [200, 1000, 5000, 15_000]

/**
 * Moves the recording into the store, several times where it fails. Never rejects: a file that cannot be moved
 * stays in the spool, for the next start to find, and the verdict is `failed` with `write_failed`.
 */
export async function finishRecording(
  outcome: RecordingOutcome,
  {
    files,
    clock,
    log,
  }: { readonly files: RecordingFiles; readonly clock: Clock; readonly log: Log },
): Promise<FinishedRecording> {
  if (outcome.sha256 === null) return { outcome, file: null }
  for (const waitMs of [...RETRY_AFTER_MS, undefined]) {
    try {
      return { outcome, file: await files.keep(outcome.recordingId) }
    } catch (error) {
      log.error(
        { recordingId: outcome.recordingId, reason: messageOf(error), retryInMs: waitMs ?? null },
        'recording could not be moved to the store',
      )
      if (waitMs !== undefined) await new Promise<void>((resolve) => clock.after(waitMs, resolve))
    }
  }
  const reasons = outcome.reasons.includes('write_failed')
    ? outcome.reasons
    : [...outcome.reasons, 'write_failed' as const]
  return { outcome: { ...outcome, verdict: 'failed', reasons }, file: null }
}
