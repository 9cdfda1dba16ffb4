import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { PortalMetrics } from './portal-metrics.ts'

interface RequestStart {
  readonly atMs: number
  /** What the connection had sent before this answer. */
  readonly socketBytes: number
}

/** Paths that machines ask every few seconds: counted, and logged for debugging alone. */
const QUIET_ROUTES: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics'])

/**
 * Counts, measures and logs every request that `app` answers, when the answer has ended or been cut off.
 *
 * A log line has the route's pattern and the names of the parameters, never their values, which may be
 * callers' numbers.
 */
export function observeRequests(
  app: FastifyInstance,
  { metrics, clock, log }: { metrics: PortalMetrics; clock: Clock; log: Log },
): void {
  const starts = new WeakMap<FastifyRequest, RequestStart>()
  app.addHook('onRequest', async (request) => {
    starts.set(request, { atMs: clock.monotonicMs(), socketBytes: sentBytes(request) })
  })
  app.addHook('onResponse', async (request, reply) => {
    const start = starts.get(request)
    if (!start) return
    const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none')
    const ms = clock.monotonicMs() - start.atMs
    const bytes = sentBytes(request) - start.socketBytes
    metrics.requests.inc({ route, status_class: `${Math.floor(reply.statusCode / 100)}xx` })
    metrics.requestSeconds.observe({ route }, ms / 1000)
    metrics.sentBytes.inc({ route }, bytes)
    const fields = {
      method: request.method,
      route,
      parameters: Object.keys(request.query ?? {}).filter((name) => /^[a-zA-Z]{1,20}$/.test(name)),
      identity: request.identity?.name ?? null,
      status: reply.statusCode,
      isWhole: reply.raw.writableFinished,
      ms: Math.round(ms),
      bytes,
    }
    if (QUIET_ROUTES.has(route)) log.debug(fields, 'request')
    else log.info(fields, 'request')
  })
}

// An injected request has no connection.
function sentBytes(request: FastifyRequest): number {
  return request.raw.socket.bytesWritten ?? 0
}
