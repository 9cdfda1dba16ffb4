import type { Answer } from './answer-plan.ts'
import type { SessionStream, StreamOrigin } from './session-plane.ts'

/** What holds streams of a session: a recording of one of its calls, or what keeps them between calls. */
export interface StreamHolder {
  /** The recording that it has open, or will have. */
  readonly recordingId: string
  readonly isOpen: boolean
  /**
   * Has these streams from now on, and those that are absent receive nothing. Those that are new to it come `from`
   * others. Rejects as a `SessionPlane` does.
   */
  hold(answer: Answer, from?: StreamOrigin): Promise<readonly SessionStream[]>
  /** The recording is lost, and goes on in another from now. Rejects as a `SessionPlane` does. */
  goOn(answer: Answer): Promise<readonly SessionStream[]>
}
