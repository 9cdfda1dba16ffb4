import type { RecordingOutcome } from '../../recorder/recording-plan.ts'

/** What metrics hear of calls. Labels are bounded: methods, end reasons and verdicts are known words. */
export interface CallEvents {
  arrived(): void
  /** A 200 left so long after the INVITE came. */
  answered(setupMs: number): void
  ended(endReason: string): void
  judged(outcome: RecordingOutcome): void
}
