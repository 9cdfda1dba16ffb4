import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Log } from '../base/log.ts'
import { sendMistakes } from '../base/problem.ts'
import { TallenneError } from '../base/tallenne-error.ts'
import { isId } from '../base/uuid.ts'
import type { OpenedAudio } from '../storage/encryption/opened-audio.ts'
import type { RecordingView } from '../storage/model.ts'
import type { Archive } from './archive.ts'
import {
  answerFailure,
  hasFile,
  noteFailure,
  type OpenedRecording,
  openRecording,
} from './audio/open-recording.ts'
import type { Validators } from './audio/preconditions.ts'
import { serveStored } from './audio/serve-stored.ts'
import { serveTranscoded } from './audio/serve-transcoded.ts'
import type { Listenings } from './audit/listenings.ts'
import { actorOf } from './audit/portal-audit.ts'
import type { Role } from './identity.ts'
import type { PortalMetrics } from './portal-metrics.ts'
import { type AudioFormat, audioQuerySchema } from './query-schemas.ts'
import { readQuery } from './read-query.ts'
import { refuseAudio } from './refuse-audio.ts'
import type { Transcoder } from './transcode.ts'

export interface AudioRouteOptions {
  readonly archive: Archive
  readonly listenings: Listenings
  readonly transcoder: Transcoder
  readonly metrics: PortalMetrics
  readonly log: Log
}

const ROLES: readonly Role[] = ['admin']
const FILE_ENDINGS = { ogg: 'opus', webm: 'webm', mp3: 'mp3', wav: 'wav' } as const

/** `GET` and `HEAD /recordings/ID/audio`. */
export function addAudioRoute(app: FastifyInstance, options: AudioRouteOptions): void {
  const { archive, listenings, transcoder, metrics, log } = options
  app.route<{ Params: { id: string }; Querystring: Record<string, unknown> }>({
    method: ['GET', 'HEAD'],
    url: '/recordings/:id/audio',
    config: { roles: ROLES },
    handler: async (request, reply) => {
      const outcome = readQuery(audioQuerySchema, request.query)
      if (outcome.kind === 'wrong') return sendMistakes(reply, outcome.mistakes)
      const { format } = outcome.query
      const { id } = request.params
      const recording = isId(id) ? await archive.findRecording(id) : undefined
      if (!recording || !hasFile(recording) || !isServed(recording.view)) {
        return refuseAudio(reply, recording)
      }

      const notes = { recordingId: id, metrics, log }
      try {
        const opened = await openRecording(recording, archive)
        const audio = await heard(request, { opened, format, listenings })
        const onFailure = (error: unknown) => void noteFailure(error, notes)
        reply.header('cache-control', 'private, no-store')
        reply.header('content-disposition', `inline; filename="${id}.${FILE_ENDINGS[format]}"`)
        if (format === 'ogg') {
          const validators = validatorsOf(opened.details.view, opened.audio)
          noteSize(opened, options)
          return await serveStored(request, reply, { audio, validators, onFailure })
        }
        const answer = { ...notes, audio, format, transcoder, onFailure }
        return await serveTranscoded(request, reply, answer)
      } catch (error) {
        if (error instanceof TallenneError && error.code === 'audit_unavailable') throw error
        return answerFailure(reply, error, notes)
      }
    },
  })
}

/** The audio with its listening written down; whoever asks for its length alone hears nothing. */
async function heard(
  { method, identity }: FastifyRequest,
  parts: {
    readonly opened: OpenedRecording
    readonly format: AudioFormat
    readonly listenings: Listenings
  },
): Promise<OpenedAudio> {
  const { opened, format, listenings } = parts
  const { audio, details } = opened
  if (method !== 'GET') return audio
  const { id: recordingId, durationMs } = details.view
  const { contactId } = details
  const subject = { actor: actorOf(identity), recordingId, contactId, durationMs, format }
  try {
    return await listenings.listen({ ...subject, bytes: audio.bytes }, audio)
  } catch (error) {
    await audio.close()
    throw error
  }
}

/** A file that is shorter or longer than its row says is served as it is, and told of. */
function noteSize({ details, audio }: OpenedRecording, { metrics, log }: AudioRouteOptions): void {
  const { view, stored } = details
  if (stored.bytes === audio.storedBytes && (view.bytes ?? audio.bytes) === audio.bytes) return
  metrics.audioFailures.inc({ reason: 'size_differs' })
  log.error(
    { recordingId: view.id, bytes: audio.storedBytes, expectedBytes: stored.bytes },
    'a stored recording is not as long as it was',
  )
}

function isServed({ state }: RecordingView): boolean {
  switch (state) {
    case 'complete':
    case 'partial':
    case 'silent':
    case 'failed':
      return true
    case 'recording':
    case 'deleting':
    case 'deleted':
      return false
  }
}

/** The row's digest names the audio only while there is as much of it as the row says. */
function validatorsOf({ sha256, bytes }: RecordingView, audio: OpenedAudio): Validators {
  const isWhole = sha256 !== null && bytes === audio.bytes
  return { etag: isWhole ? `"${sha256}"` : undefined, modifiedAtMs: audio.modifiedAtMs }
}
