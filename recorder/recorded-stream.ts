import type { StreamCounters, StreamPlan } from './recording-plan.ts'
import type { SocketPair } from './rtp-sockets.ts'
import type { StreamTally } from './stream-tally.ts'
import type { TimelineLeg } from './timeline-leg.ts'

/** What a recording needs of whatever fills one of its legs: RTP sockets, or a channel of a WebSocket fork. */
export interface RecordedStream {
  readonly streamId: string
  readonly role: StreamPlan['role']
  readonly leg: TimelineLeg
  readonly tally: StreamTally
  /** Undefined where it has none of its own. */
  readonly sockets: SocketPair | undefined
  /** How long the stream was to be received since the answer, milliseconds; exact after `stopCounting`. */
  readonly receivingMs: number
  /** A re-offer. */
  update(plan: StreamPlan): void
  /** The offer does not name it any more: what comes is counted only. */
  deactivate(): void
  /** The call is answered: from now on the stream should be heard. */
  startCounting(): void
  stopCounting(): void
  counters(): StreamCounters
  /** Whether nothing of what it may bring is decoded without a process. */
  readonly needsProcess: boolean
  /** Whether packets wait to be decoded, which stand from `leg.end` on. */
  readonly isDecoding: boolean
  /** Nothing more comes: resolves when all that came is on the leg. */
  finishDecoding(): Promise<void>
  /** Sends a report to the sender where one is due, and looks after what decodes. Called every batch. */
  reportIfDue(nowMs: number): void
}
