import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '../../base/log.ts'
import { sendProblem } from '../../base/problem.ts'
import type { StoredRecording } from '../../storage/recording-store.ts'
import type { PortalMetrics } from '../portal-metrics.ts'
import { contentTypeOf, type TranscodeFormat, type Transcoder } from '../transcode.ts'
import { streamPieces } from './file-body.ts'

export interface TranscodedAnswer {
  readonly recordingId: string
  readonly stored: StoredRecording
  readonly format: TranscodeFormat
  readonly transcoder: Transcoder
  readonly metrics: PortalMetrics
  readonly log: Log
}

const RETRY_AFTER_S = 5

/**
 * Answers with the recording in another format, made as it is sent: its length is not known before, and
 * ranges are not served. Owns the opened file from now on.
 */
export async function serveTranscoded(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: TranscodedAnswer,
): Promise<FastifyReply> {
  const { recordingId, stored, format, transcoder, metrics, log } = answer
  reply.header('accept-ranges', 'none')
  if (request.method === 'HEAD') {
    await stored.handle.close()
    return reply.type(contentTypeOf(format)).send()
  }
  if (transcoder.isFull) {
    await stored.handle.close()
    metrics.transcodes.inc({ format, outcome: 'refused' })
    reply.header('retry-after', RETRY_AFTER_S)
    return sendProblem(reply, {
      status: 503,
      code: 'transcoder_busy',
      detail: `As many recordings as this machine can do at a time are being made into other formats: try again in ${RETRY_AFTER_S} s, or take the recording as Ogg Opus.`,
    })
  }
  const source = streamPieces(stored.handle, [
    { kind: 'range', range: { first: 0, last: stored.bytes - 1 } },
  ])
  const audio = transcoder.transcode(source, {
    format,
    onEnded: (outcome, reason) => {
      metrics.transcodes.inc({ format, outcome })
      if (outcome === 'failed') log.error({ recordingId, format, reason }, 'transcoding failed')
    },
  })
  // The client may leave before anything is sent, and then nothing else ends ffmpeg.
  reply.raw.once('close', () => audio.destroy())
  return reply.type(contentTypeOf(format)).send(audio)
}
