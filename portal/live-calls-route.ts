import type { FastifyInstance } from 'fastify'
import type { Log } from '../base/log.ts'
import { sendProblem } from '../base/problem.ts'
import { messageOf } from '../base/tallenne-error.ts'
import type { Role } from './identity.ts'

export interface LiveCallsRouteOptions {
  /** Where the node's own API listens, as `http://127.0.0.1:8081`. */
  readonly gatewayUrl: string
  /** What the node lets in. */
  readonly token: string
  readonly timeoutMs: number
  readonly log: Log
}

const ROLES: readonly Role[] = ['admin']
const MAX_ANSWER_BYTES = 16 * 1_048_576

/** `GET /calls`: the calls that go on now, as the node tells them. */
export function addLiveCallsRoute(app: FastifyInstance, options: LiveCallsRouteOptions): void {
  const { gatewayUrl, timeoutMs, log } = options
  app.get('/calls', { config: { roles: ROLES } }, async (_request, reply) => {
    const answer = await askGateway(options)
    switch (answer.kind) {
      case 'calls':
        return { items: answer.items }
      case 'silent':
        log.warn({ gatewayUrl, reason: answer.reason }, 'the gateway does not answer')
        return sendProblem(reply, {
          status: answer.isTimeout ? 504 : 502,
          code: 'gateway_unreachable',
          detail: answer.isTimeout
            ? `The gateway did not answer within ${timeoutMs} ms.`
            : 'The gateway does not answer: it is not running, or the portal is configured to look for it elsewhere (http.gateway).',
        })
      case 'refused':
        log.error({ gatewayUrl, reason: answer.reason }, 'the gateway refuses the portal')
        return sendProblem(reply, {
          status: 502,
          code: 'gateway_refused',
          detail: `The gateway did not give its calls: ${answer.reason}.`,
        })
    }
  })
}

type GatewayAnswer =
  | { readonly kind: 'calls'; readonly items: readonly unknown[] }
  | { readonly kind: 'silent'; readonly isTimeout: boolean; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string }

async function askGateway({
  gatewayUrl,
  token,
  timeoutMs,
}: LiveCallsRouteOptions): Promise<GatewayAnswer> {
  try {
    const response = await fetch(`${gatewayUrl}/api/calls`, {
      headers: { authorization: `Bearer ${token}` },
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    if (response.status !== 200) {
      await response.body?.cancel()
      return { kind: 'refused', reason: `it answered ${response.status}` }
    }
    const items = itemsOf(await readText(response))
    return items
      ? { kind: 'calls', items }
      : { kind: 'refused', reason: 'its answer is no list of calls' }
  } catch (error) {
    const isTimeout = error instanceof Error && error.name === 'TimeoutError'
    // What fetch says is that it failed; why stands in the cause.
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
    return { kind: 'silent', isTimeout, reason: messageOf(cause) }
  }
}

/** Empty where the answer is larger than any list of live calls. */
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

function itemsOf(text: string): readonly unknown[] | undefined {
  try {
    const answer: unknown = JSON.parse(text)
    const isList = typeof answer === 'object' && answer !== null && 'items' in answer
    return isList && Array.isArray(answer.items) ? answer.items : undefined
  } catch {
    return undefined
  }
}
