import type { Timer } from '../../base/clock.ts'
import type { ClientConnection } from './client-connection.ts'
import type { Dialog } from './dialog.ts'
import type { Essentials } from './essentials.ts'
import type { InviteServerTransaction } from './server-transaction-invite.ts'
import type { NonInviteServerTransaction } from './server-transaction-non-invite.ts'
import type { SipRequest } from './sip-message.ts'
import { newTag, newUuid } from './tokens.ts'
import type { Peer } from './transport.ts'

export type ServerTransaction =
  | { readonly kind: 'invite'; readonly machine: InviteServerTransaction }
  | { readonly kind: 'other'; readonly machine: NonInviteServerTransaction }

/** A peer's request from its arrival until its transaction ends. */
export class IncomingRequest {
  /** By which the client answers. */
  readonly transactionId = newUuid()
  readonly request: SipRequest
  readonly essentials: Essentials
  readonly peer: Peer
  readonly transaction: ServerTransaction
  /** The client that is to answer. */
  owner: ClientConnection | undefined
  /** The dialog that it came in, or that its answer makes. */
  dialog: Dialog | undefined
  /** Whether the client has answered anything yet. */
  isHandled = false
  /** Ends it where the client answers nothing at all. */
  patience: Timer | undefined
  #toTag: string | undefined

  constructor(options: {
    readonly request: SipRequest
    readonly essentials: Essentials
    readonly peer: Peer
    readonly transaction: ServerTransaction
  }) {
    this.request = options.request
    this.essentials = options.essentials
    this.peer = options.peer
    this.transaction = options.transaction
    this.#toTag = options.essentials.toTag
  }

  /** Tag of every response but 100; a client may name it with its first one. */
  toTag(wish?: string): string {
    this.#toTag ??= wish ?? newTag()
    return this.#toTag
  }

  /** What the client knows the dialog by; empty for a request that makes none and is in none. */
  get dialogId(): string {
    if (this.dialog !== undefined) return this.dialog.id
    const { method } = this.request
    if (method !== 'INVITE' && method !== 'SUBSCRIBE') return ''
    return `${this.essentials.callId};from-tag=${this.essentials.fromTag ?? ''}`
  }
}
