import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../../base/clock.ts'
import { sendMistakes, sendProblem } from '../../base/problem.ts'
import { TallenneError } from '../../base/tallenne-error.ts'
import type { Config } from '../../config/config.ts'
import { serviceLineOf } from '../../config/service-lines.ts'
import { countDiscrepancies, listDiscrepancies } from '../../storage/completeness/discrepancies.ts'
import { listCalls } from '../../storage/completeness/list-calls.ts'
import {
  countPlatformCalls,
  listMissingCalls,
  takeListedCalls,
} from '../../storage/completeness/platform-calls.ts'
import { readCompleteness } from '../../storage/completeness/read-completeness.ts'
import type { Pool } from '../../storage/database.ts'
import type { PortalAudit } from '../audit/portal-audit.ts'
import type { Role } from '../identity.ts'
import { noQuerySchema } from '../query-schemas.ts'
import { type ReadQuery, readQuery } from '../read-query.ts'
import { parseColumnNames } from './call-list-columns.ts'
import {
  callsQuerySchema,
  completenessQuerySchema,
  importQuerySchema,
  listedCallsSchema,
  missingQuerySchema,
} from './completeness-schemas.ts'
import { CsvError, readCsv } from './csv-records.ts'
import { decoderOf, decodeText } from './decode-text.ts'
import { CallListImport, type CallListResult, importCsv } from './import-calls.ts'

export interface CompletenessRoutesOptions {
  readonly pool: Pool
  readonly audit: PortalAudit
  readonly lines: Pick<Config, 'serviceLines' | 'catchAll'>
  /** Of numbers without a country code. */
  readonly region: string
  readonly clock: Clock
}

const READERS: readonly Role[] = ['admin', 'officer']
const WRITERS: readonly Role[] = ['admin', 'service']
const DAY_MS = 86_400_000
/** A day of a large site; the command line sends longer lists in parts. */
const MAX_CSV_BYTES = 16 * 1_048_576
const MAX_JSON_BYTES = 4 * 1_048_576
const MAX_DISCREPANCIES = 500

type Query = { Querystring: Record<string, unknown> }

/** `/completeness`: what became of the calls of a period, one by one, and what the platform says that there were. */
export function addCompletenessRoutes(
  app: FastifyInstance,
  options: CompletenessRoutesOptions,
): void {
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

  app.addContentTypeParser('text/csv', (_request, payload, done) => done(null, payload))
  app.post<Query>(
    '/completeness/calls',
    { config: { roles: WRITERS }, bodyLimit: MAX_JSON_BYTES },
    (request, reply) => takeList(request, reply, options),
  )
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
    return { kind: 'wrong', mistakes: [{ parameter: 'to', found: to ?? null, expected }] } as const
  }
  return { kind: 'read', query: outcome.query, period: { fromMs, toMs, serviceLine } } as const
}

async function takeList(
  request: FastifyRequest<Query>,
  reply: FastifyReply,
  { pool, audit, lines, region, clock }: CompletenessRoutesOptions,
): Promise<CallListResult | FastifyReply> {
  const outcome = readQuery(importQuerySchema, request.query)
  if (outcome.kind === 'wrong') return sendMistakes(reply, outcome.mistakes)
  const { list, timeZone, timeFormat, toleranceS, columns } = outcome.query
  const parts = {
    reading: {
      timeZone: timeZone ?? lines.catchAll.timeZone,
      format: timeFormat,
      region,
      serviceLineOf: (e164: string | null) => serviceLineOf(e164, lines),
    },
    take: (calls: Parameters<typeof takeListedCalls>[1]) =>
      takeListedCalls(pool, calls, {
        list,
        toleranceMs: toleranceS * 1000,
        nowMs: clock.epochMs(),
      }),
  }
  try {
    const isCsv = request.headers['content-type']?.startsWith('text/csv') ?? false
    const result = isCsv
      ? await importCsv(
          readCsv(decoded(request.body as Readable, request.headers['content-type'])),
          parseColumnNames(columns?.split(',') ?? []),
          parts,
        )
      : await takeJson(request.body, parts)
    const { mistakes: _, ...counts } = result
    await audit.note(request.identity, {
      action: 'call_list_imported',
      details: { list, ...counts },
    })
    return result
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal === undefined) throw error
    return sendProblem(reply, refusal)
  }
}

async function takeJson(
  body: unknown,
  { reading, take }: Parameters<typeof importCsv>[2],
): Promise<CallListResult> {
  const parsed = listedCallsSchema.safeParse(body)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new TallenneError('bad_list', `${issue?.path.join('.')}: ${issue?.message}.`)
  }
  const importing = new CallListImport(reading, take)
  for (const [index, call] of parsed.data.calls.entries()) {
    const texts = Object.fromEntries(
      Object.entries(call).map(([field, value]) => [field, String(value ?? '')]),
    )
    await importing.add(texts, index + 1, (field) => field)
  }
  return importing.finish()
}

/** The text of a body by its charset, UTF-8 where it names none. Throws `bad_list` and `list_too_large`. */
function decoded(body: Readable, contentType = ''): AsyncGenerator<string> {
  const charset = /charset="?([\w-]+)/i.exec(contentType)?.[1] ?? 'utf-8'
  const decoder = decoderOf(charset)
  if (decoder === undefined) {
    throw new TallenneError('bad_list', `charset ${charset} is not known.`)
  }
  return decodeText(bounded(body), decoder)
}

async function* bounded(body: Readable): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const piece of body as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > MAX_CSV_BYTES) {
      throw new TallenneError(
        'list_too_large',
        `A list has at most ${MAX_CSV_BYTES / 1_048_576} MiB: send it in parts, or with tallenne completeness import.`,
      )
    }
    yield piece
  }
}

function refusalOf(error: unknown) {
  if (error instanceof CsvError) {
    return { status: 400, code: 'bad_list', detail: `Line ${error.line}: ${error.message}.` }
  }
  if (!(error instanceof TallenneError)) return undefined
  if (error.code === 'list_too_large') {
    return { status: 413, code: error.code, detail: error.message }
  }
  return error.code === 'bad_list' || error.code === 'bad_columns'
    ? { status: 400, code: error.code, detail: error.message }
    : undefined
}
