import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../../base/clock.ts'
import { type Problem, sendMistakes, sendProblem } from '../../base/problem.ts'
import { TallenneError } from '../../base/tallenne-error.ts'
import { isId, newId } from '../../base/uuid.ts'
import type { Config } from '../../config/config.ts'
import { serviceLineOf } from '../../config/service-lines.ts'
import { takeListedCalls } from '../../storage/completeness/platform-calls.ts'
import {
  findImport,
  listImports,
  withdrawImport,
} from '../../storage/completeness/platform-imports.ts'
import type { Pool } from '../../storage/database.ts'
import { actorOf, type PortalAudit } from '../audit/portal-audit.ts'
import type { Role } from '../identity.ts'
import { noQuerySchema } from '../query-schemas.ts'
import { readQuery } from '../read-query.ts'
import { parseColumnNames } from './call-list-columns.ts'
import { readCsv } from './csv-records.ts'
import { decoderOf, decodeText } from './decode-text.ts'
import { CallListImport, importCsv, importJson } from './import-calls.ts'
import {
  importQuerySchema,
  importsQuerySchema,
  listedCallsSchema,
  MAX_JSON_CALLS,
} from './import-schemas.ts'
import { CsvError } from './list-texts.ts'

export interface ImportRoutesOptions {
  readonly pool: Pool
  readonly audit: PortalAudit
  readonly lines: Pick<Config, 'serviceLines' | 'catchAll'>
  /** Of numbers without a country code. */
  readonly region: string
  readonly clock: Clock
}

const READERS: readonly Role[] = ['admin', 'officer', 'service']
const WRITERS: readonly Role[] = ['admin', 'service']
/** A day of a large site; the command line sends longer lists in parts. */
const MAX_CSV_BYTES = 16 * 1_048_576
const MAX_JSON_BYTES = 4 * 1_048_576
/** So far may the platform's clock be ahead. */
const AHEAD_MS = 600_000

type Query = { Querystring: Record<string, unknown> }

/** `/completeness/imports`, and how lists of the platform's come in: taken, told one by one, and withdrawn. */
export function addImportRoutes(app: FastifyInstance, options: ImportRoutesOptions): void {
  const { pool, audit, clock } = options

  app.addContentTypeParser('text/csv', (_request, payload, done) => done(null, payload))
  app.post<Query>(
    '/completeness/calls',
    { config: { roles: WRITERS }, bodyLimit: MAX_JSON_BYTES },
    (request, reply) => takeList(request, reply, options),
  )

  app.get<Query>('/completeness/imports', { config: { roles: READERS } }, (request, reply) => {
    const outcome = readQuery(importsQuerySchema, request.query)
    if (outcome.kind === 'wrong') return sendMistakes(reply, outcome.mistakes)
    return listImports(pool, outcome.query)
  })

  app.delete<Query & { Params: { id: string } }>(
    '/completeness/imports/:id',
    { config: { roles: WRITERS } },
    async (request, reply) => {
      const outcome = readQuery(noQuerySchema, request.query)
      if (outcome.kind === 'wrong') return sendMistakes(reply, outcome.mistakes)
      const { id } = request.params
      const by = { withdrawnBy: actorOf(request.identity).name, nowMs: clock.epochMs() }
      const withdrawal = isId(id)
        ? await withdrawImport(pool, id, by).catch(problemOr)
        : UNKNOWN_IMPORT
      if (withdrawal === undefined) return sendProblem(reply, UNKNOWN_IMPORT)
      if ('status' in withdrawal) return sendProblem(reply, withdrawal)
      const { list, removed, kept } = withdrawal
      await audit.note(request.identity, {
        action: 'call_list_withdrawn',
        details: { importId: id, list, removed, kept },
      })
      return withdrawal
    },
  )
}

const UNKNOWN_IMPORT: Problem = {
  status: 404,
  code: 'import_unknown',
  detail: 'There is no import with this id.',
}

