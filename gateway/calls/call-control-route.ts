import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { sendMistakes, sendProblem } from '../../base/problem.ts'
import { settledWithin } from '../../base/settled-within.ts'
import { isBearer } from '../is-bearer.ts'
import type { CallControl } from './call-control.ts'
import type { CallControls } from './call-controls.ts'
import { type ControlOrder, readControlOrder } from './read-control-order.ts'

export interface CallControlRouteOptions {
  readonly controls: CallControls
  /** What the bearer must show now; undefined where no token is set up, and then nobody may ask. */
  readonly token: () => string | undefined
  readonly clock: Clock
  readonly log: Log
}

type Action = 'pause' | 'resume' | 'stop' | 'annotate'

const ACTIONS: readonly Action[] = ['pause', 'resume', 'stop', 'annotate']
/** An engine that has not confirmed by then is in trouble; what was ordered holds all the same. */
const CONFIRM_MS = 2000

/**
 * `POST /api/calls/ID/pause|resume|stop|annotate`: orders the recordings of a call about, for the portal. ID is a
 * contact's, or a SIP Call-ID; where several live calls answer to it, the order is for all of them.
 */
export function addCallControlRoute(app: FastifyInstance, options: CallControlRouteOptions): void {
  const { controls, token, clock, log } = options
  for (const action of ACTIONS) {
    app.post<{ Params: { id: string } }>(`/api/calls/:id/${action}`, async (request, reply) => {
      if (!isBearer(request, reply, token())) return reply
      const reading = readControlOrder(request.body, action)
      if (reading.kind === 'wrong') return sendMistakes(reply, reading.mistakes)
      const calls = controls.find(request.params.id)
      if (calls.length === 0) return refuseUnknown(reply)
      const { order } = reading
      const isUnanswered = calls.every(({ contact }) => contact.answeredAtMs === undefined)
      if (action === 'stop' && isUnanswered) return refuseUnanswered(reply)
      for (const { contact } of calls) {
        const { contactId } = contact
        const { actor, reason } = order
        log.info({ contactId, action, actor, reason }, 'order for a call')
      }
      const ordered = Promise.all(
        calls.map(async (call) => {
          await obey(call, action, order, clock)
          await call.contact.written()
        }),
      )
      const isConfirmed = await settledWithin(ordered, { clock, limitMs: CONFIRM_MS })
      if (!isConfirmed) return refuseUnconfirmed(reply)
      return { items: calls.map(view) }
    })
  }
}

function obey(
  call: CallControl,
  action: Action,
  { reason, notes }: ControlOrder,
  clock: Clock,
): Promise<void> | undefined {
  switch (action) {
    case 'pause':
      return call.pause({ by: 'api', reason })
    case 'resume':
      return call.resume('control')
    case 'stop':
      return call.contact.answeredAtMs === undefined ? undefined : call.stop()
    case 'annotate':
      call.contact.annotated(notes, clock.epochMs())
      return undefined
  }
}

function view({ contact, recordingId, pausedBy, pauses, isStopped }: CallControl) {
  return {
    contactId: contact.contactId,
    callId: contact.callId,
    recordingId: recordingId ?? null,
    isPaused: pausedBy.length > 0,
    pausedBy: pausedBy.map(({ by }) => by),
    isStopped,
    pauses,
  }
}

function refuseUnknown(reply: FastifyReply): FastifyReply {
  return sendProblem(reply, {
    status: 404,
    code: 'call_unknown',
    detail: 'No call with this id goes on now.',
  })
}

function refuseUnanswered(reply: FastifyReply): FastifyReply {
  return sendProblem(reply, {
    status: 409,
    code: 'call_unanswered',
    detail: 'The call is not answered yet, so that nothing is recorded of it.',
  })
}

function refuseUnconfirmed(reply: FastifyReply): FastifyReply {
  return sendProblem(reply, {
    status: 503,
    code: 'not_confirmed',
    detail: `The recorder has not confirmed the order within ${CONFIRM_MS} ms; it holds as soon as it can.`,
  })
}
