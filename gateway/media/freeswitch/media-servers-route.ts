import type { FastifyInstance } from 'fastify'
import { sendProblem } from '../../../base/problem.ts'
import { isBearer } from '../../is-bearer.ts'
import type { FreeswitchPool } from './freeswitch-pool.ts'
import type { FreeswitchServer } from './freeswitch-server.ts'

export interface MediaServersRouteOptions {
  /** Undefined where none is configured. */
  readonly pool: FreeswitchPool | undefined
  /** What the bearer must show now; undefined where no token is set up, and then nobody may ask. */
  readonly token: () => string | undefined
}

type Named = { readonly Params: { readonly name: string } }

/**
 * `GET /api/media-servers`: the FreeSWITCH servers and how they are. `POST /api/media-servers/NAME/drain` keeps new
 * calls from one, `…/undrain` lets them come again; calls that are up go on.
 */
export function addMediaServersRoute(
  app: FastifyInstance,
  options: MediaServersRouteOptions,
): void {
  const servers = () => options.pool?.servers ?? []
  app.get('/api/media-servers', (request, reply) => {
    if (isBearer(request, reply, options.token())) reply.send({ items: servers().map(view) })
  })
  for (const [verb, isDraining] of [
    ['drain', true],
    ['undrain', false],
  ] as const) {
    app.post<Named>(`/api/media-servers/:name/${verb}`, (request, reply) => {
      if (!isBearer(request, reply, options.token())) return
      const server = options.pool?.find(request.params.name)
      if (server === undefined) {
        const detail = 'There is no media server of this name.'
        sendProblem(reply, { status: 404, code: 'not_found', detail })
        return
      }
      server.drain(isDraining)
      reply.send(view(server))
    })
  }
}

function view(server: FreeswitchServer) {
  const { name, host, port, weight } = server.address
  const { state, isDraining, takesCalls, endpoints } = server
  return { name, host, port, weight, state, isDraining, takesCalls, endpoints }
}
