import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { settledWithin } from '../../base/settled-within.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import type { RecordingOutcome } from '../../recorder/recording-plan.ts'
import type { RecordingFiles } from './recording-files.ts'

/** A recording that nothing is added to any more. */
export interface FinishedRecording {
  readonly outcome: RecordingOutcome
  /** Relative to the store; null where there is no file, or where it is still in the spool. */
  readonly file: string | null
}

/** A verdict waits so long for the store, and for another attempt, before it is given without. */
const PATIENCE_MS = 5000
const RETRY_AFTER_MS = [200, 1000]
/** A store that does not answer is not asked again at once. */
const LATE: readonly string[] = ['store_late', 'disk_hung']

/**
 * Moves the recording into the store, several times where it fails. Never rejects. Where the store does not take it
 * the verdict stands as it is, without a file, and the recording goes to the store when that takes it again; where
 * there is no file to be moved, the verdict is `failed` with `write_failed`.
 */
export async function finishRecording(
  outcome: RecordingOutcome,
  {
    files,
    clock,
    log,
  }: { readonly files: RecordingFiles; readonly clock: Clock; readonly log: Log },
): Promise<FinishedRecording> {
  const { recordingId, bytes, sha256 } = outcome
  if (sha256 === null) return { outcome, file: null }
  const ended = { bytes, sha256 }
  for (const waitMs of [...RETRY_AFTER_MS, undefined]) {
    try {
      return { outcome, file: await keepInTime(files.keep(recordingId, ended), clock) }
    } catch (error) {
      log.error(
        { recordingId, reason: messageOf(error), retryInMs: waitMs ?? null },
        'recording could not be moved to the store',
      )
      if (error instanceof TallenneError && error.code === 'ENOENT') return lost(outcome)
      if (error instanceof TallenneError && LATE.includes(error.code)) break
      if (waitMs !== undefined) await new Promise<void>((resolve) => clock.after(waitMs, resolve))
    }
  }
  files.keepLater?.(recordingId, ended)
  return { outcome, file: null }
}

async function keepInTime(keeping: Promise<string>, clock: Clock): Promise<string> {
  if (await settledWithin(keeping, { clock, limitMs: PATIENCE_MS })) return keeping
  throw new TallenneError('store_late', `the store has not taken it within ${PATIENCE_MS} ms`)
}

function lost(outcome: RecordingOutcome): FinishedRecording {
  const reasons = outcome.reasons.includes('write_failed')
    ? outcome.reasons
    : [...outcome.reasons, 'write_failed' as const]
  return { outcome: { ...outcome, verdict: 'failed', reasons }, file: null }
}
