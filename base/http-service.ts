import Fastify, { type FastifyInstance } from 'fastify'
import { Counter, type Registry } from 'prom-client'
import type { Clock } from './clock.ts'
import { HTTP_LIMITS, type HttpLimits } from './http-limits.ts'
import type { Log } from './log.ts'
import { sendProblem } from './problem.ts'
import { refuseConnection } from './refuse-connection.ts'
import { addSecurityHeaders, SECURITY_HEADERS } from './security-headers.ts'
import { messageOf, TallenneError } from './tallenne-error.ts'

/** One thing that must be well before the process can do its work. */
export interface ReadinessCheck {
  /** Stable, for dashboards: `database`, `journal`, `disk`. */
  readonly name: string
  /** False where the process does its work all the same, and whoever asks is only told. */
  readonly isVital?: boolean
  /** Undefined when well, else the reason in a sentence. A throw counts as the reason too. */
  check(): Promise<string | undefined> | string | undefined
}

export interface HttpServiceOptions {
  readonly host: string
  /** 0 takes a free port; `start` tells which. */
  readonly port: number
  readonly checks: readonly ReadinessCheck[]
  readonly registry: Registry
  readonly clock: Clock
  readonly log: Log
  readonly limits?: Partial<HttpLimits>
  /** A check that takes longer is not ready. */
  readonly checkTimeoutMs?: number
  /** Requests still running so long after `close` are cut off. */
  readonly closeAfterMs?: number
}

/** The HTTP side of a process. Routes are added to `app` before `start`. */
export interface HttpService {
  readonly app: FastifyInstance
  /** Listens, and tells where. Rejects with `port_taken` or `address_unavailable`. */
  start(): Promise<{ readonly host: string; readonly port: number }>
  /** Stops listening and waits for the requests that run. Idempotent. */
  close(): Promise<void>
}

const CUT_REASONS = ['too_many', 'too_slow', 'too_long', 'no_http', 'stalled'] as const

/**
 * Makes the service that every process has: `/healthz` (alive), `/readyz` (200, or 503 with what is
 * amiss) and `/metrics`. Errors that a route throws become problem documents: a `TallenneError` that
 * carries a `statusCode` is shown as it is, anything else is logged and shown as `internal` alone.
 */
