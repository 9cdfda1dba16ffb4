import type { Log } from '../base/log.ts'
import type { Config } from '../config/config.ts'
import type { GatewayMetrics } from './gateway-metrics.ts'
import { answerOptions } from './sip/answer-options.ts'
import { InviteRouter } from './sip/invite-router.ts'
import { refuseOtherMethods } from './sip/other-methods.ts'
import type { SipConnection } from './sip/sip-connection.ts'
import type { RecordingSessions } from './siprec/recording-sessions.ts'
import type { TrunkCalls } from './trunk/trunk-calls.ts'

/** A caller whose number has no trunk route must hear so, instead of talking to a recorder. */
export function recordsUnmarked({ siprec, trunk }: Config): boolean {
  return (siprec.unmarked ?? (trunk.routes.length > 0 ? 'refuse' : 'record')) === 'record'
}

/** Who gets the requests of one SIP server. */
export function routeCalls(
  connection: SipConnection,
  parts: {
    readonly sessions: RecordingSessions
    readonly recordsUnmarked: boolean
    readonly trunks: TrunkCalls
    readonly metrics: GatewayMetrics
    readonly mayCall: (address: string) => boolean
    readonly log: Log
  },
): InviteRouter {
  const { sessions, trunks, metrics, log } = parts
  const { framework } = connection
  const router = new InviteRouter({
    takers: [
      sessions.takerFor(connection),
      trunks.takerFor(connection),
      ...(parts.recordsUnmarked ? [sessions.plainTakerFor(connection)] : []),
    ],
    log,
    mayCall: parts.mayCall,
    onUnrouted: () => metrics.calls.unrouted(),
  })
  framework.invite((request, response) => router.route(request, response))
  framework.options(answerOptions)
  refuseOtherMethods(framework)
  return router
}
