import type { Answer } from './answer-plan.ts'
import type { SessionStream } from './session-plane.ts'

/** What holds streams of a session: a recording of one of its calls, or what keeps them between calls. */
export interface StreamHolder {
  /** The recording that it has open, or will have. */
  readonly recordingId: string
  readonly isOpen: boolean
  /**
   * Has these streams from now on, and those that are absent receive nothing. Where it is not open yet it takes over
   * what the recording `after` has of them. Rejects as a `SessionPlane` does.
   */
  hold(answer: Answer, after?: string): Promise<readonly SessionStream[]>
  /** The recording is lost, and goes on in another from now. Rejects as a `SessionPlane` does. */
  goOn(answer: Answer): Promise<readonly SessionStream[]>
}
