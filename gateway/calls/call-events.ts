import type { RecordingOutcome } from '../../recorder/recording-plan.ts'
import type { Capture } from '../../storage/model.ts'

/** Where a call comes from, in words that the configuration bounds: labels of metrics, and fields of logs. */
export interface CallSource {
  readonly capture: Capture
  /** A recording client's name in `siprec.peers`, or a trunk route's; `other` where it has none. */
  readonly peer: string
  /** Where its media is. */
  readonly plane: 'direct' | 'freeswitch'
}

/** What metrics hear of calls. Labels are bounded: names of the configuration, end reasons and verdicts. */
export interface CallEvents {
  arrived(source: CallSource): void
  /** A 200 left so long after the INVITE came. */
  answered(source: CallSource, setupMs: number): void
  ended(source: CallSource, endReason: string): void
  /** A recording of a service line has its verdict. */
  judged(outcome: RecordingOutcome, serviceLine: string): void
}
