import type { Clock } from '../../base/clock.ts'
import type { ClientConnection } from './client-connection.ts'
import { InviteClientTransaction } from './client-transaction-invite.ts'
import { NonInviteClientTransaction } from './client-transaction-non-invite.ts'
import type { MessageCounters } from './counters.ts'
import type { Dialog } from './dialog.ts'
import type { Essentials } from './essentials.ts'
import type { HeardResponse } from './heard-response.ts'
import { type ClientTransaction, OutgoingRequest } from './outgoing-request.ts'
import { draftOfCancel, draftOfFailureAck, draftText, type RequestDraft } from './request-draft.ts'
import { REASONS } from './responses.ts'
import { headerValue, type SipResponse } from './sip-message.ts'
import type { Peer, SipTransport } from './transport.ts'
import { detectUnreachable } from './unreachable.ts'

export interface ClientTransactionEvents {
  /** Each provisional but 100, and the final response; every 2xx of an INVITE that has no ACK yet. */
  readonly onResponse: (outgoing: OutgoingRequest, heard: HeardResponse) => void
  /** No response came, or it could not be sent: this stands for its final response. */
  readonly onFailed: (outgoing: OutgoingRequest, status: number, reason: string) => void
}

/** Our requests under way, and what is sent and received in their transactions. */
export class ClientTransactions {
  readonly #clock: Clock
  readonly #counters: MessageCounters
  readonly #events: ClientTransactionEvents
  /** By branch and method. */
  readonly #byBranch = new Map<string, OutgoingRequest>()
  readonly #byId = new Map<string, OutgoingRequest>()
  /** INVITEs without a final response within a dialog. */
  readonly #pendingInvites = new Map<Dialog, OutgoingRequest>()
  /** INVITEs with a success that is not acknowledged yet, by dialog. */
  readonly #unacknowledged = new Map<Dialog, OutgoingRequest>()

  constructor(options: {
    readonly clock: Clock
    readonly counters: MessageCounters
    readonly events: ClientTransactionEvents
  }) {
    this.#clock = options.clock
    this.#counters = options.counters
    this.#events = options.events
  }

  get size(): number {
    return this.#byBranch.size
  }

  /** By the id that the client knows. */
  findById(transactionId: string): OutgoingRequest | undefined {
    return this.#byId.get(transactionId)
  }

  /** Prepares a request; `start` or `fail` follows. */
  begin(options: {
    readonly draft: RequestDraft
    readonly peer: Peer
    readonly client: ClientConnection | undefined
    readonly proxy: string | undefined
    readonly dialog: Dialog | undefined
  }): OutgoingRequest {
    const outgoing = new OutgoingRequest({
      ...options,
      transactionOf: (request, text) => this.#transactionOf(request, text),
    })
    const { draft, dialog } = options
    this.#byBranch.set(branchKey(draft.branch, draft.method), outgoing)
    this.#byId.set(outgoing.transactionId, outgoing)
    if (dialog !== undefined && draft.method === 'INVITE')
      this.#pendingInvites.set(dialog, outgoing)
    return outgoing
  }

  start(outgoing: OutgoingRequest): void {
    this.#counters.requestSent(outgoing.draft.method)
    outgoing.transaction.machine.start()
  }

  /** It cannot be sent. */
  fail(outgoing: OutgoingRequest, status: number, reason: string): void {
    if (!outgoing.transaction.machine.isPending) return
    this.#settle(outgoing)
    this.#counters.sentFailed('unreachable')
    this.#events.onFailed(outgoing, status, reason)
    outgoing.transaction.machine.end()
  }

  /** Takes a peer's response. */
  receive(response: SipResponse, essentials: Essentials, peer: Peer): void {
    const { via, sequenceMethod, callId, toTag = '' } = essentials
    const outgoing = this.#byBranch.get(branchKey(via.branch ?? '', sequenceMethod))
    if (outgoing === undefined || outgoing.draft.callId !== callId) {
      this.#counters.dropped('response_without_request')
      return
    }
    const ack = isSuccess(response.status) ? outgoing.acks.get(toTag) : undefined
    if (ack !== undefined) {
      this.#counters.retransmissionsReceived += 1
      this.#counters.retransmissionsSent += 1
      this.#send(ack.text, ack.peer)
      return
    }
    outgoing.transaction.machine.receive({ status: response.status, response, essentials, peer })
  }

  /** The INVITE of that dialog whose success awaits its ACK. */
  unacknowledgedIn(dialog: Dialog): OutgoingRequest | undefined {
    return this.#unacknowledged.get(dialog)
  }

