import type { FastifyInstance, FastifyReply } from 'fastify'
import { sendMistakes, sendProblem } from '../base/problem.ts'
import { isId } from '../base/uuid.ts'
import type { ContactFilter } from '../storage/model.ts'
import type { Archive } from './archive.ts'
import type { PortalAudit } from './audit/portal-audit.ts'
import type { Role } from './identity.ts'
import { contactsQuerySchema, noQuerySchema } from './query-schemas.ts'
import { readQuery } from './read-query.ts'

const ROLES: readonly Role[] = ['admin']

/** `GET /contacts`, a page of a search, `GET /contacts/ID`, and what its clients sent, `GET /contacts/ID/metadata`. */
export function addContactsRoutes(
  app: FastifyInstance,
  { archive, audit }: { readonly archive: Archive; readonly audit: PortalAudit },
): void {
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
      const page = await archive.findContacts(filter)
      await audit.showSearch(request.identity, filter, page.items.length)
      return page
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
      if (contact === undefined) return sendUnknown(reply)
      await audit.show(request.identity, { action: 'contact_read', contactId: contact.id })
      return contact
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
      if (items === undefined) return sendUnknown(reply)
      await audit.show(request.identity, { action: 'metadata_read', contactId: id })
      return { items }
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
