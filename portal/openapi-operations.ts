import { z } from 'zod'

/** Parts that the OpenAPI document's paths are made of. */

export type Json = Record<string, unknown>

export interface Operation {
  readonly parameters?: readonly Json[]
  readonly answers: Json
  readonly problems: readonly (keyof typeof PROBLEMS)[]
}

const PROBLEMS = {
  400: 'A parameter cannot be taken; `parameters` names it.',
  401: 'No token, or one that is not known.',
  403: 'The role may not do this.',
  404: 'There is no such thing.',
  409: 'The call is still being recorded, or is not answered yet; or the import was withdrawn.',
  410: 'The recording has been deleted; the body says when and by which policy.',
  412: 'If-Match or If-Unmodified-Since asks for another version.',
  413: 'The list is too long for one request.',
  416: 'The range lies beyond the end; Content-Range tells the length.',
  500: 'The fault is on this side.',
  502: 'The gateway does not answer as it should.',
  503: 'Too busy, or the database is away; Retry-After tells when to try again.',
  504: 'The gateway does not answer in time.',
} as const

export function operation(operationId: string, summary: string, parts: Operation): Json {
  const { parameters, answers, problems } = parts
  const always = [401, 403, 500, 503] as const
  const problemAnswers = [...new Set([...problems, ...always])].map((status) => [
    status,
    {
      description: PROBLEMS[status],
      content: { 'application/problem+json': { schema: reference('Problem') } },
    },
  ])
  return {
    operationId,
    summary,
    ...(parameters && parameters.length > 0 ? { parameters } : {}),
    responses: { ...answers, ...Object.fromEntries(problemAnswers) },
  }
}

export const pathId = {
  name: 'id',
  in: 'path',
  required: true,
  schema: { type: 'string', format: 'uuid' },
}

export function queryParameters(schema: z.ZodObject): readonly Json[] {
  const { properties } = toJsonSchema(schema)
  return Object.entries(properties as Record<string, Json>).map(([name, property]) => {
    const { description, example, ...rest } = property
    return {
      name,
      in: 'query',
      required: false,
      description,
      ...(example === undefined ? {} : { example }),
      schema: rest,
    }
  })
}

export function json(name: string, description: string): Json {
  return { description, content: { 'application/json': { schema: reference(name) } } }
}

function reference(name: string): Json {
  return { $ref: `#/components/schemas/${name}` }
}

function toJsonSchema(schema: z.ZodObject): Json {
  return z.toJSONSchema(schema, { override: ({ jsonSchema }) => tidy(jsonSchema) })
}

/** Takes out what `format` says shorter, and what would forbid answers to grow. */
export function tidy(schema: Json): void {
  if ('format' in schema) delete schema['pattern']
  if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum']
  delete schema['additionalProperties']
}
