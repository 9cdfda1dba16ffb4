import type { FastifyInstance } from 'fastify'
import type { Log } from '../base/log.ts'
import type { PortalAudit } from './audit/portal-audit.ts'
import type { GatewayAnswer, GatewayClient } from './gateway-client.ts'
import type { Role } from './identity.ts'
import { refuseGateway } from './refuse-gateway.ts'

export interface LiveCallsRouteOptions {
  readonly gateway: GatewayClient
  readonly audit: Pick<PortalAudit, 'noteShown'>
  readonly log: Log
}

const ROLES: readonly Role[] = ['admin']

/** `GET /calls`: the calls that go on now, as the node tells them. */
export function addLiveCallsRoute(app: FastifyInstance, options: LiveCallsRouteOptions): void {
  app.get('/calls', { config: { roles: ROLES } }, async (request, reply) => {
    const answer = await options.gateway.get('/api/calls')
    const items = itemsOf(answer)
    if (items === undefined) return refuseGateway(reply, answer, options)
    await options.audit.noteShown(request.identity, { action: 'live_calls_read' })
    return { items }
  })
}

function itemsOf(answer: GatewayAnswer): readonly unknown[] | undefined {
  if (answer.kind !== 'answer' || answer.status !== 200) return undefined
  const { body } = answer
  const isList = typeof body === 'object' && body !== null && 'items' in body
  return isList && Array.isArray(body.items) ? body.items : undefined
}
