import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Log } from '../base/log.ts'
import { isId } from '../base/uuid.ts'
import type { Archive } from './archive.ts'
import type { GatewayAnswer, GatewayClient } from './gateway-client.ts'
import type { Role } from './identity.ts'
import { refuseGateway } from './refuse-gateway.ts'

export interface CallControlRouteOptions {
  readonly gateway: GatewayClient
  readonly archive: Archive
  readonly log: Log
}

const ROLES: readonly Role[] = ['admin', 'service']
const ACTIONS = ['pause', 'resume', 'stop', 'annotate'] as const
/** What the node says of an order itself: done, or why not. */
const NODE_ANSWERS = new Set([200, 400, 404, 409, 503])

/**
 * `POST /calls/ID/pause|resume|stop|annotate`: hands the order to the node. The notes of a call that has ended are
 * written here.
 */
export function addCallControlRoute(app: FastifyInstance, options: CallControlRouteOptions): void {
  const { gateway, archive } = options
  for (const action of ACTIONS) {
    app.post<{ Params: { id: string } }>(
      `/calls/:id/${action}`,
      { config: { roles: ROLES } },
      async (request, reply) => {
        const { id } = request.params
        const { body } = request
        const order = isMembers(body)
          ? { ...body, actor: request.identity?.name }
          : (body ?? { actor: request.identity?.name })
        const answer = await gateway.post(`/api/calls/${encodeURIComponent(id)}/${action}`, order)
        const isOver = answer.kind === 'answer' && answer.status === 404
        if (isOver && action === 'annotate' && isId(id) && isMembers(body)) {
          // The node has read the notes before it looked for the call.
          const notes = body['notes'] as Readonly<Record<string, string | null>>
          if (await archive.annotate(id, notes)) return { items: [] }
        }
        return handOn(reply, answer, options)
      },
    )
  }
}

function handOn(
  reply: FastifyReply,
  answer: GatewayAnswer,
  options: CallControlRouteOptions,
): FastifyReply {
  if (answer.kind !== 'answer' || !NODE_ANSWERS.has(answer.status)) {
    return refuseGateway(reply, answer, options)
  }
  const type = answer.status === 200 ? 'application/json' : 'application/problem+json'
  return reply.code(answer.status).type(type).send(JSON.stringify(answer.body))
}

function isMembers(body: unknown): body is Readonly<Record<string, unknown>> {
  return typeof body === 'object' && body !== null && !Array.isArray(body)
}
