import type { FastifyInstance } from 'fastify'
import { SqlError } from 'mariadb'
import type { Log } from '../base/log.ts'
import { sendMistakes, sendProblem } from '../base/problem.ts'
import { messageOf, TallenneError } from '../base/tallenne-error.ts'
import { databaseMessage } from '../storage/database.ts'
import { isDataError } from '../storage/database-fault.ts'

const RETRY_AFTER_S = 5

/** Turns what a route of `app` throws into a problem document that tells nothing of the inside. */
export function handleErrors(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((error: unknown, request, reply) => {
    const route = request.routeOptions.url
    if (error instanceof TallenneError && error.code === 'bad_cursor') {
      const found = String((request.query as Record<string, unknown>)['cursor'])
      const expected = 'the nextCursor of the page before'
      return sendMistakes(reply, [{ parameter: 'cursor', found, expected }])
    }
    if (error instanceof SqlError && !isDataError(error)) {
      log.error({ route, reason: databaseMessage(error) }, 'the database does not answer')
      reply.header('retry-after', RETRY_AFTER_S)
      return sendProblem(reply, {
        status: 503,
        code: 'database_unreachable',
        detail: `The database does not answer: try again in ${RETRY_AFTER_S} s.`,
      })
    }
    if (error instanceof TallenneError && error.code === 'audit_unavailable') {
      log.error({ route, reason: messageOf(error) }, 'nothing is shown that cannot be audited')
      reply.header('retry-after', RETRY_AFTER_S)
      return sendProblem(reply, {
        status: 503,
        code: error.code,
        detail: `What is shown must stand in the audit trail, which cannot be written now: try again in ${RETRY_AFTER_S} s.`,
      })
    }
    if (error instanceof TallenneError && error.code === 'transcode_failed') {
      const detail = 'The recording cannot be made into this format; as Ogg Opus it may still play.'
      return sendProblem(reply, { status: 500, code: error.code, detail })
    }
    const status = clientStatusOf(error)
    if (status !== undefined) {
      return sendProblem(reply, { status, code: 'bad_request', detail: messageOf(error) })
    }
    // A database error carries its statement, and with it callers' numbers.
    const shown = error instanceof SqlError ? { reason: databaseMessage(error) } : { err: error }
    log.error({ route, ...shown }, 'request failed')
    return sendProblem(reply, {
      status: 500,
      code: 'internal',
      detail: 'The request failed here. The operator finds the reason in the log.',
    })
  })
  app.setNotFoundHandler((_request, reply) =>
    sendProblem(reply, {
      status: 404,
      code: 'not_found',
      detail: 'There is nothing at this path: /openapi.json tells what there is.',
    }),
  )
}

/** The status of an error that the client caused, as the HTTP framework marks it. */
function clientStatusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined
  const { statusCode } = error
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500
    ? statusCode
    : undefined
}
