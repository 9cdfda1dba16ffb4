import type { FastifyInstance, FastifyReply } from 'fastify'
import { sendMistakes, sendProblem } from '../base/problem.ts'
import { isId } from '../base/uuid.ts'
import type { ContactFilter } from '../storage/model.ts'
import type { Archive } from './archive.ts'
import type { Role } from './identity.ts'
import { contactsQuerySchema, noQuerySchema } from './query-schemas.ts'
import { readQuery } from './read-query.ts'

const ROLES: readonly Role[] = ['admin']

/** `GET /contacts`, a page of a search, `GET /contacts/ID`, and what its clients sent, `GET /contacts/ID/metadata`. */
export function addContactsRoutes(app: FastifyInstance, archive: Archive): void {
  app.get<{ Querystring: Record<string, unknown> }>(
    '/contacts',
    { config: { roles: ROLES } },
    async (request, reply) => {
      const outcome = readQuery(contactsQuerySchema, request.query)
      if (outcome.kind === 'wrong') return sendMistakes(reply, outcome.mistakes)
      const { from, to, limit, ...texts } = outcome.query
      const fromMs = from === undefined ? undefined : Date.parse(from)
      const toMs = to === undefined ? undefined : Date.parse(to)
      if (fromMs !== undefined && toMs !== undefined && toMs <= fromMs) {
        const expected = `an instant after from (${from})`
        return sendMistakes(reply, [{ parameter: 'to', found: to ?? null, expected }])
      }
      const filter: ContactFilter = {
        ...withoutUndefined(texts),
        ...withoutUndefined({ fromMs, toMs }),
        limit,
      }
      return archive.findContacts(filter)
    },
  )

  app.get<{ Params: { id: string }; Querystring: Record<string, unknown> }>(
    '/contacts/:id',
    { config: { roles: ROLES } },
    async (request, reply) => {
      const outcome = readQuery(noQuerySchema, request.query)
      if (outcome.kind === 'wrong') return sendMistakes(reply, outcome.mistakes)
      const { id } = request.params
      const contact = isId(id) ? await archive.findContact(id) : undefined
      return contact ?? sendUnknown(reply)
    },
  )

  app.get<{ Params: { id: string }; Querystring: Record<string, unknown> }>(
    '/contacts/:id/metadata',
    { config: { roles: ROLES } },
    async (request, reply) => {
      const outcome = readQuery(noQuerySchema, request.query)
      if (outcome.kind === 'wrong') return sendMistakes(reply, outcome.mistakes)
      const { id } = request.params
      const items = isId(id) ? await archive.findMetadata(id) : undefined
      return items === undefined ? sendUnknown(reply) : { items }
    },
  )
}

function sendUnknown(reply: FastifyReply) {
  return sendProblem(reply, {
    status: 404,
    code: 'contact_unknown',
    detail: 'There is no contact with this id.',
  })
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function withoutUndefined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Defined<T>
}
