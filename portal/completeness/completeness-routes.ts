import type { FastifyInstance } from 'fastify'
import type { Clock } from '../../base/clock.ts'
import { sendMistakes } from '../../base/problem.ts'
import { countPlatformCalls } from '../../storage/completeness/count-platform-calls.ts'
import { countDiscrepancies, listDiscrepancies } from '../../storage/completeness/discrepancies.ts'
import { listCalls } from '../../storage/completeness/list-calls.ts'
import { listMissingCalls } from '../../storage/completeness/missing-calls.ts'
import { readCompleteness } from '../../storage/completeness/read-completeness.ts'
import type { Role } from '../identity.ts'
import { noQuerySchema } from '../query-schemas.ts'
import { type ReadQuery, readQuery } from '../read-query.ts'
import {
  callsQuerySchema,
  completenessQuerySchema,
  missingQuerySchema,
} from './completeness-schemas.ts'
import { addImportRoutes, type ImportRoutesOptions } from './import-routes.ts'

const READERS: readonly Role[] = ['admin', 'officer']
const DAY_MS = 86_400_000
const MAX_DISCREPANCIES = 500

type Query = { Querystring: Record<string, unknown> }

/** `/completeness`: what became of the calls of a period, one by one, and what the platform says that there were. */
export function addCompletenessRoutes(app: FastifyInstance, options: ImportRoutesOptions): void {
  const { pool, audit, clock } = options
  const reading = { config: { roles: READERS } }

  app.get<Query>('/completeness', reading, async (request, reply) => {
    const outcome = readPeriod(readQuery(completenessQuerySchema, request.query), clock)
    if (outcome.kind === 'wrong') return sendMistakes(reply, outcome.mistakes)
    const { period } = outcome
    const [counts, platform, discrepancies] = await Promise.all([
      readCompleteness(pool, period, clock.epochMs()),
      countPlatformCalls(pool, period),
      countDiscrepancies(pool),
    ])
    const disagreeing = Object.values(discrepancies).reduce((sum, count) => sum + count, 0)
    return {
      from: new Date(period.fromMs).toISOString(),
      to: new Date(period.toMs).toISOString(),
      isAccountedFor: counts.outcomes.overdue + platform.missing + disagreeing === 0,
      ...counts,
      platform,
      discrepancies,
    }
  })

  app.get<Query>('/completeness/calls', reading, async (request, reply) => {
    const outcome = readPeriod(readQuery(callsQuerySchema, request.query), clock)
    if (outcome.kind === 'wrong') return sendMistakes(reply, outcome.mistakes)
    const page = await listCalls(pool, { ...outcome.query, ...outcome.period }, clock.epochMs())
    await audit.show(request.identity, readOf('calls', page.items.length), outcome.query.cursor)
    return page
  })

  app.get<Query>('/completeness/missing', reading, async (request, reply) => {
    const outcome = readPeriod(readQuery(missingQuerySchema, request.query), clock)
    if (outcome.kind === 'wrong') return sendMistakes(reply, outcome.mistakes)
    const page = await listMissingCalls(pool, { ...outcome.query, ...outcome.period })
    await audit.show(request.identity, readOf('missing', page.items.length), outcome.query.cursor)
    return page
  })

  app.get<Query>('/completeness/discrepancies', reading, async (request, reply) => {
    const outcome = readQuery(noQuerySchema, request.query)
    if (outcome.kind === 'wrong') return sendMistakes(reply, outcome.mistakes)
    return { items: await listDiscrepancies(pool, MAX_DISCREPANCIES) }
  })

  addImportRoutes(app, options)
}

function readOf(what: string, shown: number) {
  return { action: 'completeness_read', details: { what, shown } } as const
}

interface PeriodTexts {
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly serviceLine?: string | undefined
}

function readPeriod<T extends PeriodTexts>(outcome: ReadQuery<T>, clock: Clock) {
  if (outcome.kind === 'wrong') return outcome
  const { from, to, serviceLine } = outcome.query
  const toMs = to === undefined ? clock.epochMs() : Date.parse(to)
  const fromMs = from === undefined ? toMs - DAY_MS : Date.parse(from)
  if (toMs <= fromMs) {
    const expected = `an instant after from (${new Date(fromMs).toISOString()})`
    const mistake =
      to === undefined
        ? { parameter: 'from', found: from ?? null, expected: 'an instant before now, or a to' }
        : { parameter: 'to', found: to, expected }
    return { kind: 'wrong', mistakes: [mistake] } as const
  }
  return { kind: 'read', query: outcome.query, period: { fromMs, toMs, serviceLine } } as const
}
