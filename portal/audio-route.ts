import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Log } from '../base/log.ts'
import { sendMistakes, sendProblem } from '../base/problem.ts'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import { isId } from '../base/uuid.ts'
import type { RecordingView } from '../storage/model.ts'
import type { StoredRecording } from '../storage/recording-store.ts'
import type { Archive } from './archive.ts'
import type { Validators } from './audio/preconditions.ts'
import { serveStored } from './audio/serve-stored.ts'
import { serveTranscoded } from './audio/serve-transcoded.ts'
import type { Role } from './identity.ts'
import type { PortalMetrics } from './portal-metrics.ts'
import { audioQuerySchema } from './query-schemas.ts'
import { readQuery } from './read-query.ts'
import { refuseAudio } from './refuse-audio.ts'
import type { Transcoder } from './transcode.ts'

export interface AudioRouteOptions {
  readonly archive: Archive
  readonly transcoder: Transcoder
  readonly metrics: PortalMetrics
  readonly log: Log
}

const ROLES: readonly Role[] = ['admin']
const FILE_ENDINGS = { ogg: 'opus', webm: 'webm', mp3: 'mp3', wav: 'wav' } as const

/** `GET` and `HEAD /recordings/ID/audio`. */
export function addAudioRoute(app: FastifyInstance, options: AudioRouteOptions): void {
  const { archive, transcoder, metrics, log } = options
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
      if (!recording || recording.file === null || !isServed(recording.view)) {
        return refuseAudio(reply, recording)
      }

      const stored = await openOrFail(reply, { ...options, id, file: recording.file })
      if (!stored) return reply
      reply.header('cache-control', 'private, no-store')
      reply.header('content-disposition', `inline; filename="${id}.${FILE_ENDINGS[format]}"`)
      if (format === 'ogg') {
        const validators = await validatorsOf(recording.view, stored)
        if (validators.etag === undefined) {
          metrics.audioFailures.inc({ reason: 'size_differs' })
          log.error(
            { recordingId: id, bytes: stored.bytes, expectedBytes: recording.view.bytes },
            'a stored recording is not as long as it was',
          )
        }
        return serveStored(request, reply, { stored, validators })
      }
      return serveTranscoded(request, reply, {
        recordingId: id,
        stored,
        format,
        transcoder,
        metrics,
        log,
      })
    },
  })
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

interface OpenOptions extends AudioRouteOptions {
  readonly id: string
  readonly file: string
}

/** Undefined once the answer 500 has been sent. */
async function openOrFail(
  reply: FastifyReply,
  { archive, metrics, log, id, file }: OpenOptions,
): Promise<StoredRecording | undefined> {
  try {
    return await archive.open(file)
  } catch (error) {
    const isMissing = error instanceof TallenneError && error.code === 'file_missing'
    const reason = isMissing ? 'file_missing' : 'file_unreadable'
    metrics.audioFailures.inc({ reason })
    log.error({ recordingId: id, reason: messageOf(error) }, 'a recording cannot be read')
    sendProblem(reply, {
      status: 500,
      code: reason,
      detail: isMissing
        ? 'The file of this recording is not in the store, though it has not been deleted. The operator has been alarmed.'
        : 'The file of this recording cannot be read. The operator has been alarmed.',
    })
    return undefined
  }
}

/** The row's digest names the content only while the file is as long as the row says. */
async function validatorsOf(
  { sha256, bytes }: RecordingView,
  stored: StoredRecording,
): Promise<Validators> {
  const { mtimeMs } = await stored.handle.stat()
  const isWhole = sha256 !== null && bytes === stored.bytes
  return { etag: isWhole ? `"${sha256}"` : undefined, modifiedAtMs: mtimeMs }
}
