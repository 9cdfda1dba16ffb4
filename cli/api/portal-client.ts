import type { z } from 'zod'
import { localUrl } from '../../base/address.ts'
import { readAdminToken } from '../../base/admin-token.ts'
import { messageOf, TallenneError } from '../../base/tallenne-error.ts'
import type { Config } from '../../config/config.ts'
import { dataPaths } from '../../config/data-paths.ts'

/** The HTTP API as the command line uses it, with the admin token of the data folder. */
export class PortalClient {
  readonly baseUrl: string
  readonly tokenPath: string
  readonly #token: string

  private constructor(baseUrl: string, tokenPath: string, token: string) {
    this.baseUrl = baseUrl
    this.tokenPath = tokenPath
    this.#token = token
  }

  /** Rejects as `readAdminToken` does. */
  static async open(config: Config): Promise<PortalClient> {
    const tokenPath = dataPaths(config).adminToken
    const token = await readAdminToken(tokenPath)
    return new PortalClient(localUrl(config.http.portal), tokenPath, token)
  }

  /** The answer to a GET, checked against what the API promises. Rejects as `get` does, and with `api_differs`. */
  async read<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    return this.#parse(path, await this.get(path), schema)
  }

  /**
   * The response to a GET, when it is one of success. Rejects with `portal_unreachable`, and with the API's own
   * code and sentence where it refuses.
   */
  get(path: string): Promise<Response> {
    return this.#ask(path, {})
  }

  /** The answer to a POST of JSON, as `read` gives one. */
  async send<T>(path: string, body: unknown, schema: z.ZodType<T>): Promise<T> {
    const response = await this.#ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return this.#parse(path, response, schema)
  }

  /** The answer to a DELETE, as `read` gives one. */
  async remove<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    return this.#parse(path, await this.#ask(path, { method: 'DELETE' }), schema)
  }

  async #parse<T>(path: string, response: Response, schema: z.ZodType<T>): Promise<T> {
    const parsed = schema.safeParse(await response.json().catch(() => undefined))
    if (parsed.success) return parsed.data
    throw new TallenneError(
      'api_differs',
      `${this.baseUrl}${path} answered something else than this program knows (${parsed.error.issues[0]?.message}): is the portal of the same version?`,
    )
  }

  async #ask(
    path: string,
    request: {
      readonly method?: string
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
    },
  ): Promise<Response> {
    let response: Response
    try {
      response = await fetch(`${this.baseUrl}${path}`, {
        ...request,
        headers: { ...request.headers, authorization: `Bearer ${this.#token}` },
      })
    } catch (error) {
      const cause = error instanceof Error && error.cause ? error.cause : error
      throw new TallenneError(
        'portal_unreachable',
        `The portal does not answer at ${this.baseUrl} (${messageOf(cause)}): start it with tallenne up, or name the running one's folder with --data.`,
        { cause: error },
      )
    }
    if (response.ok) return response
    throw await refusal(response, `${this.baseUrl}${path}`)
  }
}

async function refusal(response: Response, url: string): Promise<TallenneError> {
  const body: unknown = await response.json().catch(() => undefined)
  const field = (name: string): unknown =>
    typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined
  const code = field('code')
  const detail = field('detail')
  return new TallenneError(
    typeof code === 'string' ? code : 'api_refused',
    typeof detail === 'string' ? detail : `${url} answered ${response.status}.`,
  )
}
