import type { FastifyReply } from 'fastify'
import { sendProblem } from '../base/problem.ts'
import type { RecordingDeletion, RecordingDetails } from '../storage/contact-queries.ts'

/** Answers why there is no audio: no such recording, none yet, none at all, or none any more. */
export function refuseAudio(
  reply: FastifyReply,
  recording: RecordingDetails | undefined,
): FastifyReply {
  if (!recording) {
    return sendProblem(reply, {
      status: 404,
      code: 'recording_unknown',
      detail: 'There is no recording with this id.',
    })
  }
  const { deletion, serviceLine } = recording
  const { state, reasons } = recording.view
  switch (state) {
    case 'recording':
      return sendProblem(reply, {
        status: 409,
        code: 'recording_in_progress',
        detail: 'The call is still being recorded: its audio is served once the call has ended.',
        extensions: { state },
      })
    case 'deleting':
    case 'deleted':
      return sendProblem(reply, {
        status: 410,
        code: 'recording_deleted',
        detail: deletionSentence(deletion, serviceLine),
        extensions: { state, serviceLine, ...deletion },
      })
    case 'complete':
    case 'partial':
    case 'silent':
    case 'failed':
      return sendProblem(reply, {
        status: 404,
        code: 'no_audio',
        detail: `This recording ended as ${state} (${reasons.join(', ')}) and has no audio.`,
        extensions: { state, reasons },
      })
  }
}

function deletionSentence(deletion: RecordingDeletion | null, serviceLine: string): string {
  const when = deletion?.deletedAt
    ? `The recording was deleted at ${deletion.deletedAt}`
    : 'The recording is being deleted'
  if (!deletion || deletion.period === null) return `${when}.`
  const version = deletion.policyVersion === null ? '' : `, version ${deletion.policyVersion}`
  return `${when} by the policy of service line ${serviceLine}${version}: recordings are kept for ${deletion.period} from the end of the call.`
}
