import { messageOf } from '../base/tallenne-error.ts'

export interface GatewayClientOptions {
  /** Where the node's own API listens, as `http://127.0.0.1:8081`. */
  readonly url: string
  /** What the node lets in. */
  readonly token: string
  readonly timeoutMs: number
}

/** What the node said, or that it said nothing that can be used. */
export type GatewayAnswer =
  | { readonly kind: 'answer'; readonly status: number; readonly body: unknown }
  | { readonly kind: 'silent'; readonly isTimeout: boolean; readonly reason: string }
  | { readonly kind: 'unreadable'; readonly reason: string }

const MAX_ANSWER_BYTES = 16 * 1_048_576

/** Asks the node's own API. Nothing rejects: the answer tells. */
export class GatewayClient {
  readonly #options: GatewayClientOptions

  constructor(options: GatewayClientOptions) {
    this.#options = options
  }

  get url(): string {
    return this.#options.url
  }

  get timeoutMs(): number {
    return this.#options.timeoutMs
  }

  get(path: string): Promise<GatewayAnswer> {
    return this.#ask(path, {})
  }

  post(path: string, body: unknown): Promise<GatewayAnswer> {
    return this.#ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  }

  async #ask(
    path: string,
    request: {
      readonly method?: string
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
    },
  ): Promise<GatewayAnswer> {
    const { url, token, timeoutMs } = this.#options
    try {
      const response = await fetch(`${url}${path}`, {
        ...request,
        headers: { ...request.headers, authorization: `Bearer ${token}` },
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      })
      const { status } = response
      const body = parse(await readText(response))
      return body === undefined
        ? { kind: 'unreadable', reason: `it answered ${status} without JSON` }
        : { kind: 'answer', status, body }
    } catch (error) {
      const isTimeout = error instanceof Error && error.name === 'TimeoutError'
      // What fetch says is that it failed; why stands in the cause.
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
      return { kind: 'silent', isTimeout, reason: messageOf(cause) }
    }
  }
}

/** Empty where the answer is larger than any that there should be. */
async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES) return ''
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parse(text: string): unknown {
  try {
    const body: unknown = JSON.parse(text)
    return body
  } catch {
    return undefined
  }
}