async function takeList(
  request: FastifyRequest<Query>,
  reply: FastifyReply,
  { pool, audit, lines, region, clock }: ImportRoutesOptions,
) {
  const outcome = readQuery(importQuerySchema, request.query)
  if (outcome.kind === 'wrong') return sendMistakes(reply, outcome.mistakes)
  const { list, timeZone, timeFormat, toleranceS, columns } = outcome.query
  if (outcome.query.import !== undefined) {
    const head = await findImport(pool, outcome.query.import)
    if (head === undefined) return sendProblem(reply, UNKNOWN_IMPORT)
    if (head.list !== list) {
      const expected = `an import of the list ${list}: this is one of ${head.list}`
      return sendMistakes(reply, [{ parameter: 'import', found: outcome.query.import, expected }])
    }
  }
  const importId = outcome.query.import ?? newId()
  const importing = new CallListImport(
    {
      timeZone: timeZone ?? lines.catchAll.timeZone,
      format: timeFormat,
      region,
      serviceLineOf: (e164: string | null) => serviceLineOf(e164, lines),
      latestMs: clock.epochMs() + AHEAD_MS,
    },
    (calls) =>
      takeListedCalls(pool, calls, {
        importId,
        list,
        importedBy: actorOf(request.identity).name,
        toleranceMs: toleranceS * 1000,
        nowMs: clock.epochMs(),
      }),
  )
  const told = () => {
    const { taken, known } = importing.result
    return { importId: taken + known > 0 ? importId : null, ...importing.result }
  }
  try {
    if (request.headers['content-type']?.startsWith('text/csv')) {
      const text = decoded(request.body as Readable, request.headers)
      await importCsv(importing, readCsv(text), parseColumnNames(columns?.split(',') ?? []))
    } else {
      await importJson(importing, callsOf(request.body))
    }
    await importing.finish()
    return told()
  } catch (error) {
    const problem = problemOr(error)
    // What the client still sends is read by nobody.
    if (!request.raw.readableEnded) reply.header('connection', 'close')
    const { importId: begun } = told()
    if (begun === null) return sendProblem(reply, problem)
    return sendProblem(reply, {
      ...problem,
      detail: `${problem.detail} What stands before it was taken as import ${begun}.`,
      extensions: { importId: begun },
    })
  } finally {
    const { mistakes: _, ...counts } = told()
    if (counts.read > 0) {
      await audit.note(request.identity, {
        action: 'call_list_imported',
        details: { list, ...counts },
      })
    }
  }
}

/** Throws `bad_list`. */
function callsOf(body: unknown): readonly unknown[] {
  const parsed = listedCallsSchema.safeParse(body)
  if (parsed.success) return parsed.data.calls
  throw new TallenneError(
    'bad_list',
    `Expected {"calls": […]} with at most ${MAX_JSON_CALLS} calls.`,
  )
}

/** The text of a body by its charset, UTF-8 where it names none. Throws `bad_list` and `list_too_large`. */
function decoded(body: Readable, headers: FastifyRequest['headers']): AsyncGenerator<string> {
  const charset = /charset="?([\w-]+)/i.exec(headers['content-type'] ?? '')?.[1] ?? 'utf-8'
  const decoder = decoderOf(charset)
  if (decoder === undefined) {
    throw new TallenneError('bad_list', `charset ${charset} is not known.`)
  }
  if (Number(headers['content-length'] ?? 0) > MAX_CSV_BYTES) throw tooLarge()
  return decodeText(bounded(body), decoder)
}

async function* bounded(body: Readable): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const piece of body as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > MAX_CSV_BYTES) throw tooLarge()
    yield piece
  }
}

function tooLarge(): TallenneError {
  return new TallenneError(
    'list_too_large',
    `A list has at most ${MAX_CSV_BYTES / 1_048_576} MiB: send it in parts, or with tallenne completeness import.`,
  )
}

const STATUS_OF: ReadonlyMap<string, number> = new Map([
  ['bad_list', 400],
  ['bad_columns', 400],
  ['import_withdrawn', 409],
  ['list_too_large', 413],
  ['list_busy', 503],
])

/** What a client is told of an error that is a list's; throws all others. */
function problemOr(error: unknown): Problem {
  if (error instanceof CsvError) {
    return { status: 400, code: 'bad_list', detail: `Line ${error.line}: ${error.message}.` }
  }
  const status = error instanceof TallenneError ? STATUS_OF.get(error.code) : undefined
  if (!(error instanceof TallenneError) || status === undefined) throw error
  return { status, code: error.code, detail: error.message }
}
