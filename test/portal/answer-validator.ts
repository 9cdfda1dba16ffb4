import { Ajv2020 } from 'ajv/dist/2020.js'
import ajvFormats from 'ajv-formats'

interface OpenApi {
  readonly paths: Record<string, Record<string, { readonly responses: Record<string, Answer> }>>
  readonly components: { readonly schemas: Record<string, Record<string, unknown>> }
}

interface Answer {
  readonly content?: Record<string, { readonly schema?: { readonly $ref?: string } }>
}

export type Validate = (
  path: string,
  answer: { readonly status: number; readonly contentType: string; readonly body: unknown },
) => string | undefined

/**
 * Checks answers against the portal's own OpenAPI document, with a validator that is not the library the
 * document was made with. Tells what is wrong, or undefined. Fields that the document does not name are
 * wrong here, though clients are told to expect them.
 */
export async function answerValidator(url: string): Promise<Validate> {
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as OpenApi
  const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true })
  ajvFormats.default(ajv)
  ajv.addVocabulary(['example', 'components'])
  const schemas = Object.fromEntries(
    Object.entries(document.components.schemas).map(([name, schema]) => [
      name,
      name === 'Problem' || name === 'LiveCalls' ? schema : closed(schema),
    ]),
  )
  ajv.addSchema({ $id: 'openapi', components: { schemas } })

  return (path, { status, contentType, body }) => {
    const answer = document.paths[path]?.['get']?.responses[String(status)]
    if (!answer) return `${path} documents no ${status}`
    const [type = ''] = contentType.split(';')
    const reference = answer.content?.[type]?.schema?.$ref
    if (reference === undefined) return `${path} documents no ${type} with ${status}`
    const validate = ajv.getSchema(`openapi${reference}`)
    if (!validate) return `there is no ${reference}`
    return validate(body) ? undefined : ajv.errorsText(validate.errors)
  }
}

/** What a portal answers to a path, and what is wrong with it by the document's `documented` path. */
export async function validated(
  validate: Validate,
  response: Response,
  documented: string,
): Promise<{
  readonly status: number
  readonly body: unknown
  readonly wrong: string | undefined
}> {
  const { status } = response
  const body: unknown = await response.json()
  const contentType = response.headers.get('content-type') ?? ''
  return { status, body, wrong: validate(documented, { status, contentType, body }) }
}

function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, closed(value)]),
  )
  return 'properties' in copy ? { ...copy, additionalProperties: false } : copy
}
