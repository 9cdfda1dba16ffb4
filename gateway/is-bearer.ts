import type { FastifyReply, FastifyRequest } from 'fastify'
import { isSameToken, shownToken } from '../base/admin-token.ts'

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
  reply.code(401).send({ code: 'unauthorized', message: 'Send the admin token as a bearer token.' })
  return false
}
