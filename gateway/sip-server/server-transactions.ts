import type { Clock } from '../../base/clock.ts'
import type { MessageCounters } from './counters.ts'
import type { Dialog } from './dialog.ts'
import type { DialogTable } from './dialog-table.ts'
import type { Essentials } from './essentials.ts'
import { IncomingRequest } from './incoming-request.ts'
import type { HeaderField } from './message-writer.ts'
import { type OwnStatus, REASONS, responseText } from './responses.ts'
import { InviteServerTransaction } from './server-transaction-invite.ts'
import { NonInviteServerTransaction } from './server-transaction-non-invite.ts'
import type { SipRequest } from './sip-message.ts'
import { TIMEOUT_MS } from './timers.ts'
import { newTag } from './tokens.ts'
import type { Peer } from './transport.ts'
import { defaultPort } from './via.ts'

/** How long a client may leave an INVITE without any answer, milliseconds. */
const CLIENT_PATIENCE_MS = 64_000

/** Peers' requests under way, and everything that is sent in answer to them. */
export class ServerTransactions {
  readonly #clock: Clock
  readonly #counters: MessageCounters
  readonly #dialogs: DialogTable
  readonly #onAckMissing: (dialog: Dialog) => void
  readonly #byKey = new Map<string, IncomingRequest>()
  readonly #byId = new Map<string, IncomingRequest>()
  /** Requests outside dialogs by what they share when they come over several paths (RFC 3261 §8.2.2.2). */
  readonly #byOrigin = new Map<string, IncomingRequest>()
  /** Requests without a final answer, by dialog. */
  readonly #pendingIn = new Map<Dialog, Set<IncomingRequest>>()
  /** INVITEs answered 2xx that await their ACK, by dialog. */
  readonly #unacknowledged = new Map<Dialog, IncomingRequest>()
  #whenSettled: (() => void) | undefined

  constructor(options: {
    readonly clock: Clock
    readonly counters: MessageCounters
    readonly dialogs: DialogTable
    /** A 2xx was never acknowledged: the dialog is to be ended (RFC 3261 §13.3.1.4). */
    readonly onAckMissing: (dialog: Dialog) => void
  }) {
    this.#clock = options.clock
    this.#counters = options.counters
    this.#dialogs = options.dialogs
    this.#onAckMissing = options.onAckMissing
  }

  get size(): number {
    return this.#byKey.size
  }

  all(): readonly IncomingRequest[] {
    return [...this.#byKey.values()]
  }

  /** By the key of `serverKey`. */
  find(key: string): IncomingRequest | undefined {
    return this.#byKey.get(key)
  }

  /** By the id that the client knows. */
  findById(transactionId: string): IncomingRequest | undefined {
    return this.#byId.get(transactionId)
  }

  begin(
    request: SipRequest,
    essentials: Essentials,
    at: { readonly peer: Peer; readonly key: string },
  ): IncomingRequest {
    const { peer, key } = at
    const events = {
      send: (text: string) => this.#send(peer, essentials, text),
      onRetransmitted: () => {
        this.#counters.retransmissionsSent += 1
      },
      onAckMissing: () => {
        this.#counters.receivedFailed('ack_missing')
        if (incoming.dialog !== undefined) this.#onAckMissing(incoming.dialog)
      },
      onEnded: () => this.#end(incoming, key),
    }
    const options = { clock: this.#clock, isReliable: peer.transport.isReliable, events }
    const isInvite = request.method === 'INVITE'
    const incoming = new IncomingRequest({
      request,
      essentials,
      peer,
      transaction: isInvite
        ? { kind: 'invite', machine: new InviteServerTransaction(options) }
        : { kind: 'other', machine: new NonInviteServerTransaction(options) },
    })
    this.#byKey.set(key, incoming)
    this.#byId.set(incoming.transactionId, incoming)
    incoming.patience = this.#clock.after(isInvite ? CLIENT_PATIENCE_MS : TIMEOUT_MS, () => {
      this.#loseHope(incoming)
    })
    return incoming
  }

