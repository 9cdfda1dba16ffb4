import type { FastifyReply } from 'fastify'
import type { Log } from '../base/log.ts'
import { sendProblem } from '../base/problem.ts'
import type { GatewayAnswer, GatewayClient } from './gateway-client.ts'

/** Answers that the node gave nothing that can be handed on. */
export function refuseGateway(
  reply: FastifyReply,
  answer: GatewayAnswer,
  { gateway, log }: { readonly gateway: GatewayClient; readonly log: Log },
): FastifyReply {
  const { url: gatewayUrl, timeoutMs } = gateway
  if (answer.kind === 'silent') {
    log.warn({ gatewayUrl, reason: answer.reason }, 'the gateway does not answer')
    return sendProblem(reply, {
      status: answer.isTimeout ? 504 : 502,
      code: 'gateway_unreachable',
      detail: answer.isTimeout
        ? `The gateway did not answer within ${timeoutMs} ms.`
        : 'The gateway does not answer: it is not running, or the portal is configured to look for it elsewhere (http.gateway).',
    })
  }
  const reason = answer.kind === 'answer' ? `it answered ${answer.status}` : answer.reason
  log.error({ gatewayUrl, reason }, 'the gateway refuses the portal')
  return sendProblem(reply, {
    status: 502,
    code: 'gateway_refused',
    detail: `The gateway did not do as it was asked: ${reason}.`,
  })
}
