import type { FastifyInstance } from 'fastify'
import { sendProblem } from '../base/problem.ts'
import type { PortalAudit } from './audit/portal-audit.ts'
import type { Identify, Identity, Role } from './identity.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route. A route without roles serves nobody. */
    roles?: readonly Role[]
  }
  interface FastifyRequest {
    /** Who asks; null outside the routes that `guardRoutes` guards. */
    identity: Identity | null
  }
}

/**
 * Lets nobody past, on any route of `app` and below, who is not identified and in one of the route's roles. Who comes
 * in, and who shows wrong credentials, stands in the audit trail.
 */
export function guardRoutes(
  app: FastifyInstance,
  { identify, audit }: { readonly identify: Identify; readonly audit: PortalAudit },
): void {
  app.decorateRequest('identity', null)
  app.addHook('onRequest', async (request, reply) => {
    const { authorization } = request.headers
    const identity = identify(authorization)
    if (!identity) {
      if (authorization !== undefined) void audit.strangerCame(request.ip)
      // RFC 6750 §3.1: no error code where no credentials were shown.
      const error = authorization === undefined ? '' : ', error="invalid_token"'
      reply.header('www-authenticate', `Bearer realm="tallenne"${error}`)
      return sendProblem(reply, {
        status: 401,
        code: 'unauthorized',
        detail:
          authorization === undefined
            ? 'Send a token: Authorization: Bearer TOKEN.'
            : 'The credentials are not known here: send Authorization: Bearer TOKEN with a valid token.',
      })
    }
    request.identity = identity
    void audit.signedIn(identity, request.ip)
    if (request.is404) return
    if (!request.routeOptions.config.roles?.includes(identity.role)) {
      return sendProblem(reply, {
        status: 403,
        code: 'forbidden',
        detail: `The role ${identity.role} may not do this.`,
      })
    }
  })
}
