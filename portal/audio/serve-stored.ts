import { randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { sendProblem } from '../../base/problem.ts'
import type { OpenedAudio } from '../../storage/encryption/opened-audio.ts'
import { contentRangeOf, selectRanges } from './byte-ranges.ts'
import { type BodyPiece, bodyLengthOf, streamPieces } from './file-body.ts'
import { multipartPieces } from './multipart-ranges.ts'
import { evaluatePreconditions, isRangeCurrent, type Validators } from './preconditions.ts'

/** Ogg Opus as it is stored. */
export const STORED_CONTENT_TYPE = 'audio/ogg; codecs=opus'

export interface StoredAnswer {
  readonly audio: OpenedAudio
  readonly validators: Validators
  /** Told of what goes wrong once the answer has begun. */
  readonly onFailure: (error: unknown) => void
}

/**
 * Answers GET and HEAD with the audio, a range of it, several, or none of it, as RFC 9110 §13 and §14 ask.
 * Owns the audio from now on. Rejects before it answers where the first of it cannot be read.
 */
export async function serveStored(
  request: FastifyRequest,
  reply: FastifyReply,
  { audio, validators, onFailure }: StoredAnswer,
): Promise<FastifyReply> {
  const answer = planAnswer(request, { length: audio.bytes, validators })
  const body =
    answer.kind === 'body' && request.method === 'GET'
      ? await streamPieces(audio, answer.pieces)
      : undefined
  body?.once('error', onFailure)
  reply.header('accept-ranges', 'bytes')
  reply.header('last-modified', new Date(validators.modifiedAtMs).toUTCString())
  if (validators.etag !== undefined) reply.header('etag', validators.etag)
  if (answer.kind === 'body' && body !== undefined) {
    reply.code(answer.status).headers(answer.headers)
    reply.header('content-length', bodyLengthOf(answer.pieces))
    return reply.send(body)
  }

  await audio.close()
  switch (answer.kind) {
    case 'body':
      reply.code(answer.status).headers(answer.headers)
      return reply.header('content-length', bodyLengthOf(answer.pieces)).send()
    case 'not_modified':
      return reply.code(304).send()
    case 'failed':
      return sendProblem(reply, {
        status: 412,
        code: 'precondition_failed',
        detail: 'The recording is not the version that If-Match or If-Unmodified-Since asks for.',
      })
    case 'unsatisfiable':
      reply.header('content-range', `bytes */${audio.bytes}`)
      return sendProblem(reply, {
        status: 416,
        code: 'range_unsatisfiable',
        detail: `The recording has ${audio.bytes} bytes and none of them is in the range asked for.`,
      })
  }
}

type Answer =
  | {
      readonly kind: 'body'
      readonly status: 200 | 206
      readonly headers: Readonly<Record<string, string>>
      readonly pieces: readonly BodyPiece[]
    }
  | { readonly kind: 'not_modified' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'unsatisfiable' }

function planAnswer(
  { method, headers }: FastifyRequest,
  { length, validators }: { readonly length: number; readonly validators: Validators },
): Answer {
  const outcome = evaluatePreconditions(headers, validators)
  if (outcome !== 'proceed') return { kind: outcome }

  const ifRange = headers['if-range']
  // Range means something to GET alone (RFC 9110 §14.2).
  const isRanged =
    method === 'GET' && isRangeCurrent(Array.isArray(ifRange) ? ifRange[0] : ifRange, validators)
  const selection = selectRanges(isRanged ? headers.range : undefined, length)
  if (selection.kind === 'unsatisfiable') return { kind: 'unsatisfiable' }
  if (selection.kind === 'whole') {
    return {
      kind: 'body',
      status: 200,
      headers: { 'content-type': STORED_CONTENT_TYPE },
      pieces: length === 0 ? [] : [{ kind: 'range', range: { first: 0, last: length - 1 } }],
    }
  }
  const [range, ...others] = selection.ranges
  if (range && others.length === 0) {
    return {
      kind: 'body',
      status: 206,
      headers: {
        'content-type': STORED_CONTENT_TYPE,
        'content-range': contentRangeOf(range, length),
      },
      pieces: [{ kind: 'range', range }],
    }
  }
  const boundary = randomBytes(16).toString('hex')
  return {
    kind: 'body',
    status: 206,
    headers: { 'content-type': `multipart/byteranges; boundary=${boundary}` },
    pieces: multipartPieces(selection.ranges, {
      length,
      contentType: STORED_CONTENT_TYPE,
      boundary,
    }),
  }
}
