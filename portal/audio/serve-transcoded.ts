import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '../../base/log.ts'
import { sendProblem } from '../../base/problem.ts'
import type { OpenedAudio } from '../../storage/encryption/opened-audio.ts'
import type { PortalMetrics } from '../portal-metrics.ts'
import { contentTypeOf, type TranscodeFormat, type Transcoder } from '../transcode.ts'
import { streamPieces } from './file-body.ts'

export interface TranscodedAnswer {
  readonly recordingId: string
  readonly audio: OpenedAudio
  readonly format: TranscodeFormat
  readonly transcoder: Transcoder
  readonly metrics: PortalMetrics
  readonly log: Log
  /** Told of what goes wrong with reading once the answer has begun. */
  readonly onFailure: (error: unknown) => void
}

const RETRY_AFTER_S = 5

/**
 * Answers with the recording in another format, made as it is sent: its length is not known before, and
 * ranges are not served. Owns the audio from now on. Rejects before it answers where the first of it cannot be read.
 */
export async function serveTranscoded(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: TranscodedAnswer,
): Promise<FastifyReply> {
  const { recordingId, audio, format, transcoder, metrics, log, onFailure } = answer
  reply.header('accept-ranges', 'none')
  if (request.method === 'HEAD') {
    await audio.close()
    return reply.type(contentTypeOf(format)).send()
  }
  if (transcoder.isFull) {
    await audio.close()
    metrics.transcodes.inc({ format, outcome: 'refused' })
    reply.header('retry-after', RETRY_AFTER_S)
    return sendProblem(reply, {
      status: 503,
      code: 'transcoder_busy',
      detail: `As many recordings as this machine can do at a time are being made into other formats: try again in ${RETRY_AFTER_S} s, or take the recording as Ogg Opus.`,
    })
  }
  const whole = { first: 0, last: audio.bytes - 1 }
  const source = await streamPieces(audio, [{ kind: 'range', range: whole }])
  source.once('error', onFailure)
  const transcoded = transcoder.transcode(source, {
    format,
    onEnded: (outcome, reason) => {
      metrics.transcodes.inc({ format, outcome })
      if (outcome === 'failed') log.error({ recordingId, format, reason }, 'transcoding failed')
    },
  })
  // The client may leave before anything is sent, and then nothing else ends ffmpeg.
  reply.raw.once('close', () => transcoded.destroy())
  return reply.type(contentTypeOf(format)).send(transcoded)
}
