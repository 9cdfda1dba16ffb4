import type { Clock, Timer } from '../../base/clock.ts'
import type { Dialog } from './dialog.ts'
import type { IncomingRequest } from './incoming-request.ts'
import { fieldValue, type HeaderField } from './message-writer.ts'
import type { ServerTransactions } from './server-transactions.ts'
import { headerValue, headerValues, type SipRequest } from './sip-message.ts'
import { T1_MS, TIMEOUT_MS } from './timers.ts'
import { newSequenceNumber } from './tokens.ts'

interface Awaited {
  readonly incoming: IncomingRequest
  readonly sequence: number
  readonly timeout: Timer
  retransmission: Timer | undefined
}

const RACK = /^(\d{1,10})\s+(\d{1,10})\s+(\S+)$/

/** Provisional responses that clients want acknowledged with PRACK (RFC 3262 §3). One at a time for an INVITE. */
export class ReliableProvisionals {
  readonly #clock: Clock
  readonly #transactions: ServerTransactions
  readonly #sequences = new WeakMap<IncomingRequest, number>()
  readonly #awaited = new Map<IncomingRequest, Awaited>()

  constructor(options: { readonly clock: Clock; readonly transactions: ServerTransactions }) {
    this.#clock = options.clock
    this.#transactions = options.transactions
  }

  /** Whether the client asks for it, with `Require: 100rel` in a provisional response to an INVITE. */
  isAskedFor(
    incoming: IncomingRequest,
    answer: { readonly status: number; readonly fields: readonly HeaderField[] },
  ): boolean {
    const { status, fields } = answer
    if (incoming.transaction.kind !== 'invite' || status <= 100 || status >= 200) return false
    return names(fieldValue(fields, 'require') ?? '')
  }

  /** Whether the peer can acknowledge them. */
  isUnderstood(incoming: IncomingRequest): boolean {
    const { request } = incoming
    const offered = [...headerValues(request, 'supported'), ...headerValues(request, 'require')]
    return offered.some(names)
  }

  /** The RSeq of the next one. */
  nextSequence(incoming: IncomingRequest): number {
    const sequence = (this.#sequences.get(incoming) ?? newSequenceNumber()) + 1
    this.#sequences.set(incoming, sequence)
    return sequence
  }

  /** Repeats the response until its PRACK: T1, then twice as long each time. Refuses the INVITE after 64·T1. */
  await(incoming: IncomingRequest): void {
    const awaited: Awaited = {
      incoming,
      sequence: this.#sequences.get(incoming) ?? 0,
      retransmission: undefined,
      timeout: this.#clock.after(TIMEOUT_MS, () => {
        this.settle(incoming)
        if (!incoming.transaction.machine.isAnswered) this.#transactions.answer(incoming, 504)
      }),
    }
    this.#awaited.set(incoming, awaited)
    this.#repeatAfter(T1_MS, awaited)
  }

  /** Repeats nothing any more: acknowledged, or followed by another response. Idempotent. */
  settle(incoming: IncomingRequest): void {
    const awaited = this.#awaited.get(incoming)
    awaited?.timeout.cancel()
    awaited?.retransmission?.cancel()
    this.#awaited.delete(incoming)
  }

  /** Takes a PRACK; false where it acknowledges nothing. */
  acknowledge(dialog: Dialog, prack: SipRequest): boolean {
    const [, rseq, sequence, method] = RACK.exec(headerValue(prack, 'rack') ?? '') ?? []
    for (const { incoming, sequence: awaited } of this.#awaited.values()) {
      const isIt =
        incoming.dialog === dialog &&
        awaited === Number(rseq) &&
        incoming.essentials.sequence === Number(sequence) &&
        method === 'INVITE'
      if (isIt) {
        this.settle(incoming)
        return true
      }
    }
    return false
  }

  #repeatAfter(delayMs: number, awaited: Awaited): void {
    awaited.retransmission = this.#clock.after(delayMs, () => {
      if (awaited.incoming.transaction.machine.isAnswered) {
        this.settle(awaited.incoming)
        return
      }
      awaited.incoming.transaction.machine.absorb()
      this.#repeatAfter(2 * delayMs, awaited)
    })
  }
}

function names(options: string): boolean {
  return /(?:^|[\s,])100rel(?:$|[\s,])/i.test(options)
}
