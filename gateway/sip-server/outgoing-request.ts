import type { ClientConnection } from './client-connection.ts'
import type { InviteClientTransaction } from './client-transaction-invite.ts'
import type { NonInviteClientTransaction } from './client-transaction-non-invite.ts'
import type { Dialog } from './dialog.ts'
import type { HeardResponse } from './heard-response.ts'
import { composeMessage, field } from './message-writer.ts'
import { draftText, type RequestDraft } from './request-draft.ts'
import { newUuid } from './tokens.ts'
import type { Peer } from './transport.ts'

export type ClientTransaction =
  | { readonly kind: 'invite'; readonly machine: InviteClientTransaction<HeardResponse> }
  | { readonly kind: 'other'; readonly machine: NonInviteClientTransaction<HeardResponse> }

/** A request of a client, or of the server itself, from when it is sent until its transaction ends. */
export class OutgoingRequest {
  readonly transactionId = newUuid()
  readonly draft: RequestDraft
  readonly peer: Peer
  readonly text: string
  /** Who asked for it; undefined for the server's own. */
  readonly client: ClientConnection | undefined
  /** URI given by the client to send by. */
  readonly proxy: string | undefined
  /** The dialog that it goes in. */
  readonly dialog: Dialog | undefined
  readonly transaction: ClientTransaction
  /** The dialogs that its responses have made. */
  readonly ownDialogs: Dialog[] = []
  /** ACKs sent for its successes, by To tag; sent again when those come again. */
  readonly acks = new Map<string, { readonly text: string; readonly peer: Peer }>()
  isCancelled = false
  /** Whether it has been asked whether anybody listens at the peer's port. */
  isProbed = false

  constructor(options: {
    readonly draft: RequestDraft
    readonly peer: Peer
    readonly client: ClientConnection | undefined
    readonly proxy: string | undefined
    readonly dialog: Dialog | undefined
    /** Makes the transaction of that text. */
    readonly transactionOf: (outgoing: OutgoingRequest, text: string) => ClientTransaction
  }) {
    this.draft = options.draft
    this.peer = options.peer
    this.text = draftText(options.draft, options.peer)
    this.client = options.client
    this.proxy = options.proxy
    this.dialog = options.dialog
    this.transaction = options.transactionOf(this, this.text)
  }

  /** What the client knows the dialog by; empty for a request that makes none and is in none. */
  get dialogId(): string {
    if (this.dialog !== undefined) return this.dialog.id
    const { method, callId, from } = this.draft
    if (method !== 'INVITE' && method !== 'SUBSCRIBE') return ''
    return `${callId};from-tag=${/;\s*tag=([^\s;]+)/i.exec(from)?.[1] ?? ''}`
  }

  /** A response that never came over the network: a timeout or a failure to send, as a drachtio server words it. */
  madeUpResponse(status: number, reason: string): string {
    const { from, to, callId, sequence, method } = this.draft
    const via = /^Via: ([^\r\n]*)/m.exec(this.text)?.[1] ?? ''
    const fields = [
      field('Via', via),
      field('From', from),
      field('To', to.replace(/^<([^<>;?,\s]+)>/, '$1')),
      field('Call-ID', callId),
      field('CSeq', `${sequence} ${method}`),
    ]
    return composeMessage(`SIP/2.0 ${status} ${reason}`, fields, '')
  }
}
