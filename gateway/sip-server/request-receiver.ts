import type { Clock } from '../../base/clock.ts'
import type { ClientConnection } from './client-connection.ts'
import { sipFrame, timeOfDay } from './client-frames.ts'
import type { ClientRegistry } from './client-registry.ts'
import { isKnownMethod, type MessageCounters } from './counters.ts'
import type { Dialog } from './dialog.ts'
import type { DialogTable } from './dialog-table.ts'
import type { Door } from './door.ts'
import { type Essentials, serverKey } from './essentials.ts'
import type { IncomingRequest } from './incoming-request.ts'
import type { SipServerLimits } from './limits.ts'
import type { ReliableProvisionals } from './reliable-provisionals.ts'
import { makesDialog } from './responses.ts'
import type { ServerTransactions } from './server-transactions.ts'
import type { SessionRefreshes } from './session-refreshes.ts'
import { messageText, type SipRequest } from './sip-message.ts'
import { newUuid } from './tokens.ts'
import type { Peer } from './transport.ts'

const TARGET_REFRESHES = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER'])
const NEVER_OUTSIDE = new Set(['BYE', 'UPDATE', 'PRACK'])

interface Arrival {
  readonly request: SipRequest
  readonly essentials: Essentials
  readonly peer: Peer
}

/** Takes peers' requests: matches them to transactions and dialogs, and hands them to clients. */
export class RequestReceiver {
  readonly #clock: Clock
  readonly #limits: SipServerLimits
  readonly #counters: MessageCounters
  readonly #dialogs: DialogTable
  readonly #registry: ClientRegistry
  readonly #transactions: ServerTransactions
  readonly #provisionals: ReliableProvisionals
  readonly #refreshes: SessionRefreshes
  readonly #door: Door
  #isClosing = false

  constructor(options: {
    readonly clock: Clock
    readonly limits: SipServerLimits
    readonly counters: MessageCounters
    readonly dialogs: DialogTable
    readonly registry: ClientRegistry
    readonly transactions: ServerTransactions
    readonly provisionals: ReliableProvisionals
    readonly refreshes: SessionRefreshes
    readonly door: Door
  }) {
    this.#clock = options.clock
    this.#limits = options.limits
    this.#counters = options.counters
    this.#dialogs = options.dialogs
    this.#registry = options.registry
    this.#transactions = options.transactions
    this.#provisionals = options.provisionals
    this.#refreshes = options.refreshes
    this.#door = options.door
  }

  /** Takes a request whose Via is stamped. */
  receive(request: SipRequest, essentials: Essentials, peer: Peer): void {
    const key = serverKey(essentials, request.method)
    const known = this.#transactions.find(key)
    const arrival = { request, essentials, peer }
    if (request.method === 'ACK') {
      this.#receiveAck(arrival, known)
    } else if (request.method === 'CANCEL') {
      this.#receiveCancel(arrival, known)
    } else if (known !== undefined) {
      this.#counters.retransmissionsReceived += 1
      known.transaction.machine.absorb()
    } else if (!this.#isAdmitted(arrival)) {
      return
    } else if (this.#isClosing || this.#transactions.size >= this.#limits.maxTransactions) {
      this.#transactions.refuse(request, peer, { status: 503 })
    } else {
      const incoming = this.#transactions.begin(request, essentials, { peer, key })
      if (essentials.toTag === undefined) this.#receiveOutside(incoming)
      else this.#receiveInside(incoming, essentials.toTag)
    }
  }

  /** The client is gone: what it was to answer is answered 503. */
  forget(client: ClientConnection): void {
    for (const incoming of this.#transactions.all()) {
      if (incoming.owner === client && !incoming.transaction.machine.isAnswered) {
        this.#transactions.answer(incoming, 503)
      }
    }
  }

  /** Answers new requests with 503 from now on. */
  stopAccepting(): void {
    this.#isClosing = true
  }

  /** Whether it goes on in a dialog, or may begin something; what may not is dropped or refused here. */
  #isAdmitted({ request, essentials, peer }: Arrival): boolean {
    const { toTag } = essentials
    if (toTag !== undefined && this.#dialogOf(essentials, toTag) !== undefined) return true
    const admission = this.#door.admit(request, peer)
    if (admission.kind === 'dropped') this.#counters.dropped(admission.reason)
    else if (admission.kind === 'refused') this.#transactions.refuse(request, peer, admission)
    return admission.kind === 'admitted'
  }

