import type { Clock } from '../../base/clock.ts'
import type { ClientRegistry } from './client-registry.ts'
import { ClientRequester } from './client-requester.ts'
import { ClientResponder } from './client-responder.ts'
import { ClientTransactions } from './client-transactions.ts'
import type { MessageCounters } from './counters.ts'
import { DialogRequests } from './dialog-requests.ts'
import type { DialogTable } from './dialog-table.ts'
import type { Door } from './door.ts'
import type { SipServerLimits } from './limits.ts'
import type { HostResolver } from './next-hop.ts'
import { ReliableProvisionals } from './reliable-provisionals.ts'
import { RequestReceiver } from './request-receiver.ts'
import { ResponseReceiver } from './response-receiver.ts'
import { ServerTransactions } from './server-transactions.ts'
import { SessionRefreshes } from './session-refreshes.ts'
import type { SipTransport } from './transport.ts'

/** What lies between the transports and the clients. */
export interface SipCore {
  /** Peers' requests under way. */
  readonly incoming: ServerTransactions
  /** Our requests under way. */
  readonly outgoing: ClientTransactions
  readonly receiver: RequestReceiver
  readonly responder: ClientResponder
  readonly requester: ClientRequester
}

/** Builds the whole of it in one place, since its two halves call each other. */
export function createCore(options: {
  readonly clock: Clock
  readonly limits: SipServerLimits
  readonly counters: MessageCounters
  readonly dialogs: DialogTable
  readonly registry: ClientRegistry
  readonly transports: readonly SipTransport[]
  readonly resolver: HostResolver
  readonly door: Door
}): SipCore {
  const incoming = new ServerTransactions({
    ...options,
    onAckMissing: (dialog) => dialogRequests.end(dialog, 'ACK timeout'),
  })
  const outgoing = new ClientTransactions({
    ...options,
    events: {
      onResponse: (request, heard) => responses.receive(request, heard),
      onFailed: (request, status, reason) => responses.fail(request, status, reason),
    },
  })
  const dialogRequests = new DialogRequests({ ...options, transactions: outgoing })
  const refreshes = new SessionRefreshes({
    ...options,
    transactions: incoming,
    events: {
      onRefreshDue: (dialog, expiresS, minS) => dialogRequests.refresh(dialog, expiresS, minS),
      onExpired: (dialog) => dialogRequests.end(dialog, 'Session timer expired'),
    },
  })
  const responses = new ResponseReceiver({
    ...options,
    transactions: outgoing,
    dialogRequests,
    refreshes,
  })
  const provisionals = new ReliableProvisionals({ ...options, transactions: incoming })
  const server = { ...options, transactions: incoming, provisionals, refreshes }
  return {
    incoming,
    outgoing,
    receiver: new RequestReceiver(server),
    responder: new ClientResponder(server),
    requester: new ClientRequester({ ...options, transactions: outgoing, dialogRequests }),
  }
}