export function createHttpService(options: HttpServiceOptions): HttpService {
  const { host, port, checks, registry, clock, log } = options
  const checkTimeoutMs = options.checkTimeoutMs ?? 2000
  const closeAfterMs = options.closeAfterMs ?? 5000
  const limits = { ...HTTP_LIMITS, ...options.limits }
  const cutOff = new Counter({
    name: 'tallenne_http_connections_cut_total',
    help: 'Connections that were not taken, or closed because of how their client behaved.',
    labelNames: ['reason'],
    registers: [registry],
  })
  for (const reason of CUT_REASONS) cutOff.inc({ reason }, 0)
  const app = Fastify({
    logger: false,
    bodyLimit: 65_536,
    http: {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: limits.lookEveryMs,
      // A hook asks for the header instead: so that the answer is like all others.
      requireHostHeader: false,
    },
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    forceCloseConnections: 'idle',
    // A Call-ID may be as long as its row lets it be.
    routerOptions: { maxParamLength: 512 },
    // What the framework refuses before any route: paths that cannot be decoded, and parts of them that are too long.
    frameworkErrors: (error, _request, reply) => {
      const status = statusCodeOf(error)
      const detail = 'The path of the request cannot be read, or a part of it is too long.'
      // No hook has seen this request.
      sendProblem(reply.headers(SECURITY_HEADERS), { status, code: 'bad_request', detail })
    },
    clientErrorHandler: (error, socket) => {
      const reason = refuseConnection(error, socket)
      if (reason !== undefined) cutOff.inc({ reason })
    },
  })

  app.server.maxConnections = limits.connections
  app.server.on('drop', () => cutOff.inc({ reason: 'too_many' }))
  // Expectations of extensions may be passed over (RFC 9110 §10.1.1); what Node answers of itself has no headers.
  app.server.on('checkExpectation', app.routing)
  addSecurityHeaders(app)
  app.addHook('onRequest', async ({ raw }, reply) => {
    reply.raw.setTimeout(limits.stalledMs, () => {
      cutOff.inc({ reason: 'stalled' })
      reply.raw.destroy()
    })
    if (raw.httpVersion !== '1.1' || raw.headers.host !== undefined) return
    const detail = 'A request must have a Host header (RFC 9112 §3.2).'
    return sendProblem(reply, { status: 400, code: 'bad_request', detail })
  })
  app.setErrorHandler((error: unknown, request, reply) => {
    const statusCode = statusCodeOf(error)
    if (statusCode < 500) {
      return sendProblem(reply, {
        status: statusCode,
        code: codeOf(error),
        detail: messageOf(error),
      })
    }
    log.error(
      { err: error, method: request.method, route: request.routeOptions.url },
      'http failed',
    )
    return sendProblem(reply, {
      status: statusCode,
      code: 'internal',
      detail: 'The request failed.',
    })
  })
  app.setNotFoundHandler((_request, reply) =>
    sendProblem(reply, {
      status: 404,
      code: 'not_found',
      detail: 'There is nothing at this path.',
    }),
  )

  app.get('/healthz', () => ({ alive: true }))
  app.get('/readyz', async (_request, reply) => {
    const results = await Promise.all(
      checks.map(async ({ name, isVital = true, check }) => {
        const reason = await reasonOf(check, { clock, timeoutMs: checkTimeoutMs })
        const told = {
          name,
          ready: reason === undefined,
          ...(reason === undefined ? {} : { reason }),
        }
        return { isVital, told }
      }),
    )
    const ready = results.every(({ isVital, told }) => told.ready || !isVital)
    return reply.code(ready ? 200 : 503).send({ ready, checks: results.map(({ told }) => told) })
  })
  app.get('/metrics', async (_request, reply) => {
    reply.header('content-type', registry.contentType)
    return registry.metrics()
  })

  let started: Promise<{ host: string; port: number }> | undefined
  let closed: Promise<void> | undefined

  async function listen() {
    try {
      await app.listen({ host, port })
    } catch (error) {
      throw listenError(error, { host, port })
    }
    const address = app.server.address()
    return { host, port: typeof address === 'object' && address ? address.port : port }
  }

  async function end() {
    const cutOff = clock.after(closeAfterMs, () => app.server.closeAllConnections())
    await app.close()
    cutOff.cancel()
  }

  return {
    app,
    start: () => {
      started ??= listen()
      return started
    },
    close: () => {
      closed ??= end()
      return closed
    },
  }
}

async function reasonOf(
  check: ReadinessCheck['check'],
  { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number },
): Promise<string | undefined> {
  const { promise: timeout, cancel } = timeoutReason(clock, timeoutMs)
  try {
    return await Promise.race([check(), timeout])
  } catch (error) {
    return messageOf(error)
  } finally {
    cancel()
  }
}

function timeoutReason(clock: Clock, timeoutMs: number) {
  let cancel = () => {}
  const promise = new Promise<string>((resolve) => {
    const timer = clock.after(timeoutMs, () => resolve(`no answer within ${timeoutMs} ms`))
    cancel = () => timer.cancel()
  })
  return { promise, cancel }
}

function statusCodeOf(error: unknown): number {
  if (!(error instanceof Error) || !('statusCode' in error)) return 500
  const { statusCode } = error
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 600 ? statusCode : 500
}

function codeOf(error: unknown): string {
  return error instanceof TallenneError ? error.code : 'bad_request'
}

function listenError(error: unknown, { host, port }: { host: string; port: number }) {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') {
    return new TallenneError(
      'port_taken',
      `HTTP port ${port} of ${host} is in use by another process: end that one, or configure another port.`,
      { cause: error },
    )
  }
  return new TallenneError(
    'address_unavailable',
    `HTTP cannot listen on ${host} port ${port} (${messageOf(error)}): configure an address of this machine.`,
    { cause: error },
  )
}
