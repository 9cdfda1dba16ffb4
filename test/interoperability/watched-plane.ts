import type { Answer } from '../../gateway/siprec/answer-plan.ts'
import type { SessionPlane } from '../../gateway/siprec/session-plane.ts'
import type { StreamPlan } from '../../recorder/recording-plan.ts'

/** A plane that tells the streams of each recording whenever they are opened or changed. */
export function watchedPlane(
  plane: SessionPlane,
  onStreams: (streams: readonly StreamPlan[]) => void,
): SessionPlane {
  const tell = ({ streams }: Answer) => onStreams(streams)
  return {
    capabilities: plane.capabilities,
    takesFurtherStreams: plane.takesFurtherStreams,
    open: (request) => {
      tell(request.answer)
      return plane.open(request)
    },
    update: (recordingId, answer, from) => {
      tell(answer)
      return plane.update(recordingId, answer, from)
    },
    answered: (recordingId, answeredAtMs) => plane.answered(recordingId, answeredAtMs),
    renewSignalling: (recordingId, framework) => plane.renewSignalling(recordingId, framework),
    close: (recordingId, endedAtMs, reasons) => plane.close(recordingId, endedAtMs, reasons),
    onLost: (listener) => plane.onLost(listener),
  }
}
