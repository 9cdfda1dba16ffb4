import { isIP } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { sendProblem } from '../../base/problem.ts'
import { isBearer } from '../is-bearer.ts'
import type { Ban } from './ban-list.ts'
import type { SipDoor } from './sip-door.ts'

export interface BansRouteOptions {
  /** Undefined where drachtio servers decide who is let in. */
  readonly door: SipDoor | undefined
  /** What the bearer must show now; undefined where no token is set up, and then nobody may ask. */
  readonly token: () => string | undefined
}

type Addressed = { readonly Params: { readonly address: string } }

/** `GET /api/sip/bans`: who is banned, why and for how long. `DELETE /api/sip/bans/ADDRESS` lets one in again. */
export function addBansRoute(app: FastifyInstance, { door, token }: BansRouteOptions): void {
  app.get('/api/sip/bans', (request, reply) => {
    if (isBearer(request, reply, token())) reply.send({ items: (door?.bans ?? []).map(view) })
  })
  app.delete<Addressed>('/api/sip/bans/:address', (request, reply) => {
    if (!isBearer(request, reply, token())) return
    const { address } = request.params
    if (isIP(address) !== 0 && door?.lift(address)) {
      reply.code(204).send()
    } else {
      sendProblem(reply, { status: 404, code: 'not_found', detail: 'No such address is banned.' })
    }
  })
}

function view({ source, reason, scope, untilMs }: Ban) {
  return { source, reason, scope, until: new Date(untilMs).toISOString() }
}
