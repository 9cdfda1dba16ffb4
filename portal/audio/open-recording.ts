import type { FastifyReply } from 'fastify'
import type { Log } from '../../base/log.ts'
import { sendProblem } from '../../base/problem.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import type { RecordingDetails } from '../../storage/contact-queries.ts'
import type { OpenedAudio } from '../../storage/encryption/opened-audio.ts'
import type { Archive } from '../archive.ts'
import { AUDIO_FAILURES, type AudioFailure, type PortalMetrics } from '../portal-metrics.ts'

/** A recording that ended with a file. */
export interface FiledRecording extends RecordingDetails {
  readonly file: string
}

export interface OpenedRecording {
  readonly details: FiledRecording
  readonly audio: OpenedAudio
}

const TOLD = 'The operator has been alarmed.'
/** Why a file that should be there cannot be read, by its code, for people. */
const FAILURES: ReadonlyMap<AudioFailure, string> = new Map([
  [
    'file_missing',
    'The file of this recording is not in the store, though it has not been deleted.',
  ],
  [
    'identity_missing',
    'This recording is encrypted, and the portal has no identity to open recordings with.',
  ],
  [
    'identity_wrong',
    'This recording is encrypted to other recipients than those whose identities the portal has.',
  ],
  ['file_damaged', 'The file of this recording is damaged: it is not as it was written.'],
])

export function hasFile(details: RecordingDetails): details is FiledRecording {
  return details.file !== null
}

/**
 * Opens a recording's audio. A file that was replaced since its row was read, as one that was encrypted anew, is looked
 * up again. Rejects as `openAudio` does, and with `file_missing`.
 */
export async function openRecording(
  details: FiledRecording,
  archive: Archive,
): Promise<OpenedRecording> {
  try {
    return { details, audio: await archive.open(details.file) }
  } catch (error) {
    const now = await archive.findRecording(details.view.id)
    if (now !== undefined && hasFile(now) && now.file !== details.file) {
      return openRecording(now, archive)
    }
    throw await explained(error, details, archive)
  }
}

/** A damaged header looks like one for other recipients: only the file's digest tells them apart. */
async function explained(
  error: unknown,
  { file, stored }: FiledRecording,
  archive: Archive,
): Promise<unknown> {
  if (codeOf(error) !== 'identity_wrong' || stored.sha256 === null) return error
  if ((await archive.digestOf(file)) === stored.sha256) return error
  return new TallenneError(
    'file_damaged',
    'The file is not the one that was stored, and no identity opens it: its age header may be damaged.',
    { cause: error },
  )
}

export interface FailureNotes {
  readonly recordingId: string
  readonly metrics: PortalMetrics
  readonly log: Log
}

/** Counts and logs that a recording which should be there cannot be read. Tells why. */
export function noteFailure(
  error: unknown,
  { recordingId, metrics, log }: FailureNotes,
): AudioFailure {
  const code = codeOf(error)
  const reason = AUDIO_FAILURES.find((known) => known === code) ?? 'file_unreadable'
  metrics.audioFailures.inc({ reason })
  log.error({ recordingId, reason, detail: messageOf(error) }, 'a recording cannot be read')
  return reason
}

/** Counts and logs the failure, and answers 500 with its reason. */
export function answerFailure(
  reply: FastifyReply,
  error: unknown,
  notes: FailureNotes,
): FastifyReply {
  const reason = noteFailure(error, notes)
  const sentence = FAILURES.get(reason) ?? 'The file of this recording cannot be read.'
  reply.removeHeader('content-disposition')
  return sendProblem(reply, { status: 500, code: reason, detail: `${sentence} ${TOLD}` })
}

function codeOf(error: unknown): string {
  return error instanceof TallenneError ? error.code : ''
}
