import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { LANGUAGES } from '../../base/languages.ts'
import { negotiateLanguage } from '../negotiate-language.ts'
import { HOME_STYLE, homePage } from './home-page.ts'

/** `GET /`: a page for people, in the language of `?lang=` or of their browser. Open to all; it tells nothing. */
export function addHomeRoutes(app: FastifyInstance): void {
  const styleHash = createHash('sha256').update(HOME_STYLE).digest('base64')
  const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
  app.get<{ Querystring: Record<string, unknown> }>('/', (request, reply) => {
    const asked = LANGUAGES.find((one) => one === request.query['lang'])
    const language = asked ?? negotiateLanguage(request.headers['accept-language'])
    return reply
      .headers({
        'content-security-policy': policy,
        'content-language': language,
        vary: 'accept-language',
      })
      .type('text/html; charset=utf-8')
      .send(homePage(language))
  })
  app.get('/favicon.ico', (_request, reply) => reply.code(204).send())
}
