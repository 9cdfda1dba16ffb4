import type { MessageCounters } from './counters.ts'
import type { Door } from './door.ts'
import { type Essentials, readEssentials } from './essentials.ts'
import type { SipCore } from './sip-core.ts'
import { headerValue, type SipMessage, type SipRequest, withHeader } from './sip-message.ts'
import type { Peer, Received } from './transport.ts'
import { defaultPort, parseVia, splitTopVia, stampVia } from './via.ts'

/** Takes what transports read: refuses what is faulty, and hands the rest to the transactions. */
export class MessageReceiver {
  readonly #counters: MessageCounters
  readonly #core: SipCore
  readonly #door: Door

  constructor(options: {
    readonly counters: MessageCounters
    readonly core: SipCore
    readonly door: Door
  }) {
    this.#counters = options.counters
    this.#core = options.core
    this.#door = options.door
  }

  receive(received: Received, peer: Peer): void {
    switch (received.kind) {
      case 'keep_alive':
        return
      case 'dropped':
        this.#counters.dropped(received.reason)
        this.#door.offended('malformed', peer)
        return
      case 'bad_request':
        this.#refuse(received.message, peer, received)
        return
      case 'message':
        this.#receiveMessage(received.message, peer)
        return
    }
  }

  #receiveMessage(message: SipMessage, peer: Peer): void {
    const outcome = readEssentials(message)
    if (message.kind === 'response') {
      this.#counters.responseReceived(message.status)
      if (outcome.kind === 'faulty') this.#counters.dropped('bad_response')
      else this.#core.outgoing.receive(message, outcome.essentials, peer)
      return
    }
    this.#counters.requestReceived(message.method)
    if (outcome.kind === 'faulty') {
      this.#refuse(message, peer, { status: 400, reason: outcome.reason })
    } else if (message.version !== '2.0') {
      if (!this.#door.mayAnswer(peer)) return
      this.#core.incoming.refuse(stamped(message, peer), peer, { status: 505 })
    } else {
      noteAlias(outcome.essentials, peer)
      this.#core.receiver.receive(stamped(message, peer), outcome.essentials, peer)
    }
  }

  /** Answers a request that cannot be taken, where a response would find its way. */
  #refuse(
    request: SipRequest,
    peer: Peer,
    why: { readonly status: number; readonly reason: string },
  ): void {
    this.#counters.dropped('bad_request')
    this.#door.offended('malformed', peer)
    const outcome = readEssentials(request)
    if (outcome.kind === 'faulty' && !outcome.isAnswerable) return
    if (!this.#door.mayAnswer(peer)) return
    const status = why.status === 413 ? 413 : 400
    this.#core.incoming.refuse(stamped(request, peer), peer, { status, reason: why.reason })
  }
}

/** The peer wants requests to its own port to come by this connection (RFC 5923 §5). */
function noteAlias({ via }: Essentials, peer: Peer): void {
  const { transport } = peer
  if (!via.hasAlias || !transport.isReliable) return
  transport.alias(peer, via.port ?? defaultPort(transport.name))
}

/** The request with its topmost Via saying where it came from. */
function stamped(request: SipRequest, peer: Peer): SipRequest {
  const value = headerValue(request, 'via')
  if (value === undefined) return request
  const { top, others } = splitTopVia(value)
  const via = parseVia(top)
  if (via === undefined) return request
  return withHeader(request, 'via', { name: 'Via', value: stampVia(top, via, peer) + others })
}
