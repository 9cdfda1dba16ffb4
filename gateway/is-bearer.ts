import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Whether the request shows the admin token; where not, answers 401. `token` is undefined where none is set up, and
 * then nobody may ask.
 */
export function isBearer(
  request: FastifyRequest,
  reply: FastifyReply,
  token: string | undefined,
): boolean {
  const shown = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (shown !== undefined && token !== undefined && token !== '' && isSame(shown, token))
    return true
  reply.header('www-authenticate', 'Bearer')
  reply.code(401).send({ code: 'unauthorized', message: 'Send the admin token as a bearer token.' })
  return false
}

/** Compares digests, so that neither length nor content can be told from the time it takes. */
function isSame(shown: string, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(shown), digest(token))
}
