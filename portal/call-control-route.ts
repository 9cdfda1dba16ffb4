import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Log } from '../base/log.ts'
import { isId } from '../base/uuid.ts'
import type { AuditDetail } from '../storage/audit/audit-event.ts'
import type { Archive } from './archive.ts'
import type { Deed, PortalAudit } from './audit/portal-audit.ts'
import type { GatewayAnswer, GatewayClient } from './gateway-client.ts'
import type { Role } from './identity.ts'
import { refuseGateway } from './refuse-gateway.ts'

export interface CallControlRouteOptions {
  readonly gateway: GatewayClient
  readonly archive: Archive
  readonly audit: PortalAudit
  readonly log: Log
}

const ROLES: readonly Role[] = ['admin', 'service']
const ACTIONS = ['pause', 'resume', 'stop', 'annotate'] as const
const DEEDS = {
  pause: 'call_paused',
  resume: 'call_resumed',
  stop: 'call_stopped',
  annotate: 'call_annotated',
} as const
/** What the node says of an order itself: done, or why not. */
const NODE_ANSWERS = new Set([200, 400, 404, 409, 503])

/**
 * `POST /calls/ID/pause|resume|stop|annotate`: hands the order to the node. The notes of a call that has ended are
 * written here.
 */
export function addCallControlRoute(app: FastifyInstance, options: CallControlRouteOptions): void {
  const { gateway, archive, audit } = options
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
          if (await archive.annotate(id, notes)) {
            const deed = { action: DEEDS[action], contactId: id, details: orderDetails(body) }
            await audit.note(request.identity, deed)
            return { items: [] }
          }
        }
        for (const deed of deedsOf(answer, { action: DEEDS[action], call: id, body })) {
          await audit.note(request.identity, deed)
        }
        return handOn(reply, answer, options)
      },
    )
  }
}

/** What the trail tells of an order: one row for each call that it was for. What was refused changed nothing. */
function deedsOf(
  answer: GatewayAnswer,
  order: { readonly action: Deed['action']; readonly call: string; readonly body: unknown },
): readonly Deed[] {
  if (answer.kind !== 'answer') return []
  const { action, call } = order
  const details = orderDetails(order.body)
  if (answer.status === 503) return [{ action, details: { ...details, call, isConfirmed: false } }]
  if (answer.status !== 200) return []
  return itemsOf(answer.body).map(({ contactId, recordingId }) => ({
    action,
    contactId: idOrNull(contactId),
    recordingId: idOrNull(recordingId),
    details,
  }))
}

/** Why, and which notes; what notes say is in the contact alone. */
function orderDetails(body: unknown): Readonly<Record<string, AuditDetail>> {
  if (!isMembers(body)) return {}
  const { reason, notes } = body
  return {
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(isMembers(notes) ? { notes: Object.keys(notes).sort() } : {}),
  }
}

function itemsOf(body: unknown): readonly Readonly<Record<string, unknown>>[] {
  const items = isMembers(body) ? body['items'] : undefined
  return Array.isArray(items) ? items.filter(isMembers) : []
}

function idOrNull(value: unknown): string | null {
  return typeof value === 'string' && isId(value) ? value : null
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