  /** Sends the ACK of a success, and again whenever the success comes again. Gives its text. */
  acknowledge(
    dialog: Dialog,
    invite: OutgoingRequest,
    ack: { readonly draft: RequestDraft; readonly peer: Peer },
  ): string {
    const { draft, peer } = ack
    const text = draftText(draft, peer)
    this.#unacknowledged.delete(dialog)
    invite.acks.set(dialog.remoteTag, { text, peer })
    this.#counters.requestSent('ACK')
    this.#send(text, peer)
    return text
  }

  /** A success came that is to be acknowledged. False where it has come before. */
  awaitAck(dialog: Dialog, invite: OutgoingRequest): boolean {
    if (this.#unacknowledged.get(dialog) === invite) return false
    this.#unacknowledged.set(dialog, invite)
    return true
  }

  /** Cancels an INVITE that has no final response; undefined where there is nothing to cancel. */
  cancel(invite: OutgoingRequest, headers: string): OutgoingRequest | undefined {
    if (invite.transaction.kind !== 'invite' || !invite.transaction.machine.isPending) {
      return undefined
    }
    const { peer, dialog } = invite
    const draft = draftOfCancel(invite.draft, headers, peer)
    const cancel = this.begin({ draft, peer, client: undefined, proxy: undefined, dialog })
    invite.isCancelled = true
    if (!invite.transaction.machine.cancel(() => this.start(cancel))) {
      cancel.transaction.machine.end()
      return undefined
    }
    return cancel
  }

  /** A BYE ends the dialog's re-INVITE as well. */
  cancelIn(dialog: Dialog): void {
    const invite = this.#pendingInvites.get(dialog)
    if (invite !== undefined) this.cancel(invite, '')
  }

  /** The client is gone: what rings on its behalf rings no more. */
  forget(client: ClientConnection): void {
    for (const outgoing of [...this.#byBranch.values()]) {
      if (outgoing.client === client) this.cancel(outgoing, '')
    }
  }

  /** A stream is gone: what was sent on it and has brought nothing back is lost. */
  disconnected(transport: SipTransport, host: string, port: number): void {
    for (const outgoing of [...this.#byBranch.values()]) {
      const { peer } = outgoing
      const isThere = peer.transport === transport && peer.host === host && peer.port === port
      if (isThere && outgoing.transaction.machine.isUnheard) this.fail(outgoing, 503, REASONS[503])
    }
  }

  /** Ends every transaction, without a word. */
  close(): void {
    for (const outgoing of [...this.#byBranch.values()]) outgoing.transaction.machine.end()
  }

  #transactionOf(outgoing: OutgoingRequest, text: string): ClientTransaction {
    const { peer, draft } = outgoing
    const { isReliable } = peer.transport
    const options = { clock: this.#clock, isReliable, text }
    const fail = () => this.fail(outgoing, 503, REASONS[503])
    const events = {
      send: (sent: string) => peer.transport.send(sent, peer, fail),
      onRetransmitted: () => {
        this.#counters.retransmissionsSent += 1
        if (outgoing.isProbed || !outgoing.transaction.machine.isUnheard) return
        outgoing.isProbed = true
        detectUnreachable(peer, fail)
      },
      onResponse: (heard: HeardResponse) => {
        if (heard.status >= 200) this.#settle(outgoing)
        if (heard.status > 100) this.#events.onResponse(outgoing, heard)
      },
      onTimedOut: () => {
        this.#settle(outgoing)
        this.#counters.sentFailed('timeout')
        this.#events.onFailed(outgoing, 408, REASONS[408])
      },
      onEnded: () => this.#end(outgoing),
    }
    if (draft.method !== 'INVITE') {
      return { kind: 'other', machine: new NonInviteClientTransaction({ ...options, events }) }
    }
    const ackFor = ({ response }: HeardResponse) => {
      this.#counters.requestSent('ACK')
      return draftText(draftOfFailureAck(draft, headerValue(response, 'to') ?? draft.to), peer)
    }
    const machine = new InviteClientTransaction({ ...options, events: { ...events, ackFor } })
    return { kind: 'invite', machine }
  }

  #settle(outgoing: OutgoingRequest): void {
    const { dialog } = outgoing
    if (dialog !== undefined && this.#pendingInvites.get(dialog) === outgoing) {
      this.#pendingInvites.delete(dialog)
    }
  }

  #end(outgoing: OutgoingRequest): void {
    this.#settle(outgoing)
    this.#byBranch.delete(branchKey(outgoing.draft.branch, outgoing.draft.method))
    this.#byId.delete(outgoing.transactionId)
    for (const dialog of [outgoing.dialog, ...outgoing.ownDialogs]) {
      if (dialog !== undefined && this.#unacknowledged.get(dialog) === outgoing) {
        this.#unacknowledged.delete(dialog)
      }
    }
  }

  #send(text: string, peer: Peer): void {
    peer.transport.send(text, peer, () => this.#counters.dropped('send_failed'))
  }
}

function branchKey(branch: string, method: string): string {
  return `${branch} ${method}`
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}
