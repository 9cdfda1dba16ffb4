import type { FastifyInstance } from 'fastify'
import { sendMistakes, sendProblem } from '../base/problem.ts'
import { isId } from '../base/uuid.ts'
import type { Archive } from './archive.ts'
import type { PortalAudit } from './audit/portal-audit.ts'
import type { Role } from './identity.ts'
import { negotiateLanguage } from './negotiate-language.ts'
import { recordingQuerySchema } from './query-schemas.ts'
import { readQuery } from './read-query.ts'

const ROLES: readonly Role[] = ['admin']

/** `GET /recordings/ID`: a recording, and why it is still here or is not. */
export function addRecordingsRoute(
  app: FastifyInstance,
  { archive, audit }: { readonly archive: Archive; readonly audit: PortalAudit },
): void {
  app.get<{ Params: { id: string }; Querystring: Record<string, unknown> }>(
    '/recordings/:id',
    { config: { roles: ROLES } },
    async (request, reply) => {
      const outcome = readQuery(recordingQuerySchema, request.query)
      if (outcome.kind === 'wrong') return sendMistakes(reply, outcome.mistakes)
      const { id } = request.params
      const [details, explanation] = isId(id)
        ? await Promise.all([archive.findRecording(id), archive.explainRecording(id)])
        : []
      if (!details || !explanation) {
        return sendProblem(reply, {
          status: 404,
          code: 'recording_unknown',
          detail: 'There is no recording with this id.',
        })
      }
      const language = outcome.query.lang ?? negotiateLanguage(request.headers['accept-language'])
      reply.headers({ 'content-language': language, vary: 'accept-language' })
      const { view: recording, contactId, serviceLine, stored, deletion } = details
      const { fate, text } = explanation
      const read = { action: 'recording_read', recordingId: id, contactId } as const
      await audit.show(request.identity, read)
      return {
        recording,
        contactId,
        serviceLine,
        stored,
        deletion,
        explanation: { fate, language, text: text[language] },
      }
    },
  )
}
