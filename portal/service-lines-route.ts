import type { FastifyInstance } from 'fastify'
import type { ServiceLine } from '../storage/model.ts'
import type { Role } from './identity.ts'

const ROLES: readonly Role[] = ['admin']

/** `GET /service-lines`: the lines as configured. */
export function addServiceLinesRoute(app: FastifyInstance, lines: readonly ServiceLine[]): void {
  const answer = { items: lines }
  app.get('/service-lines', { config: { roles: ROLES } }, () => answer)
}