  #receiveOutside(incoming: IncomingRequest): void {
    const { method } = incoming.request
    if (!this.#transactions.claimOrigin(incoming)) {
      this.#transactions.answer(incoming, 482)
      return
    }
    if (method === 'INVITE') this.#transactions.answer(incoming, 100)
    if (!isKnownMethod(method)) {
      this.#transactions.answer(incoming, 501)
    } else if (NEVER_OUTSIDE.has(method)) {
      this.#transactions.answer(incoming, 481)
    } else if (makesDialog(method) && this.#dialogs.size >= this.#limits.maxDialogs) {
      this.#transactions.answer(incoming, 503)
    } else {
      this.#offer(incoming)
    }
  }

  /** Hands a request outside dialogs to the client whose turn it is. */
  #offer(incoming: IncomingRequest): void {
    const { peer, request, transactionId } = incoming
    const client = this.#registry.select(request.method)
    if (client === undefined) {
      this.#transactions.answer(incoming, 503)
      return
    }
    incoming.owner = client
    this.#tell(client, incoming, {
      transactionId,
      dialogId: '',
      protocol: peer.transport.name,
      receivedOn: { host: peer.localHost, port: peer.localPort },
    })
  }

  #receiveInside(incoming: IncomingRequest, toTag: string): void {
    const { request, essentials, peer, transactionId } = incoming
    const { method } = request
    const dialog = this.#dialogOf(essentials, toTag)
    if (dialog === undefined) {
      this.#transactions.answer(incoming, 481)
      return
    }
    this.#transactions.join(incoming, dialog)
    if (!isKnownMethod(method)) {
      this.#transactions.answer(incoming, 501)
      return
    }
    if (dialog.remoteSequence !== undefined && essentials.sequence < dialog.remoteSequence) {
      this.#transactions.answer(incoming, 500, 'CSeq Out Of Order')
      return
    }
    dialog.remoteSequence = essentials.sequence
    if (TARGET_REFRESHES.has(method)) dialog.refresh(request, peer)
    if (method === 'INVITE') this.#transactions.answer(incoming, 100)
    if (method === 'PRACK' && !this.#provisionals.acknowledge(dialog, request)) {
      this.#transactions.answer(incoming, 481)
      return
    }
    if (!this.#refreshes.heardRequest(dialog, incoming)) return
    if (method === 'BYE') {
      this.#dialogs.remove(dialog)
      this.#transactions.endAllIn(dialog, incoming)
    }
    if (!dialog.owner.isOpen) {
      this.#transactions.answer(incoming, 481)
      return
    }
    incoming.owner = dialog.owner
    const protocol = peer.transport.name
    this.#tell(dialog.owner, incoming, { transactionId, dialogId: dialog.id, protocol })
  }

  #receiveAck(ack: Arrival, known: IncomingRequest | undefined): void {
    const { essentials } = ack
    if (known?.transaction.kind === 'invite') known.transaction.machine.confirm()
    const dialog = this.#dialogOf(essentials, essentials.toTag ?? '')
    if (dialog === undefined) {
      if (known === undefined) this.#counters.dropped('ack_without_dialog')
      return
    }
    const invite = this.#transactions.acknowledge(dialog, essentials.sequence)
    if (invite === undefined) {
      this.#counters.retransmissionsReceived += 1
      return
    }
    // The ACK of a first INVITE carries its transaction's id, that of a re-INVITE a new one.
    const isFirst = invite.essentials.toTag === undefined
    const transactionId = isFirst ? invite.transactionId : newUuid()
    this.#tell(dialog.owner, ack, { transactionId, dialogId: dialog.id, protocol: '' })
  }

  #receiveCancel(cancel: Arrival, known: IncomingRequest | undefined): void {
    const { request, peer } = cancel
    // A success has ended the transaction for CANCEL (RFC 3261 §9.2); the peer ends the call with BYE.
    if (known?.transaction.kind !== 'invite' || known.transaction.machine.isSuccessful) {
      if (this.#door.mayAnswer(peer)) this.#transactions.refuse(request, peer, { status: 481 })
      else this.#counters.dropped('unknown_peer')
      return
    }
    this.#transactions.refuse(request, peer, { status: 200, toTag: known.toTag() })
    if (known.transaction.machine.isAnswered) return
    if (known.owner !== undefined) {
      this.#tell(known.owner, cancel, {
        transactionId: known.transactionId,
        dialogId: known.isHandled ? known.dialogId : '',
        protocol: peer.transport.name,
      })
    }
    this.#transactions.answer(known, 487)
  }

  #dialogOf(essentials: Essentials, toTag: string): Dialog | undefined {
    const { callId, fromTag = '' } = essentials
    return this.#dialogs.find({ callId, localTag: toTag, remoteTag: fromTag })
  }

  #tell(
    client: ClientConnection,
    arrival: Arrival,
    as: {
      readonly transactionId: string
      readonly dialogId: string
      readonly protocol: string
      readonly receivedOn?: { readonly host: string; readonly port: number }
    },
  ): void {
    const { request, peer } = arrival
    client.send(
      sipFrame({
        source: 'network',
        bytes: request.bytes,
        host: peer.host,
        port: peer.port,
        time: timeOfDay(this.#clock),
        text: messageText(request),
        ...as,
      }),
    )
  }
}
