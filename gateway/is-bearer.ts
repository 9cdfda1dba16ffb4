import type { FastifyReply, FastifyRequest } from 'fastify'
import { isSameToken, shownToken } from '../base/admin-token.ts'
import { sendProblem } from '../base/problem.ts'

/**
 * Whether the request shows the admin token; where not, answers 401. `token` is undefined where none is set up, and
 * then nobody may ask.
 */
export function isBearer(
  request: FastifyRequest,
  reply: FastifyReply,
  token: string | undefined,
): boolean {
  const shown = shownToken(request.headers.authorization)
  if (shown !== undefined && token && isSameToken(shown, token)) return true
  reply.header('www-authenticate', 'Bearer')
  sendProblem(reply, {
    status: 401,
    code: 'unauthorized',
    detail: 'Send the admin token: Authorization: Bearer TOKEN.',
  })
  return false
}
