import type { RecordingOutcome } from '../../recorder/recording-plan.ts'
import type { Answer } from '../siprec/answer-plan.ts'
import type { MediaCapabilities } from '../siprec/media-capabilities.ts'
import type {
  SessionMediaRequest,
  SessionPlane,
  SessionStream,
  StreamOrigin,
} from '../siprec/session-plane.ts'
import type { MediaPlane } from './media-plane.ts'

/** Recording sessions on the engines' own sockets: the recorder decodes what the client sends. */
export class DirectSessionPlane implements SessionPlane {
  readonly capabilities: MediaCapabilities
  readonly takesFurtherStreams = true
  readonly #plane: MediaPlane

  constructor(options: { readonly plane: MediaPlane; readonly capabilities: MediaCapabilities }) {
    this.capabilities = options.capabilities
    this.#plane = options.plane
  }

  open(request: SessionMediaRequest): Promise<readonly SessionStream[]> {
    const { recordingId, callId, answer, from, pace } = request
    return this.#plane.open({
      recordingId,
      callId,
      streams: answer.streams,
      control: request.control.opening(recordingId),
      ...(pace === undefined ? {} : { pace }),
      ...(from && { after: [...from.before, ...from.beside] }),
    })
  }

  answered(recordingId: string, answeredAtMs: number): Promise<void> {
    return this.#plane.answered(recordingId, answeredAtMs)
  }

  update(
    recordingId: string,
    answer: Answer,
    from?: StreamOrigin,
  ): Promise<readonly SessionStream[]> {
    return this.#plane.update(recordingId, answer.streams, from?.before)
  }

  /** The engines' sockets need no dialogs. */
  async renewSignalling(): Promise<void> {}

  close(
    recordingId: string,
    endedAtMs: number,
    reasons: RecordingOutcome['reasons'],
  ): Promise<RecordingOutcome> {
    return this.#plane.close(recordingId, endedAtMs, reasons)
  }

  onLost(listener: (recordingId: string, cause: string) => void): void {
    this.#plane.onLost(listener)
  }
}