  /** Notes where a request outside dialogs began. False where the same has come over another path. */
  claimOrigin(incoming: IncomingRequest): boolean {
    const origin = originKey(incoming.essentials)
    if (this.#byOrigin.has(origin)) return false
    this.#byOrigin.set(origin, incoming)
    return true
  }

  /** Puts a request into a dialog, with which it ends. */
  join(incoming: IncomingRequest, dialog: Dialog): void {
    incoming.dialog = dialog
    const pending = this.#pendingIn.get(dialog)
    if (pending === undefined) this.#pendingIn.set(dialog, new Set([incoming]))
    else pending.add(incoming)
  }

  /** Sends a response. */
  respond(incoming: IncomingRequest, status: number, text: string): void {
    this.#counters.responseSent(status)
    if (status >= 200) this.#noteAnswered(incoming)
    incoming.transaction.machine.respond(status, text)
    const { dialog, essentials } = incoming
    if (dialog !== undefined && essentials.toTag === undefined && status >= 300) {
      this.#dialogs.remove(dialog)
    }
    if (dialog !== undefined && incoming.transaction.kind === 'invite' && isSuccess(status)) {
      this.#unacknowledged.set(dialog, incoming)
    }
    this.#checkSettled()
  }

  /** Answers by itself. */
  answer(incoming: IncomingRequest, status: OwnStatus, reason: string = REASONS[status]): void {
    const toTag = status === 100 ? undefined : incoming.toTag()
    this.respond(incoming, status, responseText(incoming.request, { status, reason, toTag }))
  }

  /** Answers once, without a transaction. */
  refuse(
    request: SipRequest,
    peer: Peer,
    response: {
      readonly status: OwnStatus
      readonly reason?: string
      readonly toTag?: string
      readonly fields?: readonly HeaderField[]
    },
  ): void {
    if (request.method === 'ACK') return
    const { status, reason = REASONS[status], toTag = newTag(), fields = [] } = response
    const text = responseText(request, { status, reason, toTag, fields })
    this.#counters.responseSent(status)
    peer.transport.send(text, peer, () => this.#counters.dropped('send_failed'))
  }

  /** The INVITE whose success that ACK acknowledges; undefined where it is not the first. */
  acknowledge(dialog: Dialog, sequence: number): IncomingRequest | undefined {
    const invite = this.#unacknowledged.get(dialog)
    if (invite?.essentials.sequence !== sequence) return undefined
    this.#unacknowledged.delete(dialog)
    if (invite.transaction.kind === 'invite') invite.transaction.machine.acknowledge()
    return invite
  }

  /** A dialog is over: what the peer still waits for in it will not come (RFC 3261 §15.1.2). */
  endAllIn(dialog: Dialog, except: IncomingRequest): void {
    this.#unacknowledged.get(dialog)?.transaction.machine.end()
    for (const incoming of [...(this.#pendingIn.get(dialog) ?? [])]) {
      if (incoming !== except) this.answer(incoming, 487)
    }
  }

  /** Calls back once no request waits for its answer. */
  onSettled(run: () => void): void {
    this.#whenSettled = run
    this.#checkSettled()
  }

  /** Ends every transaction, without a word. */
  close(): void {
    for (const incoming of this.all()) incoming.transaction.machine.end()
  }

  #checkSettled(): void {
    if (this.#whenSettled === undefined) return
    for (const { transaction } of this.#byKey.values()) {
      if (!transaction.machine.isAnswered) return
    }
    this.#whenSettled()
    this.#whenSettled = undefined
  }

  /** The client has not answered. A request other than INVITE has timed out at the peer as well (RFC 4320 §4). */
  #loseHope(incoming: IncomingRequest): void {
    const { kind, machine } = incoming.transaction
    if (machine.isAnswered || incoming.isHandled) return
    this.#counters.receivedFailed('unanswered')
    if (kind === 'invite') this.answer(incoming, 503)
    else machine.end()
  }

  #noteAnswered(incoming: IncomingRequest): void {
    incoming.patience?.cancel()
    const { dialog } = incoming
    const pending = dialog === undefined ? undefined : this.#pendingIn.get(dialog)
    if (dialog === undefined || pending === undefined) return
    pending.delete(incoming)
    if (pending.size === 0) this.#pendingIn.delete(dialog)
  }

  #end(incoming: IncomingRequest, key: string): void {
    this.#noteAnswered(incoming)
    this.#byKey.delete(key)
    this.#byId.delete(incoming.transactionId)
    const origin = originKey(incoming.essentials)
    if (this.#byOrigin.get(origin) === incoming) this.#byOrigin.delete(origin)
    const { dialog } = incoming
    if (dialog !== undefined && this.#unacknowledged.get(dialog) === incoming) {
      this.#unacknowledged.delete(dialog)
    }
  }

  /** A response whose stream is gone goes to the address in the Via (RFC 3261 §18.2.2). */
  #send(peer: Peer, essentials: Essentials, text: string): void {
    peer.transport.send(text, peer, () => {
      if (!peer.transport.isReliable) {
        this.#counters.dropped('send_failed')
        return
      }
      const { transport, host, names } = peer
      const again = transport.peerAt(
        host,
        essentials.via.port ?? defaultPort(transport.name),
        names,
      )
      transport.send(text, again, () => this.#counters.dropped('send_failed'))
    })
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}

function originKey(essentials: Essentials): string {
  const { callId, fromTag, sequence, sequenceMethod } = essentials
  return `${callId}|${fromTag ?? ''}|${sequence} ${sequenceMethod}`
}
