import type { FastifyInstance } from 'fastify'
import type { LiveRecording } from '../../recorder/recording-plan.ts'
import { isBearer } from '../is-bearer.ts'
import type { LiveCall } from './live-call.ts'

export interface LiveCallsRouteOptions {
  readonly calls: () => readonly LiveCall[]
  readonly recordings: () => Promise<readonly LiveRecording[]>
  /** What the bearer must show now; undefined where no token is set up, and then nobody may ask. */
  readonly token: () => string | undefined
}

/** `GET /api/calls`: the node's live calls with their levels, for the portal. Numbers are whole, so it takes the token. */
export function addLiveCallsRoute(app: FastifyInstance, options: LiveCallsRouteOptions): void {
  app.get('/api/calls', async (request, reply) => {
    if (!isBearer(request, reply, options.token())) return reply
    const recordings = new Map(
      (await options.recordings()).map((recording) => [recording.recordingId, recording]),
    )
    return { items: options.calls().map((call) => view(call, recordings.get(call.recordingId))) }
  })
}

function view(call: LiveCall, recording: LiveRecording | undefined) {
  const { startedAtMs, answeredAtMs, ...rest } = call
  return {
    ...rest,
    startedAt: new Date(startedAtMs).toISOString(),
    answeredAt: answeredAtMs === null ? null : new Date(answeredAtMs).toISOString(),
    durationMs: recording?.durationMs ?? null,
    bytes: recording?.bytes ?? null,
    levelsDb: recording?.levelsDb ?? null,
    lostMs: recording?.lostMs ?? null,
  }
}
